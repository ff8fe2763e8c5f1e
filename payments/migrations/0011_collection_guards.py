"""Triggers for the rules of consents and collections that a CHECK constraint cannot express.

`collections_may_move` repeats MOVES of payments.collection.states; a test compares the two.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION collections_may_move(origin text, target text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT origin = target OR (origin, target) IN (
        ('waiting', 'charging'), ('waiting', 'collected'), ('waiting', 'covered'), ('waiting', 'given_up'),
        ('waiting', 'stopped'),
        ('charging', 'waiting'), ('charging', 'action_required'), ('charging', 'collected'), ('charging', 'covered'),
        ('charging', 'given_up'), ('charging', 'stopped'),
        ('action_required', 'waiting'), ('action_required', 'charging'), ('action_required', 'collected'),
        ('action_required', 'covered'), ('action_required', 'given_up'), ('action_required', 'stopped'),
        ('covered', 'waiting'), ('covered', 'collected'),
        ('given_up', 'waiting'), ('given_up', 'collected'),
        ('stopped', 'waiting'), ('stopped', 'collected'))
$$;

CREATE TRIGGER collection_begins_waiting
    BEFORE INSERT ON payments_collection FOR EACH ROW
    WHEN (NEW.status <> 'waiting')
    EXECUTE FUNCTION core_refuse('A new collection must be waiting.');

CREATE TRIGGER collection_moves_along_the_table
    BEFORE UPDATE ON payments_collection FOR EACH ROW
    WHEN (NOT collections_may_move(OLD.status, NEW.status))
    EXECUTE FUNCTION core_refuse('payments.collection.states.MOVES does not allow this move; collected is final.');

CREATE TRIGGER collection_keeps_its_cause
    BEFORE UPDATE ON payments_collection FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.customer_id, OLD.wallet_id, OLD.currency, OLD.kind, OLD.cause, OLD.due_at)
              IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.customer_id, NEW.wallet_id, NEW.currency, NEW.kind, NEW.cause, NEW.due_at))
    EXECUTE FUNCTION core_refuse('The wallet and the cause of a collection never change.');

CREATE TRIGGER collection_is_never_deleted
    BEFORE DELETE ON payments_collection FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Collections are never deleted.');

CREATE TRIGGER decision_is_never_changed
    BEFORE UPDATE OR DELETE ON payments_collectiondecision FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Decisions about collections are never changed or deleted.');

CREATE TRIGGER consent_keeps_what_was_agreed
    BEFORE UPDATE ON payments_consent FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.customer_id, OLD.method_id, OLD.purpose, OLD.currency, OLD.words, OLD.language,
           OLD.version, OLD.address, OLD.given_at)
              IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.customer_id, NEW.method_id, NEW.purpose, NEW.currency, NEW.words, NEW.language,
           NEW.version, NEW.address, NEW.given_at)
          OR (OLD.withdrawn_at IS NOT NULL AND OLD.withdrawn_at IS DISTINCT FROM NEW.withdrawn_at))
    EXECUTE FUNCTION core_refuse('A consent never changes, and is withdrawn once.');

CREATE TRIGGER consent_is_never_deleted
    BEFORE DELETE ON payments_consent FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Consents are never deleted.');

CREATE TRIGGER payment_keeps_its_collection
    BEFORE UPDATE ON payments_payment FOR EACH ROW
    WHEN ((OLD.method_id, OLD.collection_id) IS DISTINCT FROM (NEW.method_id, NEW.collection_id))
    EXECUTE FUNCTION core_refuse('The method and the collection of a payment never change.');
"""

DROP_GUARDS = """
DROP TRIGGER payment_keeps_its_collection ON payments_payment;
DROP TRIGGER consent_is_never_deleted ON payments_consent;
DROP TRIGGER consent_keeps_what_was_agreed ON payments_consent;
DROP TRIGGER decision_is_never_changed ON payments_collectiondecision;
DROP TRIGGER collection_is_never_deleted ON payments_collection;
DROP TRIGGER collection_keeps_its_cause ON payments_collection;
DROP TRIGGER collection_moves_along_the_table ON payments_collection;
DROP TRIGGER collection_begins_waiting ON payments_collection;
DROP FUNCTION collections_may_move(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0010_collections"), ("core", "0002_refusal")]

    operations = [migrations.RunSQL(GUARDS, DROP_GUARDS)]
