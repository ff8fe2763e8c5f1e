"""Triggers for the rules of refunds and disputes that a CHECK constraint cannot express, each named after its rule.

`refunds_may_move` and `disputes_may_move` repeat MOVES of payments.refunds and payments.disputes; a test compares them.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION refunds_may_move(origin text, target text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT origin = target OR (origin, target) IN (
        ('pending', 'succeeded'), ('pending', 'failed'), ('succeeded', 'failed'))
$$;

CREATE FUNCTION disputes_may_move(origin text, target text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT origin = target OR (origin, target) IN (('open', 'won'), ('open', 'lost'), ('lost', 'won'))
$$;

CREATE TRIGGER refund_begins_pending
    BEFORE INSERT ON payments_refund FOR EACH ROW
    WHEN (NEW.status <> 'pending')
    EXECUTE FUNCTION core_refuse('A new refund must be pending.');

CREATE TRIGGER refund_moves_along_the_table
    BEFORE UPDATE ON payments_refund FOR EACH ROW
    WHEN (NOT refunds_may_move(OLD.status, NEW.status))
    EXECUTE FUNCTION core_refuse('payments.refunds.MOVES does not allow this move; failed is final.');

CREATE TRIGGER refund_keeps_what_was_asked_for
    BEFORE UPDATE ON payments_refund FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.payment_id, OLD.amount, OLD.currency, OLD.destination, OLD.is_from_wallet,
           OLD.gateway, OLD.author_id, OLD.created_at)
              IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.payment_id, NEW.amount, NEW.currency, NEW.destination, NEW.is_from_wallet,
           NEW.gateway, NEW.author_id, NEW.created_at)
          OR (OLD.gateway_id IS NOT NULL AND OLD.gateway_id IS DISTINCT FROM NEW.gateway_id))
    EXECUTE FUNCTION core_refuse('The payment, amount, destination and gateway id of a refund never change.');

CREATE TRIGGER refund_is_never_deleted
    BEFORE DELETE ON payments_refund FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Refunds are never deleted.');

-- Adds and takes off by the row, so that two refunds at once cannot overlook each other: the constraint
-- refunds_never_exceed_the_payment then refuses the second.
CREATE FUNCTION payments_count_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before bigint := CASE WHEN TG_OP = 'INSERT' OR OLD.status = 'failed' THEN 0 ELSE OLD.amount END;
    after bigint := CASE WHEN NEW.status = 'failed' THEN 0 ELSE NEW.amount END;
BEGIN
    IF before <> after THEN
        UPDATE payments_payment SET amount_refunded = amount_refunded + after - before
         WHERE id = NEW.payment_id AND received_currency = NEW.currency;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'A refund is in the currency that its payment received.'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER refund_counts_against_its_payment
    AFTER INSERT OR UPDATE ON payments_refund FOR EACH ROW
    EXECUTE FUNCTION payments_count_refund();

CREATE TRIGGER payment_counts_only_its_refunds
    BEFORE UPDATE ON payments_payment FOR EACH ROW
    WHEN (OLD.amount_refunded <> NEW.amount_refunded AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION core_refuse('Only the refunds of a payment change what is refunded of it.');

CREATE TRIGGER payment_keeps_what_it_received
    BEFORE UPDATE ON payments_payment FOR EACH ROW
    WHEN (OLD.confirmed_at IS NOT NULL AND (OLD.amount_received, OLD.received_currency, OLD.client_payment_id)
              IS DISTINCT FROM (NEW.amount_received, NEW.received_currency, NEW.client_payment_id))
    EXECUTE FUNCTION core_refuse('What a confirmed payment received never changes.');

CREATE TRIGGER dispute_begins_open
    BEFORE INSERT ON payments_dispute FOR EACH ROW
    WHEN (NEW.status <> 'open')
    EXECUTE FUNCTION core_refuse('A new dispute must be open.');

CREATE TRIGGER dispute_moves_along_the_table
    BEFORE UPDATE ON payments_dispute FOR EACH ROW
    WHEN (NOT disputes_may_move(OLD.status, NEW.status))
    EXECUTE FUNCTION core_refuse('payments.disputes.MOVES does not allow this move; won is final.');

CREATE TRIGGER dispute_keeps_what_it_is_about
    BEFORE UPDATE ON payments_dispute FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.payment_id, OLD.gateway, OLD.gateway_id, OLD.amount, OLD.currency)
              IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.payment_id, NEW.gateway, NEW.gateway_id, NEW.amount, NEW.currency)
          OR (OLD.withdrawn_at IS NOT NULL AND OLD.withdrawn_at IS DISTINCT FROM NEW.withdrawn_at)
          OR (OLD.returned_at IS NOT NULL AND OLD.returned_at IS DISTINCT FROM NEW.returned_at))
    EXECUTE FUNCTION core_refuse('The payment, amount and gateway id of a dispute never change.');

CREATE TRIGGER dispute_is_never_deleted
    BEFORE DELETE ON payments_dispute FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Disputes are never deleted.');
"""

DROP_GUARDS = """
DROP TRIGGER dispute_is_never_deleted ON payments_dispute;
DROP TRIGGER dispute_keeps_what_it_is_about ON payments_dispute;
DROP TRIGGER dispute_moves_along_the_table ON payments_dispute;
DROP TRIGGER dispute_begins_open ON payments_dispute;
DROP TRIGGER payment_keeps_what_it_received ON payments_payment;
DROP TRIGGER payment_counts_only_its_refunds ON payments_payment;
DROP TRIGGER refund_counts_against_its_payment ON payments_refund;
DROP FUNCTION payments_count_refund();
DROP TRIGGER refund_is_never_deleted ON payments_refund;
DROP TRIGGER refund_keeps_what_was_asked_for ON payments_refund;
DROP TRIGGER refund_moves_along_the_table ON payments_refund;
DROP TRIGGER refund_begins_pending ON payments_refund;
DROP FUNCTION disputes_may_move(text, text);
DROP FUNCTION refunds_may_move(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_refunds_and_disputes")]

    operations = [migrations.RunSQL(GUARDS, DROP_GUARDS)]
