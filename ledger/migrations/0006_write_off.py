"""Let staff write off a debt: the reason of a movement to it. 0008_write_off_validation looks at the old rows."""

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
# The old rule goes in the same transaction as the new one comes, so that no row is ever without one.
DROP = """-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger_transaction DROP CONSTRAINT transaction_reason_is_known"""


def add(reasons: list[str], *, is_valid: bool) -> str:
    """Return the statement that lets only these reasons in."""
    known = ", ".join(f"'{reason}'" for reason in reasons)
    rule = f"CONSTRAINT transaction_reason_is_known CHECK (reason IN ({known}))"
    return f"ALTER TABLE ledger_transaction ADD {rule}{'' if is_valid else ' NOT VALID'}"


NEW = [reason for reason, _ in REASONS]
OLD = NEW[:-1]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_staff_permissions")]

    operations = [
        migrations.AlterField("transaction", "reason", models.CharField(choices=REASONS, max_length=20)),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL([DROP, add(NEW, is_valid=False)], [DROP, add(OLD, is_valid=True)])],
            [
                migrations.RemoveConstraint("transaction", "transaction_reason_is_known"),
                migrations.AddConstraint(
                    "transaction",
                    models.CheckConstraint(condition=Q(reason__in=NEW), name="transaction_reason_is_known"),
                ),
            ],
        ),
    ]
