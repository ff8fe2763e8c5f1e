"""Triggers for the rules of payments that a CHECK constraint cannot express. Each is named after its rule.

`payments_may_move` repeats payments.transitions.MOVES; a test compares the two.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION payments_may_move(origin text, target text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT origin = target OR (origin, target) IN (
        ('pending',   'unknown'), ('pending',   'confirmed'), ('pending',   'failed'), ('pending', 'cancelled'),
        ('pending',   'expired'),
        ('unknown',   'pending'), ('unknown',   'confirmed'), ('unknown',   'failed'), ('unknown', 'cancelled'),
        ('unknown',   'expired'),
        ('failed',    'confirmed'), ('failed',    'unknown'),
        ('cancelled', 'confirmed'), ('cancelled', 'unknown'),
        ('expired',   'confirmed'), ('expired',   'unknown'))
$$;

CREATE TRIGGER payment_begins_pending
    BEFORE INSERT ON payments_payment FOR EACH ROW
    WHEN (NEW.status <> 'pending')
    EXECUTE FUNCTION core_refuse('A new payment must be pending.');

CREATE TRIGGER payment_moves_along_the_table
    BEFORE UPDATE ON payments_payment FOR EACH ROW
    WHEN (NOT payments_may_move(OLD.status, NEW.status))
    EXECUTE FUNCTION core_refuse('payments.transitions.MOVES does not allow this move; confirmed is final.');

CREATE TRIGGER payment_keeps_what_was_asked_for
    BEFORE UPDATE ON payments_payment FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.customer_id, OLD.amount, OLD.currency, OLD.gateway, OLD.created_at)
              IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.customer_id, NEW.amount, NEW.currency, NEW.gateway, NEW.created_at)
          OR (OLD.gateway_id IS NOT NULL AND OLD.gateway_id IS DISTINCT FROM NEW.gateway_id)
          OR (OLD.confirmed_at IS NOT NULL AND OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at))
    EXECUTE FUNCTION core_refuse('The customer, amount, gateway and gateway id of a payment never change.');

CREATE TRIGGER payment_is_never_deleted
    BEFORE DELETE ON payments_payment FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Payments are never deleted.');
"""

DROP_GUARDS = """
DROP TRIGGER payment_is_never_deleted ON payments_payment;
DROP TRIGGER payment_keeps_what_was_asked_for ON payments_payment;
DROP TRIGGER payment_moves_along_the_table ON payments_payment;
DROP TRIGGER payment_begins_pending ON payments_payment;
DROP FUNCTION payments_may_move(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_payments_and_webhook_events"), ("core", "0002_refusal")]

    operations = [migrations.RunSQL(GUARDS, DROP_GUARDS)]
