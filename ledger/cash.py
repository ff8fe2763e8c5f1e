"""Cash and customers' balances by day, from the ledger.

- Cash in: what gateways have collected for us, payments and won disputes. It debits a gateway's clearing account.
- Cash out: what gateways have sent back, refunds and lost disputes. It credits a gateway's clearing account.
- Neither counts fees, nor payouts: those move our own money from the gateway to our bank.
- Wallets: by how much all balances of customers together rose. The sum up to a day is what we owed customers then.

A transaction belongs to the day of its `effective_at` in UTC, whenever it was written.
"""

from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

BY_DAY = """
    WITH clearing AS (
        SELECT id FROM ledger_account WHERE kind = 'gateway_clearing'
    ), ours AS (
        SELECT id FROM ledger_account WHERE kind IN ('gateway_clearing', 'bank', 'gateway_fees')
    )
    SELECT (effective_at AT TIME ZONE 'UTC')::date, currency,
           coalesce(sum(amount) FILTER (
               WHERE debit_id IN (SELECT id FROM clearing) AND credit_id NOT IN (SELECT id FROM ours)), 0)::bigint,
           coalesce(sum(amount) FILTER (
               WHERE credit_id IN (SELECT id FROM clearing) AND debit_id NOT IN (SELECT id FROM ours)), 0)::bigint,
           coalesce(sum(CASE wallet_id WHEN credit_id THEN amount WHEN debit_id THEN -amount END), 0)::bigint
      FROM ledger_transaction
     WHERE effective_at >= %s AND effective_at < %s
     GROUP BY 1, 2
"""


class Cash(NamedTuple):
    """Movements of one day in one currency, in minor units. `cash_in` and `cash_out` are zero or more."""

    day: date
    currency: str
    cash_in: int
    cash_out: int
    wallets: int


def by_day(*, since: datetime, until: datetime) -> list[Cash]:
    """Return the days from `since`, a midnight in UTC, up to `until`; days without a movement are left out."""
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, [since, until])
        return [Cash(*row) for row in cursor.fetchall()]
