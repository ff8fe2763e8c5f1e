"""Arithmetic: each charge worked out again from its price, and no fraction of it lost."""

from accounts.integrity import Check
from subscriptions.engine.leftover import PARTS

# As subscriptions.engine.calendar.LENGTHS: microseconds of the intervals that a metered price may have.
LENGTH = """(price.interval_count * CASE price.interval WHEN 'second' THEN 1000000 WHEN 'minute' THEN 60000000
    WHEN 'hour' THEN 3600000000 WHEN 'day' THEN 86400000000 WHEN 'week' THEN 604800000000 END)::numeric"""

CHECKS = (
    Check(
        "charges_follow_from_their_price",
        "Each charge worked out again from its price, span and fraction carried in gives its amount and the fraction "
        "carried out.",
        f"""
        SELECT charge.id AS charge, charge.amount, charge.remainder_before, charge.remainder_after
          FROM subscriptions_charge AS charge
          JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
          LEFT JOIN subscriptions_price AS price ON price.id = charge.price_id
         WHERE CASE
               WHEN price.metered THEN
                    (price.amount::numeric * row.quantity
                     * (extract(epoch FROM charge.period_end - charge.period_start) * 1000000)
                     + charge.remainder_before = charge.amount * {LENGTH} + charge.remainder_after
                     AND charge.remainder_before >= 0 AND charge.remainder_after >= 0
                     AND charge.remainder_after < {LENGTH}) IS NOT TRUE
               ELSE charge.amount NOT IN (0, price.amount::numeric * row.quantity * row.periods)
                    OR price.id IS NULL
               END
        """,  # noqa: S608
    ),
    Check(
        "fractions_are_carried_on",
        "A metered charge begins with the fraction that the one before it left, unless the rate changed in between or "
        "the subscription started anew.",
        """
        SELECT subscription_id AS subscription, id AS charge, carried, remainder_before
          FROM (SELECT id, subscription_id, price_id, period_start, remainder_before,
                       lag(remainder_after) OVER line AS carried, lag(price_id) OVER line AS previous_price,
                       lag(period_end) OVER line AS previous_end
                  FROM subscriptions_charge WHERE void_as = 0
                WINDOW line AS (PARTITION BY subscription_id ORDER BY id)) AS slice
         WHERE previous_price = price_id AND carried <> remainder_before
           AND NOT EXISTS (
               SELECT FROM subscriptions_subscription AS row
                 JOIN accounts_event AS event ON event.subject = row.public_id
                WHERE row.id = slice.subscription_id
                  AND event.type IN ('subscription.plan_changed', 'subscription.activated', 'subscription.resumed')
                  AND event.effective_at BETWEEN slice.previous_end AND slice.period_start)
        """,
    ),
    # A fraction is cut to what a microsecond of another rate can hold, which is a millionth of a unit at the most.
    Check(
        "use_is_charged_or_carried",
        "What the metered use of a wallet comes to was charged, but for the fractions that are still carried on.",
        f"""
        SELECT used.wallet_id AS wallet, used.amount - used.charged - coalesce(held.amount, 0) AS lost
          FROM (SELECT row.wallet_id, count(*) AS slices, sum(charge.amount) AS charged,
                       sum(price.amount::numeric * row.quantity
                           * (extract(epoch FROM charge.period_end - charge.period_start) * 1000000)
                           / {LENGTH}) AS amount
                  FROM subscriptions_charge AS charge
                  JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
                  JOIN subscriptions_price AS price ON price.id = charge.price_id AND price.metered
                 GROUP BY row.wallet_id) AS used
          LEFT JOIN (SELECT wallet_id, sum(amount) AS amount
                       FROM (SELECT row.wallet_id, row.remainder / {LENGTH} AS amount
                               FROM subscriptions_subscription AS row
                               JOIN subscriptions_price AS price ON price.id = row.price_id AND price.metered
                              UNION ALL SELECT wallet_id, leftover / {PARTS}::numeric FROM subscriptions_book) AS part
                      GROUP BY wallet_id) AS held ON held.wallet_id = used.wallet_id
         WHERE used.amount - used.charged - coalesce(held.amount, 0)
               NOT BETWEEN -0.000001 AND 0.000001 * (used.slices + 1)
        """,  # noqa: S608
    ),
)
