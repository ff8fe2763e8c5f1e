"""What is plainly right of a single transaction is moved in two short statements; all else goes the way of batches.

A transaction alone, between a wallet and a system account, is what nearly every posting outside a billing run is. The
sorting and grouping that thousands need took four tenths of its time. It decides nothing new: it moves the wallet
under the very conditions that a batch must meet, and whatever does not meet them is left, untouched, to be refused
there, in the words used there.
"""

from importlib import import_module

from django.db import migrations

# The whole function stands in 0003_guards; these lines are put in.
DECLARED = """
    alone ledger_transaction;
    counterpart bigint;
    change bigint;
"""
ALONE = """
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
"""

before = import_module("ledger.migrations.0003_guards").POSTING.partition("CREATE TRIGGER")[0]
BEFORE = before.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
AFTER = BEFORE.replace("DECLARE\n", "DECLARE" + DECLARED, 1).replace("BEGIN\n", "BEGIN" + ALONE, 1)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_a_wallet_is_always_shown")]

    operations = [migrations.RunSQL(AFTER, BEFORE)]
