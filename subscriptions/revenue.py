"""Revenue recognised by day: what was earned by serving, not what was charged.

- Plans (advance prices): the worth of a period is earned evenly over its time, microsecond by microsecond. A charge
  earns for the time that it really covers, up to `ended_at` if it ended early. So a month paid on 20 January is earned
  partly in January and partly in February, and unused time that was given back or moved by a pause is not earned.
- What was paid and is neither earned nor given back when a subscription ends (a cancellation without a refund, the last
  unit of a rounding) is earned on the day on which it ends. Over its life a subscription earns what it was charged.
- Usage (metered prices): a charge is earned evenly over its slice. Use that has not been charged yet is not counted.
- Days of grace are charged when the grace ends, and earned on the days that were served. What became a debt is earned.

Amounts are numeric parts of a minor unit, rounded to six decimals for each day; they are rounded only when shown.
A day is one in UTC.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

# Each charge is cut into the part of its first day, that of its last day, and whole days between: a rate that begins
# after the first day and ends with the last. So a year's charge is four rows, not 366.
BY_DAY = """
    WITH earning AS (
        SELECT price.currency, price.metered, greatest(charge.period_start, %(since)s) AS start,
               least(CASE WHEN price.metered THEN charge.period_end
                          ELSE coalesce(charge.ended_at, charge.period_end) END, %(until)s) AS finish,
               CASE WHEN price.metered
                    THEN charge.amount / (extract(epoch FROM charge.period_end - charge.period_start) * 1000000)
                    ELSE price.amount::numeric * charge.quantity * held.periods / nullif(charge.full_length, 0)
               END AS rate
          FROM subscriptions_charge AS charge
          JOIN subscriptions_price AS price ON price.id = charge.price_id
          JOIN subscriptions_subscription AS held ON held.id = charge.subscription_id
         WHERE charge.period_end > %(since)s AND charge.period_start < %(until)s
    ), span AS (
        SELECT *, (start AT TIME ZONE 'UTC')::date AS first, (finish AT TIME ZONE 'UTC')::date AS last
          FROM earning WHERE finish > start AND rate > 0
    ), part AS (
        SELECT currency, metered, first AS day,
               rate * extract(epoch FROM least(finish, (first + 1)::timestamp AT TIME ZONE 'UTC') - start) * 1000000
                   AS earned, 0::numeric AS step
          FROM span
         UNION ALL
        SELECT currency, metered, last,
               rate * extract(epoch FROM finish - last::timestamp AT TIME ZONE 'UTC') * 1000000, -rate
          FROM span WHERE last > first
         UNION ALL
        SELECT currency, metered, first + 1, 0, rate FROM span WHERE last > first
    ), left_over AS (
        SELECT price.currency, (held.ended_at AT TIME ZONE 'UTC')::date AS day,
               sum(charge.amount - coalesce(back.amount, 0) - round(
                   price.amount::numeric * charge.quantity * held.periods / nullif(charge.full_length, 0)
                   * extract(epoch FROM coalesce(charge.ended_at, charge.period_end) - charge.period_start) * 1000000,
                   6)) AS earned
          FROM subscriptions_subscription AS held
          JOIN subscriptions_charge AS charge ON charge.subscription_id = held.id
          JOIN subscriptions_price AS price ON price.id = charge.price_id
          LEFT JOIN ledger_transaction AS back ON back.id = charge.refund_id
         WHERE NOT price.metered AND held.ended_at >= %(since)s AND held.ended_at < %(until)s
         GROUP BY 1, 2
    ), by_day AS (
        SELECT currency, metered, day, sum(earned) AS earned, sum(step) AS step FROM part GROUP BY 1, 2, 3
    ), kind AS (
        SELECT DISTINCT currency, metered FROM by_day
    ), every_day AS (
        SELECT currency, metered, day, coalesce(earned, 0) + 86400000000 * coalesce(
                   sum(step) OVER (PARTITION BY currency, metered ORDER BY day), 0) AS earned
          FROM kind
         CROSS JOIN generate_series((%(since)s AT TIME ZONE 'UTC')::date::timestamp,
                                    (%(until)s AT TIME ZONE 'UTC')::date::timestamp, '1 day') AS calendar (moment)
         CROSS JOIN LATERAL (SELECT moment::date AS day) AS each
          LEFT JOIN by_day USING (currency, metered, day)
    ), total AS (
        SELECT currency, day, CASE WHEN metered THEN 0 ELSE earned END AS plans,
               CASE WHEN metered THEN earned ELSE 0 END AS usage FROM every_day
         UNION ALL
        SELECT currency, day, earned, 0 FROM left_over
    )
    SELECT day, currency, round(sum(plans), 6), round(sum(usage), 6) FROM total
     GROUP BY 1, 2 HAVING sum(abs(plans)) + sum(usage) > 0.0000005
"""


class Revenue(NamedTuple):
    """What was earned on one day in one currency, in minor units with six decimals."""

    day: date
    currency: str
    plans: Decimal
    usage: Decimal


def by_day(*, since: datetime, until: datetime) -> list[Revenue]:
    """Return what was earned from `since`, a midnight in UTC, up to `until`; days without revenue are left out."""
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, {"since": since, "until": until})
        return [Revenue(*row) for row in cursor.fetchall()]
