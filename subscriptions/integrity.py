"""Checks of the subscription tables: statuses, charged spans, money, arithmetic, and the guards themselves.

Each query returns one row for each error.
"""

from core.integrity import Check, guards
from subscriptions import reminders
from subscriptions.models import Charge, Plan, Price, Subscription, Trial

# The allowed status changes by the rules R3 to R5. An event may also leave the status unchanged.
MOVES = {
    "pending": ("trialing", "active", "cancelled", "expired"),
    "trialing": ("active", "suspended", "cancelled"),
    "active": ("past_due", "suspended", "paused", "cancelled", "expired"),
    "past_due": ("active", "suspended", "cancelled"),
    "suspended": ("active", "cancelled", "expired"),
    "paused": ("active", "suspended", "cancelled"),
}
_PAIRS = ", ".join(f"('{origin}', '{target}')" for origin, targets in MOVES.items() for target in targets)

# Every subscription event: its type, its status before and after, the status and instant of the previous event, and
# whether it is the last. Reminders are none: they say what is near, and change nothing.
EVENTS = f"""
    SELECT row.id AS subscription_id, event.id, event.type, event.effective_at,
           event.data ->> 'from' AS origin, event.data ->> 'to' AS target,
           lag(event.data ->> 'to') OVER line AS previous, lag(event.effective_at) OVER line AS previous_at,
           lead(event.id) OVER line IS NULL AS is_last
      FROM events_event AS event JOIN subscriptions_subscription AS row ON row.public_id = event.subject
     WHERE event.type LIKE 'subscription.%' AND event.type NOT IN ('{reminders.EVENT}', '{reminders.TRIAL_EVENT}')
    WINDOW line AS (PARTITION BY row.id ORDER BY event.id)
"""  # noqa: S608

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

# A period that was paid in advance and a trial run out, so only what began after the closing is wrong for them.
CLOSURE_CHECK = Check(
    "nothing_of_a_closed_account_is_used",
    "In a closed account no meter runs and no days of grace go on, and nothing was started or renewed since it was "
    "closed.",
    f"""
    WITH closed AS (
        SELECT id, (SELECT max(event.id) FROM events_event AS event
                     WHERE event.customer_id = customer.id AND event.type = 'customer.closed') AS closing
          FROM accounts_user AS customer WHERE NOT is_active)
    SELECT row.id AS subscription, row.status, NULL AS event
      FROM closed JOIN subscriptions_subscription AS row ON row.customer_id = closed.id
      JOIN subscriptions_price AS price ON price.id = row.price_id
     WHERE row.status = 'past_due' OR (row.status = 'active' AND price.metered)
     UNION ALL
    SELECT event.subscription_id, event.target, event.id
      FROM ({EVENTS}) AS event JOIN subscriptions_subscription AS row ON row.id = event.subscription_id
      JOIN closed ON closed.id = row.customer_id
     WHERE event.id > closed.closing AND event.target IN ('trialing', 'active', 'past_due')
       AND (event.origin <> event.target OR event.type = 'subscription.renewed')
    """,  # noqa: S608
)

# The spans that must be charged: those in which a subscription was active, and days of grace that are over. An
# open span ends where the subscription is paid or billed up to.
USED = f"""
    SELECT subscription_id, start, stop
      FROM (SELECT move.subscription_id, move.target, lead(move.target) OVER line AS next_target,
                   move.effective_at AS start,
                   coalesce(lead(move.effective_at) OVER line, row.billed_until, row.period_end) AS stop
              FROM ({EVENTS}) AS move JOIN subscriptions_subscription AS row ON row.id = move.subscription_id
             WHERE move.origin <> move.target
            WINDOW line AS (PARTITION BY move.subscription_id ORDER BY move.id)) AS span
     WHERE stop > start AND (target = 'active' OR (target = 'past_due' AND next_target IS NOT NULL))
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
        "Every instant at which a subscription was active or in its days of grace is covered by a charge.",
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
        "no_period_begins_in_the_future",
        "No charge begins later than its book is settled.",
        """
        SELECT charge.id AS charge, charge.period_start, clock.settled_at FROM subscriptions_charge AS charge
          JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
          JOIN subscriptions_billingclock AS clock ON clock.wallet_id = row.wallet_id
         WHERE charge.period_start > clock.settled_at
        """,
    ),
    Check(
        "wallet_or_debt_is_empty",
        "A customer with money in a currency has no debt in it.",
        """
        SELECT wallet.owner_id AS customer, wallet.currency, wallet.balance, debt.balance AS debt
          FROM ledger_account AS wallet JOIN ledger_account AS debt USING (owner_id, currency)
         WHERE wallet.kind = 'wallet' AND debt.kind = 'debt' AND wallet.balance > 0 AND debt.balance < 0
        """,
    ),
    Check(
        "charges_equal_their_transactions",
        "Each charge is what its transactions take: from the subscription's wallet, and for days of grace from the "
        "customer's debt. There are no others.",
        """
        SELECT charge.id AS charge, charge.amount, paid.id AS transaction, paid.amount AS taken, owed.amount AS owed
          FROM subscriptions_charge AS charge
          JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
          LEFT JOIN ledger_transaction AS paid ON paid.id = charge.transaction_id
          LEFT JOIN ledger_transaction AS owed ON owed.id = charge.debt_transaction_id
          LEFT JOIN ledger_account AS debt ON debt.id = owed.debit_id
         WHERE charge.amount <> coalesce(paid.amount, 0) + coalesce(owed.amount, 0)
            OR (paid.id IS NOT NULL AND ('charge', row.wallet_id, row.wallet_id)
                IS DISTINCT FROM (paid.reason, paid.wallet_id, paid.debit_id))
            OR (owed.id IS NOT NULL AND ('charge', 'debt', row.customer_id)
                IS DISTINCT FROM (owed.reason, debt.kind, debt.owner_id))
            OR (charge.transaction_id IS NOT NULL AND paid.id IS NULL)
            OR (charge.debt_transaction_id IS NOT NULL AND owed.id IS NULL)
         UNION ALL
        SELECT NULL, NULL, row.id, row.amount, NULL FROM ledger_transaction AS row
         WHERE row.reason = 'charge'
           AND NOT EXISTS (SELECT FROM subscriptions_charge WHERE transaction_id = row.id)
           AND NOT EXISTS (SELECT FROM subscriptions_charge WHERE debt_transaction_id = row.id)
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
        "A charge of metered use follows from its price, its span and the credit before it; one paid in advance is the "
        "price of a whole period, or not more than that for a part of it.",
        f"""
        SELECT charge.id AS charge, charge.amount, charge.credit_before, charge.credit_after
          FROM subscriptions_charge AS charge
          JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
          LEFT JOIN subscriptions_price AS price ON price.id = charge.price_id
         WHERE CASE
               WHEN price.metered THEN
                    (charge.credit_before + charge.amount * {LENGTH}
                     = price.amount::numeric * charge.quantity
                     * (extract(epoch FROM charge.period_end - charge.period_start) * 1000000) + charge.credit_after
                     AND charge.credit_before >= 0 AND charge.credit_after >= 0
                     AND (charge.amount = 0 OR charge.credit_after < {LENGTH})) IS NOT TRUE
               ELSE price.id IS NULL
                    OR (charge.period_end - charge.period_start = charge.full_length * interval '1 microsecond'
                        AND charge.amount NOT IN (0, price.amount::numeric * charge.quantity * row.periods)
                        -- A quantity raised at the very start of a period: the difference to a charge that is void.
                        AND NOT EXISTS (SELECT FROM subscriptions_charge AS void
                                         WHERE void.subscription_id = row.id AND void.void_as <> 0
                                           AND void.period_start = charge.period_start))
                    OR charge.amount > price.amount::numeric * charge.quantity * row.periods
               END
        """,  # noqa: S608
    ),
    Check(
        "credit_is_carried_on",
        "A metered charge begins with the credit that the previous charge left, unless the rate changed in between.",
        """
        SELECT subscription_id AS subscription, id AS charge, carried, credit_before
          FROM (SELECT id, subscription_id, price_id, credit_before,
                       period_start, lag(period_end) OVER line AS previous_end,
                       lag(credit_after) OVER line AS carried, lag(price_id) OVER line AS previous_price
                  FROM subscriptions_charge
                WINDOW line AS (PARTITION BY subscription_id ORDER BY id)) AS slice
         WHERE previous_price = price_id AND carried <> credit_before
           -- A rate that changed and changed back without a slice in between rounds the credit down.
           AND NOT EXISTS (SELECT FROM subscriptions_subscription AS row
                             JOIN events_event AS event ON event.subject = row.public_id
                            WHERE row.id = slice.subscription_id AND event.type = 'subscription.plan_changed'
                              AND event.effective_at BETWEEN slice.previous_end AND slice.period_start)
        """,
    ),
    # A change of the rate rounds the credit down by a millionth of a unit at most.
    Check(
        "metered_use_was_paid_before",
        "What a wallet was charged for metered use is never less than what was used.",
        f"""
        SELECT used.wallet_id AS wallet, used.charged - used.amount AS paid_ahead
          FROM (SELECT row.wallet_id, sum(charge.amount) AS charged,
                       sum(price.amount::numeric * charge.quantity
                           * (extract(epoch FROM charge.period_end - charge.period_start) * 1000000)
                           / {LENGTH}) AS amount
                  FROM subscriptions_charge AS charge
                  JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
                  JOIN subscriptions_price AS price ON price.id = charge.price_id AND price.metered
                 GROUP BY row.wallet_id) AS used
         WHERE used.charged < used.amount - 0.000001
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
    CLOSURE_CHECK,
    *MONEY_CHECKS,
    *ARITHMETIC_CHECKS,
    guards("subscription_guards_are_there", (Plan, Price, Subscription, Charge, Trial), TRIGGERS),
)
