"""MRR, monthly recurring revenue, and its movements by day.

- The MRR of a subscription is its price times its quantity for a month: a year is 12 months, a month is 365/12 days.
  Rounded to a minor unit for each subscription. Only advance prices count; metered use is usage, not MRR.
- A subscription counts while a charge covers the time, so trials, pauses and suspensions count nothing. Days of grace
  count while it may still be paid, and so does a period that has ended and is not settled yet.
- A customer's MRR on a day is that of the day's last instant, in UTC. Compared with the day before, a customer is
  new (has MRR for the first time), reactivated (had it before, but not the day before), expanded, contracted or churned
  (has none any more). What goes up and down within one day is no movement.
- So for any span: MRR at its start + the sum of the movements = MRR at its end.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

MONTHLY = """round(price.amount::numeric * {quantity} / price.interval_count * CASE price.interval
    WHEN 'year' THEN 1 / 12.0 WHEN 'month' THEN 1 WHEN 'week' THEN 365 / 84.0 WHEN 'day' THEN 365 / 12.0
    ELSE 730 END)::bigint"""
# The spans of time that count, as a change on the day of each end. One that is still open has no end.
CHANGES = """
    WITH span AS (
        SELECT held.customer_id, price.currency, charge.period_start AS start,
               coalesce(charge.ended_at, charge.period_end) AS finish, {monthly_of_charge} AS mrr
          FROM subscriptions_subscription AS held
          JOIN subscriptions_charge AS charge ON charge.subscription_id = held.id
          JOIN subscriptions_price AS price ON price.id = charge.price_id
         WHERE NOT price.metered AND charge.void_as = 0 {only}
         UNION ALL
        SELECT held.customer_id, price.currency, held.period_end, 'infinity', {monthly_now}
          FROM subscriptions_subscription AS held JOIN subscriptions_price AS price ON price.id = held.price_id
         WHERE NOT price.metered AND held.status IN ('active', 'past_due') AND held.period_end < %(until)s {only}
    ), change AS (
        SELECT customer_id, currency, (at AT TIME ZONE 'UTC')::date AS day, sum(delta)::bigint AS delta
          FROM span CROSS JOIN LATERAL (VALUES (start, mrr), (finish, -mrr)) AS ends (at, delta)
         WHERE at < %(until)s GROUP BY 1, 2, 3 HAVING sum(delta) <> 0
    )"""
BY_DAY = """
    {changes}, moved AS (
        SELECT *, sum(delta) OVER customer AS after, row_number() OVER customer AS place FROM change
        WINDOW customer AS (PARTITION BY customer_id, currency ORDER BY day)
    )
    SELECT day, currency,
           coalesce(sum(delta) FILTER (WHERE place = 1), 0)::bigint,
           coalesce(sum(delta) FILTER (WHERE delta > 0 AND after > delta), 0)::bigint,
           coalesce(sum(delta) FILTER (WHERE delta < 0 AND after > 0), 0)::bigint,
           coalesce(sum(delta) FILTER (WHERE after = 0), 0)::bigint,
           coalesce(sum(delta) FILTER (WHERE after = delta AND place > 1), 0)::bigint,
           count(*) FILTER (WHERE after = delta), count(*) FILTER (WHERE after = 0)
      FROM moved WHERE day >= %(day)s GROUP BY 1, 2
"""
# Whose MRR may have moved since an instant. An event tells of each movement but a renewal, and none is dated ahead.
MOVED = """
    SELECT DISTINCT customer_id FROM events_event
     WHERE created_at >= %s AND type LIKE 'subscription.%%' AND type <> 'subscription.renewed'
"""
# From the state of the subscriptions alone, not from charges: the movements are checked against it. Many have the same
# price and quantity, so that they are counted before they are priced.
NOW = """
    SELECT price.currency, sum(held.number * {monthly_now})::bigint
      FROM (SELECT price_id, quantity, count(*) AS number FROM subscriptions_subscription
             WHERE status IN ('active', 'past_due') GROUP BY 1, 2) AS held
      JOIN subscriptions_price AS price ON price.id = held.price_id
     WHERE NOT price.metered AND price.amount > 0 GROUP BY 1
"""
WORDS = {
    "monthly_of_charge": MONTHLY.format(quantity="charge.quantity"),
    "monthly_now": MONTHLY.format(quantity="held.quantity"),
}


class Movements(NamedTuple):
    """What moved the MRR of one day in one currency, in minor units. Contraction and churn are zero or less.

    `gained` and `lost` are numbers of customers: those who have MRR again or for the first time, and those who churned.
    """

    day: date
    currency: str
    new: int
    expansion: int
    contraction: int
    churn: int
    reactivation: int
    gained: int
    lost: int


def by_day(*, since: datetime, until: datetime, only: Iterable[int] | None = None) -> list[Movements]:
    """Return the movements from `since`, a midnight in UTC, up to `until`, of all customers or `only` these."""
    chosen = "" if only is None else "AND held.customer_id = ANY(%(only)s)"
    values = {"day": since.date(), "until": until, "only": None if only is None else list(only)}
    return [Movements(*row) for row in _rows(BY_DAY.format(changes=CHANGES.format(only=chosen, **WORDS)), values)]


def moved(*, since: datetime) -> list[int]:
    """Return the primary keys of the customers whose MRR may have moved since `since`."""
    return [pk for (pk,) in _rows(MOVED, [since])]


def at_present() -> dict[str, int]:
    """Return the MRR in minor units by currency, as the subscriptions are now."""
    return dict(_rows(NOW.format(**WORDS), []))


def _rows(sql: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
