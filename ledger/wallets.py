"""Where a customer's money is: one wallet and, if a bank ever took money back, one debt for each currency."""

from django.db import connection

from ledger.money import exponent_of

FIND = "SELECT id FROM ledger_account WHERE owner_id = %s AND currency = %s AND kind = %s"
# Two sessions may try at once: the second waits for the first, does nothing, and finds it.
OPEN = """
    INSERT INTO ledger_account (kind, owner_id, code, currency, balance) VALUES (%s, %s, '', %s, 0)
    ON CONFLICT DO NOTHING
"""


def wallet_id_of(customer_id: int, currency: str) -> int:
    """Return the id of the customer's wallet in that currency, opening it on first use. Safe when raced."""
    return _account_of("wallet", customer_id, currency)


def debt_id_of(customer_id: int, currency: str) -> int:
    """Return the id of the customer's debt account in that currency, opening it on first use. Safe when raced."""
    return _account_of("debt", customer_id, currency)


def _account_of(kind: str, customer_id: int, currency: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(FIND, [customer_id, currency, kind])
        if row := cursor.fetchone():
            return int(row[0])
        exponent_of(currency)
        cursor.execute(OPEN, [kind, customer_id, currency])
        cursor.execute(FIND, [customer_id, currency, kind])
        return int(cursor.fetchone()[0])
