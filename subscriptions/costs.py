"""What a customer spent lately: charges less refunds for unused time, by day and this month, for the account page."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

DAYS = 30

SPENT = """
    SELECT (entry.effective_at AT TIME ZONE %(zone)s)::date, entry.currency, coalesce(price.metered, false),
           sum(CASE entry.reason WHEN 'charge' THEN entry.amount ELSE -entry.amount END)::bigint
      FROM ledger_transaction AS entry
      LEFT JOIN subscriptions_charge AS charge ON charge.transaction_id = entry.id
      LEFT JOIN subscriptions_price AS price ON price.id = charge.price_id
     WHERE entry.wallet_id = ANY (%(wallets)s) AND entry.effective_at >= %(since)s
       AND entry.reason IN ('charge', 'unused_refund')
     GROUP BY 1, 2, 3
"""


class Spent(NamedTuple):
    """Minor units of one day: for plans paid in advance less what was refunded of them, and for metered use."""

    day: date
    plans: int
    use: int


class Costs(NamedTuple):
    """What was spent in one currency."""

    # The last 30 days, oldest first and today last.
    days: list[Spent]
    # Minor units of the calendar month so far.
    month: int


def by_currency(wallets: Sequence[int], *, now: datetime) -> dict[str, Costs]:
    """Return the costs in each currency in which something was spent in 30 days or this month.

    `wallets` are primary keys of accounts. A day and a month are of the active time zone.
    """
    today = timezone.localtime(now).date()
    first = today.replace(day=1)
    since = timezone.make_aware(datetime.combine(min(first, today - timedelta(days=DAYS - 1)), datetime.min.time()))
    found: dict[str, dict[date, list[int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(SPENT, {"zone": timezone.get_current_timezone_name(), "wallets": list(wallets), "since": since})
        for day, currency, is_metered, amount in cursor:
            found.setdefault(currency, {}).setdefault(day, [0, 0])[is_metered] = amount
    span = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    return {
        currency: Costs(
            [Spent(day, *days.get(day, (0, 0))) for day in span],
            sum(sum(amounts) for day, amounts in days.items() if day >= first),
        )
        for currency, days in sorted(found.items())
    }
