"""Create the triggers that enforce the ledger's rules, whoever writes. Each trigger is named after its rule."""

from django.db import migrations

# Updates balances from the transactions just inserted, and refuses them if they do not match the wallet's balance.
# Wallets are deliberately looked up one by one through the primary key: a plan cached for a batch of thousands must
# not read the whole table for the next single transaction.
POSTING = """
CREATE FUNCTION ledger_move_balances() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    alone ledger_transaction;
    counterpart bigint;
    change bigint;
    unmoved bigint;
    debts bigint;
BEGIN
    -- Nearly every posting outside a billing run is a single transaction between a wallet and a system account.
    -- Two short statements handle it, under the same conditions. Anything else is handled below.
    IF (SELECT count(*) FROM posted) = 1 THEN
        SELECT * INTO alone FROM posted;
        counterpart := CASE alone.wallet_id WHEN alone.debit_id THEN alone.credit_id
                                            WHEN alone.credit_id THEN alone.debit_id END;
        change := CASE WHEN alone.debit_id = alone.wallet_id THEN -alone.amount ELSE alone.amount END;
        IF alone.reverses_id IS NULL AND EXISTS (
            SELECT FROM ledger_account WHERE id = counterpart AND owner_id IS NULL AND currency = alone.currency)
        THEN
            UPDATE ledger_account AS account
               SET balance = account.balance + change, moved_at = alone.effective_at
             WHERE account.id = alone.wallet_id
               AND account.kind = 'wallet'
               AND account.currency = alone.currency
               AND account.owner_id = alone.customer_id
               AND account.balance::numeric = alone.balance_after::numeric - change
               AND (account.moved_at IS NULL OR account.moved_at <= alone.effective_at);
            IF FOUND THEN
                INSERT INTO ledger_rollup (account_id, delta) VALUES (counterpart, -change);
                RETURN NULL;
            END IF;
        END IF;
    END IF;
    -- Wallets: the opening balance computed from each line must be the same, and equal to the account's balance.
    WITH lines AS (
        SELECT wallet_id, currency, customer_id, effective_at, balance_after,
               CASE WHEN debit_id = wallet_id THEN -amount ELSE amount END AS delta,
               balance_after - sum(CASE WHEN debit_id = wallet_id THEN -amount ELSE amount END) OVER line AS opening,
               lag(effective_at) OVER line AS previous_at
          FROM posted
         WHERE wallet_id IS NOT NULL
        WINDOW line AS (PARTITION BY wallet_id ORDER BY id)
    ), wallets AS (
        SELECT wallet_id, currency, customer_id, sum(delta)::bigint AS delta,
               min(opening) AS opening, max(opening) AS highest_opening,
               min(effective_at) AS first_at, max(effective_at) AS last_at,
               coalesce(bool_and(effective_at >= previous_at), true) AS in_order
          FROM lines
         GROUP BY wallet_id, currency, customer_id
    ), moved AS (
        UPDATE ledger_account AS account
           SET balance = account.balance + wallets.delta, moved_at = wallets.last_at
          FROM wallets
         WHERE account.id = wallets.wallet_id
           AND account.kind = 'wallet'
           AND account.currency = wallets.currency
           AND account.owner_id = wallets.customer_id
           AND account.balance = wallets.opening
           AND account.balance = wallets.highest_opening
           AND wallets.in_order
           AND (account.moved_at IS NULL OR account.moved_at <= wallets.first_at)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM wallets) - (SELECT count(*) FROM moved) INTO unmoved;
    IF unmoved > 0 THEN
        RAISE EXCEPTION 'transactions do not follow from what is in % wallet(s): lock the wallet, then post', unmoved
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_follow_the_wallet',
                  HINT = 'Each needs the wallet''s own currency and customer, the next balance_after, and an '
                         'effective_at that does not go back. Only ledger.post writes transactions.';
    END IF;

    -- The other side: a debt's balance is updated; a system account gets one rollup for all its transactions.
    WITH others AS (
        SELECT account_id, currency, sum(delta)::bigint AS delta
          FROM (SELECT debit_id AS account_id, currency, -amount AS delta
                  FROM posted WHERE debit_id IS DISTINCT FROM wallet_id
                 UNION ALL
                SELECT credit_id, currency, amount
                  FROM posted WHERE credit_id IS DISTINCT FROM wallet_id) AS side
         GROUP BY account_id, currency
    ), owed AS (
        UPDATE ledger_account AS account SET balance = account.balance + others.delta
          FROM others
         WHERE account.id = others.account_id AND account.currency = others.currency AND account.kind = 'debt'
        RETURNING 1
    ), rolled AS (
        INSERT INTO ledger_rollup (account_id, delta)
        SELECT account.id, others.delta
          FROM others JOIN ledger_account AS account ON account.id = others.account_id
         WHERE account.currency = others.currency AND account.owner_id IS NULL
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM others) - (SELECT count(*) FROM owed) - (SELECT count(*) FROM rolled),
           (SELECT count(*) FROM owed)
      INTO unmoved, debts;
    IF unmoved > 0 THEN
        RAISE EXCEPTION 'transactions name % account(s) that do not exist, have another currency, or are a wallet '
                        'that is not named as the wallet', unmoved
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_name_accounts_of_their_currency',
                  HINT = 'A transaction touches one wallet at most.';
    END IF;
    IF debts > 0 AND EXISTS (
        SELECT FROM posted JOIN ledger_account AS debt ON debt.id IN (posted.debit_id, posted.credit_id)
         WHERE debt.kind = 'debt' AND posted.customer_id IS DISTINCT FROM debt.owner_id)
    THEN
        RAISE EXCEPTION 'a debt is moved by its own customer''s transactions only'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'debt_is_its_customers';
    END IF;

    -- A reversal moves the whole amount.
    IF EXISTS (
        SELECT FROM posted LEFT JOIN ledger_transaction AS original ON original.id = posted.reverses_id
         WHERE posted.reverses_id IS NOT NULL
           AND (original.debit_id, original.credit_id, original.amount)
               IS DISTINCT FROM (posted.credit_id, posted.debit_id, posted.amount))
    THEN
        RAISE EXCEPTION 'a reversal moves the same amount between the same accounts, the other way'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reversal_is_the_exact_opposite';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER transactions_move_balances AFTER INSERT ON ledger_transaction
    REFERENCING NEW TABLE AS posted
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_move_balances();
"""

POSTING_REVERSE = """
DROP TRIGGER transactions_move_balances ON ledger_transaction;
DROP FUNCTION ledger_move_balances();
"""

TRANSACTIONS = """
CREATE TRIGGER transaction_is_never_edited BEFORE UPDATE ON ledger_transaction FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('a transaction is never edited: post a new one that reverses it');
CREATE TRIGGER transaction_is_never_deleted BEFORE DELETE ON ledger_transaction FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('a transaction is never deleted: post a new one that reverses it');
CREATE TRIGGER transactions_are_never_truncated BEFORE TRUNCATE ON ledger_transaction FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('transactions are never truncated');
"""

TRANSACTIONS_REVERSE = """
DROP TRIGGER transaction_is_never_edited ON ledger_transaction;
DROP TRIGGER transaction_is_never_deleted ON ledger_transaction;
DROP TRIGGER transactions_are_never_truncated ON ledger_transaction;
"""

# Statements of the posting trigger run at trigger depth 1, statements of a session at depth 0.
ACCOUNTS = """
CREATE TRIGGER account_starts_empty BEFORE INSERT ON ledger_account FOR EACH ROW
    WHEN (NEW.balance <> 0 OR NEW.moved_at IS NOT NULL)
    EXECUTE FUNCTION core_refuse('an account starts empty: money comes by transactions');
CREATE TRIGGER balance_moves_by_transactions_only BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN (pg_trigger_depth() < 1
          AND (OLD.balance, OLD.moved_at) IS DISTINCT FROM (NEW.balance, NEW.moved_at))
    EXECUTE FUNCTION core_refuse('a balance is moved by transactions only: use ledger.post');
CREATE TRIGGER account_stays_what_it_is BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN ((OLD.id, OLD.kind, OLD.owner_id, OLD.code, OLD.currency)
          IS DISTINCT FROM (NEW.id, NEW.kind, NEW.owner_id, NEW.code, NEW.currency))
    EXECUTE FUNCTION core_refuse('an account keeps its kind, owner, code and currency for ever');
CREATE TRIGGER account_is_never_deleted BEFORE DELETE ON ledger_account FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('an account is never deleted');
CREATE TRIGGER accounts_are_never_truncated BEFORE TRUNCATE ON ledger_account FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('accounts are never truncated');
"""

ACCOUNTS_REVERSE = """
DROP TRIGGER account_starts_empty ON ledger_account;
DROP TRIGGER balance_moves_by_transactions_only ON ledger_account;
DROP TRIGGER account_stays_what_it_is ON ledger_account;
DROP TRIGGER account_is_never_deleted ON ledger_account;
DROP TRIGGER accounts_are_never_truncated ON ledger_account;
"""

# A session may insert only a zero row, which makes the database fold that account's rows into one. So no manual change
# to this table can change a balance. A fold skips rows that another fold has locked.
ROLLUPS = """
CREATE FUNCTION ledger_fold_rollups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH held AS (
        SELECT id FROM ledger_rollup WHERE account_id IN (SELECT account_id FROM asked)
         ORDER BY id FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM ledger_rollup WHERE id IN (SELECT id FROM held) RETURNING account_id, delta
    )
    INSERT INTO ledger_rollup (account_id, delta)
    SELECT account_id, sum(delta)::bigint FROM gone GROUP BY account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER rollup_by_hand_is_zero BEFORE INSERT ON ledger_rollup FOR EACH ROW
    WHEN (pg_trigger_depth() < 1 AND NEW.delta <> 0)
    EXECUTE FUNCTION core_refuse('a rollup is written by transactions only');
CREATE TRIGGER rollup_of_zero_folds AFTER INSERT ON ledger_rollup
    REFERENCING NEW TABLE AS asked FOR EACH STATEMENT
    WHEN (pg_trigger_depth() < 1)
    EXECUTE FUNCTION ledger_fold_rollups();
CREATE TRIGGER rollup_is_never_edited BEFORE UPDATE ON ledger_rollup FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('a rollup is never edited');
CREATE TRIGGER rollup_is_deleted_by_folding_only BEFORE DELETE ON ledger_rollup FOR EACH STATEMENT
    WHEN (pg_trigger_depth() < 1)
    EXECUTE FUNCTION core_refuse('a rollup is deleted by folding only');
CREATE TRIGGER rollups_are_never_truncated BEFORE TRUNCATE ON ledger_rollup FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('rollups are never truncated');
"""

ROLLUPS_REVERSE = """
DROP TRIGGER rollup_by_hand_is_zero ON ledger_rollup;
DROP TRIGGER rollup_of_zero_folds ON ledger_rollup;
DROP TRIGGER rollup_is_never_edited ON ledger_rollup;
DROP TRIGGER rollup_is_deleted_by_folding_only ON ledger_rollup;
DROP TRIGGER rollups_are_never_truncated ON ledger_rollup;
DROP FUNCTION ledger_fold_rollups();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_accounts_and_transactions"), ("core", "0002_refusal")]

    operations = [
        migrations.RunSQL(POSTING, POSTING_REVERSE),
        migrations.RunSQL(TRANSACTIONS, TRANSACTIONS_REVERSE),
        migrations.RunSQL(ACCOUNTS, ACCOUNTS_REVERSE),
        migrations.RunSQL(ROLLUPS, ROLLUPS_REVERSE),
    ]
