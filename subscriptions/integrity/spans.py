"""Time: the charges of a subscription cover just what it was active for, by the event log."""

from accounts.integrity import Check
from subscriptions.integrity.moves import EVENTS

# The spans that must be paid for: those in which a subscription was active, and the grace that was paid for in the
# end. The one that is still open ends where it is paid for or billed up to.
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

SPANS = """
    SELECT id, subscription_id, period_start AS start, coalesce(ended_at, period_end) AS stop FROM subscriptions_charge
     WHERE void_as = 0
"""

# How long charges and use are together, in a join of the two.
SHARED = "coalesce(sum(least(span.stop, used.stop) - greatest(span.start, used.start)), '0')"

CHECKS = (
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
        "Every instant at which a subscription was active stands in a charge.",
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
    # With the two before it: nothing twice, nothing left out, and not more in all, so nothing outside either.
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
