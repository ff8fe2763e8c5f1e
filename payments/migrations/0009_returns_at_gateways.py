"""Refunds made by hand at a gateway, fees in other currencies, methods to remove, and reports about refunds and disputes."""

from django.db import migrations, models

# Fees that were posted before are in the currency that their payment received.
FEES = "UPDATE payments_payment SET fee_currency = received_currency WHERE fee IS NOT NULL"
COUNTS = ("refunds_there", "refunds_here", "disputes_there")
FAILURES = ("refunds_failure", "disputes_failure")
SUBJECTS = [("payment", "payment"), ("refund", "refund"), ("dispute", "dispute")]


def text(length: int, *, editable: bool = True) -> models.CharField:
    return models.CharField(max_length=length, default="", blank=True, editable=editable)


class Migration(migrations.Migration):
    dependencies = [("payments", "0008_mended_by_staff")]

    operations = [
        migrations.AddField("refund", "is_made_at_gateway", models.BooleanField(default=False, editable=False)),
        migrations.AddField("payment", "fee_currency", text(3, editable=False)),
        migrations.RunSQL(FEES, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(
                condition=models.Q(fee__isnull=True, fee_currency="")
                | models.Q(fee__isnull=False, fee_currency__regex="^[A-Z]{3}$"),
                name="a_fee_has_a_currency",
            ),
        ),
        migrations.AddField("paymentmethod", "check_at", models.DateTimeField(null=True, editable=False)),
        migrations.AddField(
            "paymentmethod", "checks", models.PositiveSmallIntegerField(default=0, editable=False)
        ),
        migrations.AddField(
            "paymentmethod", "failures", models.PositiveSmallIntegerField(default=0, editable=False)
        ),
        migrations.AddField("paymentmethod", "parked_reason", text(200, editable=False)),
        migrations.AddIndex(
            "paymentmethod",
            models.Index(
                fields=["check_at"], condition=models.Q(check_at__isnull=False), name="method_to_remove"
            ),
        ),
        migrations.AddIndex("paymentmethod", models.Index(fields=["customer", "-id"], name="method_by_customer")),
        migrations.AddField(
            "discrepancy", "subject", models.CharField(max_length=10, choices=SUBJECTS, default="payment")
        ),
        *[migrations.AddField("gatewayreport", name, text(300)) for name in FAILURES],
        *[migrations.AddField("gatewayreport", name, models.PositiveIntegerField(default=0)) for name in COUNTS],
    ]
