"""Triggers for the rules of prices, subscriptions and charges that a CHECK cannot express.

Each trigger is named after its rule, and the error reports that name as the constraint. The WHEN clauses skip the call
for statements that cannot break the rule.
"""

from django.db import migrations

GUARDS = """
-- Prices

CREATE TRIGGER used_price_keeps_its_terms
    BEFORE UPDATE ON subscriptions_price FOR EACH ROW
    WHEN (OLD.used_at IS NOT NULL AND
          (OLD.id, OLD.plan_id, OLD.version, OLD.currency, OLD.amount, OLD.interval, OLD.interval_count, OLD.metered,
           OLD.trial_days, OLD.grace_days, OLD.used_at, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.plan_id, NEW.version, NEW.currency, NEW.amount, NEW.interval, NEW.interval_count, NEW.metered,
           NEW.trial_days, NEW.grace_days, NEW.used_at, NEW.created_at))
    EXECUTE FUNCTION core_refuse('This price is in use: its terms cannot change. Create a new version.');

CREATE TRIGGER used_price_is_never_deleted
    BEFORE DELETE ON subscriptions_price FOR EACH ROW
    WHEN (OLD.used_at IS NOT NULL)
    EXECUTE FUNCTION core_refuse('This price is in use: it can be archived, but not deleted.');

CREATE TRIGGER prices_are_never_truncated BEFORE TRUNCATE ON subscriptions_price FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('Prices cannot be truncated: delete the unused ones.');


-- Subscriptions

CREATE TRIGGER subscription_keeps_what_was_bought
    BEFORE UPDATE ON subscriptions_subscription FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.customer_id, OLD.wallet_id, OLD.quantity, OLD.periods, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.customer_id, NEW.wallet_id, NEW.quantity, NEW.periods, NEW.created_at))
    EXECUTE FUNCTION core_refuse(
        'Customer, wallet, quantity and periods of a subscription cannot change. Cancel it and subscribe again.');

CREATE TRIGGER final_subscription_stays_final
    BEFORE UPDATE ON subscriptions_subscription FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND
          (OLD.status, OLD.ended_at, OLD.price_id) IS DISTINCT FROM (NEW.status, NEW.ended_at, NEW.price_id))
    EXECUTE FUNCTION core_refuse('A cancelled or expired subscription cannot come back. Subscribe again.');

CREATE TRIGGER subscription_is_never_deleted
    BEFORE DELETE ON subscriptions_subscription FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Subscriptions cannot be deleted. Cancel it instead.');

CREATE TRIGGER subscriptions_are_never_truncated BEFORE TRUNCATE ON subscriptions_subscription FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('Subscriptions cannot be truncated.');

-- Also marks the price as used. The first use locks the price row, so nobody can edit it while a customer subscribes.
CREATE FUNCTION subscriptions_fit_wallet_and_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE subscriptions_price SET used_at = now()
     WHERE id IN (NEW.price_id, NEW.scheduled_price_id) AND used_at IS NULL;

    IF NOT EXISTS (SELECT FROM ledger_account WHERE id = NEW.wallet_id AND kind = 'wallet' AND owner_id = NEW.customer_id)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation', CONSTRAINT = 'subscription_draws_on_its_customers_wallet',
            TABLE = TG_TABLE_NAME, MESSAGE = 'A subscription must use a wallet of its own customer.';
    END IF;

    IF EXISTS (SELECT FROM subscriptions_price AS price JOIN ledger_account AS wallet ON wallet.id = NEW.wallet_id
                WHERE price.id IN (NEW.price_id, NEW.scheduled_price_id) AND price.currency <> wallet.currency)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation', CONSTRAINT = 'subscription_has_one_currency',
            TABLE = TG_TABLE_NAME, MESSAGE = 'The price of a subscription must be in the currency of its wallet.';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER subscription_fits_wallet_and_price
    BEFORE INSERT ON subscriptions_subscription FOR EACH ROW
    EXECUTE FUNCTION subscriptions_fit_wallet_and_price();

CREATE TRIGGER subscription_fits_wallet_and_new_price
    BEFORE UPDATE ON subscriptions_subscription FOR EACH ROW
    WHEN (OLD.price_id <> NEW.price_id OR OLD.scheduled_price_id IS DISTINCT FROM NEW.scheduled_price_id)
    EXECUTE FUNCTION subscriptions_fit_wallet_and_price();


-- Charges. No trigger on INSERT: billing runs insert most of them.

CREATE TRIGGER charge_is_written_once
    BEFORE UPDATE ON subscriptions_charge FOR EACH ROW
    WHEN (to_jsonb(OLD) - '{ended_at,refund_id,void_as}'::text[]
          IS DISTINCT FROM to_jsonb(NEW) - '{ended_at,refund_id,void_as}'::text[])
    EXECUTE FUNCTION core_refuse('A charge cannot change, except for its early end and its refund.');

CREATE TRIGGER charge_ends_and_is_refunded_once
    BEFORE UPDATE ON subscriptions_charge FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at
          OR OLD.refund_id IS NOT NULL AND OLD.refund_id IS DISTINCT FROM NEW.refund_id)
    EXECUTE FUNCTION core_refuse('The early end and the refund of a charge can be set only once.');

CREATE TRIGGER charge_is_never_deleted
    BEFORE DELETE ON subscriptions_charge FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Charges cannot be deleted.');

CREATE TRIGGER charges_are_never_truncated BEFORE TRUNCATE ON subscriptions_charge FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('Charges cannot be truncated.');
"""

DROP_GUARDS = """
DROP TRIGGER used_price_keeps_its_terms ON subscriptions_price;
DROP TRIGGER used_price_is_never_deleted ON subscriptions_price;
DROP TRIGGER prices_are_never_truncated ON subscriptions_price;
DROP TRIGGER subscription_keeps_what_was_bought ON subscriptions_subscription;
DROP TRIGGER final_subscription_stays_final ON subscriptions_subscription;
DROP TRIGGER subscription_is_never_deleted ON subscriptions_subscription;
DROP TRIGGER subscriptions_are_never_truncated ON subscriptions_subscription;
DROP TRIGGER subscription_fits_wallet_and_price ON subscriptions_subscription;
DROP TRIGGER subscription_fits_wallet_and_new_price ON subscriptions_subscription;
DROP TRIGGER charge_is_written_once ON subscriptions_charge;
DROP TRIGGER charge_ends_and_is_refunded_once ON subscriptions_charge;
DROP TRIGGER charge_is_never_deleted ON subscriptions_charge;
DROP TRIGGER charges_are_never_truncated ON subscriptions_charge;
DROP FUNCTION subscriptions_fit_wallet_and_price();
"""


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0003_quotes"), ("ledger", "0002_guards")]

    operations = [migrations.RunSQL(GUARDS, DROP_GUARDS)]
