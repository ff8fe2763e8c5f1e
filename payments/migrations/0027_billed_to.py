"""Who paid, as they were at the payment: a receipt does not change with the customer's profile."""

from django.db import migrations, models

GUARD = """
CREATE TRIGGER payment_keeps_who_paid
    BEFORE UPDATE ON payments_payment FOR EACH ROW
    WHEN (OLD.confirmed_at IS NOT NULL AND OLD.billed_to IS DISTINCT FROM NEW.billed_to)
    EXECUTE FUNCTION core_refuse('Who has paid never changes: receipts show it.');
"""

DROP_GUARD = "DROP TRIGGER payment_keeps_who_paid ON payments_payment;"


class Migration(migrations.Migration):
    dependencies = [("payments", "0026_paid_changes"), ("core", "0002_refusal")]

    operations = [
        migrations.AddField(
            "payment", "billed_to", models.JSONField(default=dict, db_default={}, blank=True, editable=False)
        ),
        migrations.RunSQL(GUARD, DROP_GUARD),
    ]
