"""A trigger: a payment method that was removed stays removed."""

from django.db import migrations

GUARD = """
CREATE TRIGGER method_is_removed_once
    BEFORE UPDATE ON payments_paymentmethod FOR EACH ROW
    WHEN (OLD.removed_at IS NOT NULL AND OLD.removed_at IS DISTINCT FROM NEW.removed_at)
    EXECUTE FUNCTION core_refuse('A payment method is removed once, and never comes back.');
"""

DROP_GUARD = "DROP TRIGGER method_is_removed_once ON payments_paymentmethod;"


class Migration(migrations.Migration):
    dependencies = [("payments", "0017_longer_page_addresses"), ("core", "0002_refusal")]

    operations = [migrations.RunSQL(GUARD, DROP_GUARD)]
