"""Let staff write off a debt: the reason of a movement to it."""

from django.db import migrations, models
from django.db.models import Q

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
    ("write_off", "debt written off"),
)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_staff_permissions")]

    operations = [
        migrations.AlterField("transaction", "reason", models.CharField(choices=REASONS, max_length=20)),
        migrations.RemoveConstraint("transaction", "transaction_reason_is_known"),
        migrations.AddConstraint(
            "transaction",
            models.CheckConstraint(
                condition=Q(reason__in=[reason for reason, _ in REASONS]), name="transaction_reason_is_known"
            ),
        ),
    ]
