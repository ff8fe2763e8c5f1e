"""Let gateways pay out: the seller's bank account, and the reason of a movement to it."""

from django.db import migrations, models
from django.db.models import Q

KINDS = (
    ("wallet", "wallet"),
    ("debt", "debt"),
    ("gateway_clearing", "gateway clearing"),
    ("revenue", "revenue"),
    ("gateway_fees", "gateway fees"),
    ("promotions", "promotions"),
    ("adjustments", "adjustments"),
    ("disputes", "disputes"),
    ("bank", "bank"),
)
REASONS = (
    ("top_up", "top-up"),
    ("charge", "charge"),
    ("unused_refund", "refund for unused time"),
    ("refund", "refund"),
    ("adjustment", "adjustment"),
    ("promotion", "promotion"),
    ("chargeback", "chargeback"),
    ("chargeback_reversal", "chargeback reversed"),
    ("fee", "gateway fee"),
    ("debt_payment", "debt payment"),
    ("payout", "payout of a gateway"),
)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_debt_payment")]

    operations = [
        migrations.AlterField("account", "kind", models.CharField(choices=KINDS, max_length=20)),
        migrations.RemoveConstraint("account", "account_kind_is_known"),
        migrations.AddConstraint(
            "account",
            models.CheckConstraint(condition=Q(kind__in=[kind for kind, _ in KINDS]), name="account_kind_is_known"),
        ),
        migrations.AlterField("transaction", "reason", models.CharField(choices=REASONS, max_length=20)),
        migrations.RemoveConstraint("transaction", "transaction_reason_is_known"),
        migrations.AddConstraint(
            "transaction",
            models.CheckConstraint(
                condition=Q(reason__in=[reason for reason, _ in REASONS]), name="transaction_reason_is_known"
            ),
        ),
    ]
