"""Checks of the subscription tables: statuses, charged spans, money, arithmetic, and the guards themselves.

Each query returns one row for each error.
"""

from core.integrity import Check, guards
from subscriptions.engine.metering import PARTS
from subscriptions.models import Charge, Plan, Price, Subscription, Trial

# The allowed status changes by the rules R3 to R5. An event may also leave the status unchanged.
MOVES = {
    "pending": ("trialing", "active", "cancelled"),
    "trialing": ("active", "suspended", "cancelled"),
    "active": ("past_due", "suspended", "paused", "cancelled", "expired"),
    "past_due": ("active", "suspended", "cancelled"),
    "suspended": ("active", "cancelled"),
    "paused": ("active", "suspended", "cancelled"),
}
_PAIRS = ", ".join(f"('{origin}', '{target}')" for origin, targets in MOVES.items() for target in targets)

# Every subscription event: its status before and after, the status and instant of the previous event, and whether it is
# the last.
EVENTS = """
    SELECT row.id AS subscription_id, event.id, event.effective_at,
           event.data ->> 'from' AS origin, event.data ->> 'to' AS target,
           lag(event.data ->> 'to') OVER line AS previous, lag(event.effective_at) OVER line AS previous_at,
           lead(event.id) OVER line IS NULL AS is_last
      FROM events_event AS event JOIN subscriptions_subscription AS row ON row.public_id = event.subject
     WHERE event.type LIKE 'subscription.%'
    WINDOW line AS (PARTITION BY row.id ORDER BY event.id)
"""

STATUS_CHECKS = (
    Check(
        "statuses_moved_along_the_table",
        "Each subscription event begins with the status that the previous event ended with, is not earlier than it, "
        "and makes an allowed status change.",
        f"""
        SELECT subscription_id AS subscription, id AS event, previous, origin, target, effective_at
          FROM ({EVENTS}) AS event
         WHERE origin IS DISTINCT FROM coalesce(previous, 'pending')
            OR effective_at < previous_at
            OR (origin <> target AND (origin, target) NOT IN ({_PAIRS}))
        """,  # noqa: S608
    ),
    Check(
        "status_is_what_the_events_came_to",
        "The status of a subscription is the one that its last event set.",
        f"""
        SELECT row.id AS subscription, row.status, event.target AS by_events
          FROM subscriptions_subscription AS row
          LEFT JOIN ({EVENTS}) AS event ON event.subscription_id = row.id AND event.is_last
         WHERE row.status <> coalesce(event.target, 'pending')
        """,  # noqa: S608
    ),
)

# The spans that must be charged: those in which a subscription was active, and a grace that was paid in the end. An
# open span ends where the subscription is paid or billed up to.
USED = f"""
    SELECT subscription_id, start, stop
      FROM (SELECT move.subscription_id, move.target, lead(move.target) OVER line AS next_target,
                   move.effective_at AS start,
                   coalesce(lead(move.effective_at) OVER line, row.billed_until, row.next_period_end,
                            row.period_end) AS stop
              FROM ({EVENTS}) AS move JOIN subscriptions_subscription AS row ON row.id = move.subscription_id
             WHERE move.origin <> move.target
            WINDOW line AS (PARTITION BY move.subscription_id ORDER BY move.id)) AS span
     WHERE stop > start AND (target = 'active' OR (target = 'past_due' AND next_target = 'active'))
"""  # noqa: S608

# The spans that are charged.
SPANS = """
    SELECT id, subscription_id, period_start AS start, coalesce(ended_at, period_end) AS stop FROM subscriptions_charge
     WHERE void_as = 0
"""

# In a join of SPANS and USED: the time that both cover.
SHARED = "coalesce(sum(least(span.stop, used.stop) - greatest(span.start, used.start)), '0')"

SPAN_CHECKS = (
    Check(
        "no_second_is_charged_twice",
        "No two charges of a subscription cover the same instant.",
        f"""
        SELECT subscription_id AS subscription, id AS charge, start, covered_until
          FROM (SELECT *, max(stop) OVER (PARTITION BY subscription_id ORDER BY start, id
                                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
                  FROM ({SPANS}) AS span) AS span
         WHERE start < covered_until
        """,  # noqa: S608
    ),
    Check(
        "no_live_second_is_left_out",
        "Every instant at which a subscription was active is covered by a charge.",
        f"""
        SELECT used.subscription_id AS subscription, used.start, used.stop,
               used.stop - used.start - {SHARED} AS left_out
          FROM ({USED}) AS used
          LEFT JOIN ({SPANS}) AS span ON span.subscription_id = used.subscription_id
               AND span.start < used.stop AND span.stop > used.start
         GROUP BY used.subscription_id, used.start, used.stop
        HAVING used.stop - used.start > {SHARED}
        """,  # noqa: S608
    ),
    # Together with the two checks above: nothing twice, nothing left out and no more in total, so nothing outside.
    Check(
        "nothing_is_charged_while_not_live",
        "No subscription was charged for more time than it was active.",
        f"""
        SELECT charged.subscription_id AS subscription, charged.length AS charged, used.length AS used
          FROM (SELECT subscription_id, sum(stop - start) AS length FROM ({SPANS}) AS span GROUP BY 1) AS charged
          LEFT JOIN (SELECT subscription_id, sum(stop - start) AS length FROM ({USED}) AS span GROUP BY 1) AS used
            ON used.subscription_id = charged.subscription_id
         WHERE charged.length > coalesce(used.length, '0')
        """,  # noqa: S608
    ),
)

MONEY_CHECKS = (
    Check(
        "charges_equal_their_transactions",
        "Each charge has one transaction, of its amount and from the subscription's wallet, and there are no others.",
        """
        SELECT charge.id AS charge, charge.amount, transaction.id AS transaction, transaction.amount AS taken
          FROM subscriptions_charge AS charge
          JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
          FULL JOIN (SELECT id, amount, wallet_id, debit_id FROM ledger_transaction
                      WHERE reason = 'charge') AS transaction
            ON transaction.id = charge.transaction_id
         WHERE (transaction.id IS NOT NULL AND charge.id IS NULL)
            OR (charge.amount > 0 AND (charge.amount, row.wallet_id, row.wallet_id)
                IS DISTINCT FROM (transaction.amount, transaction.wallet_id, transaction.debit_id))
        """,
    ),
    Check(
        "unused_time_is_given_back_once",
        "Each refund of unused time belongs to one charge and goes to its wallet, and no subscription is refunded more "
        "than it paid.",
        """
        SELECT charge.id AS charge, transaction.id AS transaction, transaction.amount
          FROM subscriptions_charge AS charge
          JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
          FULL JOIN (SELECT id, amount, wallet_id, credit_id FROM ledger_transaction
                      WHERE reason = 'unused_refund') AS transaction
            ON transaction.id = charge.refund_id
         WHERE (transaction.id IS NOT NULL AND charge.id IS NULL)
            OR (charge.refund_id IS NOT NULL
                AND (row.wallet_id, row.wallet_id) IS DISTINCT FROM (transaction.wallet_id, transaction.credit_id))
         UNION ALL
        SELECT max(back.charge), max(back.id), back.amount
          FROM (SELECT charge.subscription_id, max(charge.id) AS charge, max(row.id) AS id, sum(row.amount) AS amount
                  FROM subscriptions_charge AS charge JOIN ledger_transaction AS row ON row.id = charge.refund_id
                 GROUP BY charge.subscription_id) AS back
          JOIN subscriptions_charge AS charge ON charge.subscription_id = back.subscription_id
         GROUP BY back.subscription_id, back.amount HAVING back.amount > sum(charge.amount)
        """,
    ),
)

# The length of a metered price's intervals in microseconds, as in subscriptions.engine.calendar.LENGTHS.
LENGTH = """(price.interval_count * CASE price.interval WHEN 'second' THEN 1000000 WHEN 'minute' THEN 60000000
    WHEN 'hour' THEN 3600000000 WHEN 'day' THEN 86400000000 WHEN 'week' THEN 604800000000 END)::numeric"""

ARITHMETIC_CHECKS = (
    Check(
        "charges_follow_from_their_price",
        "Each charge's amount and carried fraction follow from its price, its span and the fraction carried in.",
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
        "A metered charge begins with the fraction that the previous charge carried on, unless the rate changed or the "
        "subscription restarted in between.",
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
                 JOIN events_event AS event ON event.subject = row.public_id
                WHERE row.id = slice.subscription_id
                  AND event.type IN ('subscription.plan_changed', 'subscription.activated', 'subscription.resumed')
                  AND event.effective_at BETWEEN slice.previous_end AND slice.period_start)
        """,
    ),
    # A change of the rate rounds the carried fraction down by a millionth of a unit at most.
    Check(
        "use_is_charged_or_carried",
        "All metered use of a wallet was charged, except for the fractions that are still carried on.",
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
                              UNION ALL
                             SELECT wallet_id, leftover / {PARTS}::numeric FROM subscriptions_billingclock) AS part
                      GROUP BY wallet_id) AS held ON held.wallet_id = used.wallet_id
         WHERE used.amount - used.charged - coalesce(held.amount, 0)
               NOT BETWEEN -0.000001 AND 0.000001 * (used.slices + 1)
        """,  # noqa: S608
    ),
)

TRIGGERS = (
    "used_price_keeps_its_terms",
    "used_price_is_never_deleted",
    "prices_are_never_truncated",
    "subscription_keeps_what_was_bought",
    "final_subscription_stays_final",
    "subscription_is_never_deleted",
    "subscriptions_are_never_truncated",
    "subscription_fits_wallet_and_price",
    "subscription_fits_wallet_and_new_price",
    "charge_is_written_once",
    "charge_ends_and_is_refunded_once",
    "charge_is_never_deleted",
    "charges_are_never_truncated",
)

CHECKS = (
    *SPAN_CHECKS,
    *STATUS_CHECKS,
    *MONEY_CHECKS,
    *ARITHMETIC_CHECKS,
    guards("subscription_guards_are_there", (Plan, Price, Subscription, Charge, Trial), TRIGGERS),
)
