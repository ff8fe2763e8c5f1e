"""A customer's accounts in each currency: one wallet and, after a chargeback that it cannot cover, one debt."""

from django.db import connection

from ledger.money import exponent_of

FIND = "SELECT id FROM ledger_account WHERE owner_id = %s AND currency = %s AND kind = %s"
# Whoever closes the account locks this row for update and then looks for wallets. The foreign key alone is checked only
# at the end of the transaction.
HOLD_OWNER = "SELECT id FROM accounts_user WHERE id = %s FOR KEY SHARE"
# Two sessions may insert at once: the second waits for the first, inserts nothing, and then finds the first's row.
OPEN = """
    INSERT INTO ledger_account (kind, owner_id, code, currency, balance) VALUES (%s, %s, '', %s, 0)
    ON CONFLICT DO NOTHING
"""


def wallet_id_of(customer_id: int, currency: str) -> int:
    """Return the id of the customer's wallet in this currency, opening it on first use. Safe under concurrency.

    Raise NotMoney for an unknown currency.
    """
    return _account_of("wallet", customer_id, currency)


def debt_id_of(customer_id: int, currency: str) -> int:
    """Return the id of the customer's debt account in this currency, as `wallet_id_of` does for the wallet."""
    return _account_of("debt", customer_id, currency)


def _account_of(kind: str, customer_id: int, currency: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(FIND, [customer_id, currency, kind])
        if row := cursor.fetchone():
            return int(row[0])
        exponent_of(currency)
        cursor.execute(HOLD_OWNER, [customer_id])
        cursor.execute(OPEN, [kind, customer_id, currency])
        cursor.execute(FIND, [customer_id, currency, kind])
        return int(cursor.fetchone()[0])
