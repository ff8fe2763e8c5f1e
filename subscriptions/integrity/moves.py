"""Statuses: each event follows on the one before it, by a move that the rules have."""

from accounts.integrity import Check

# From each status to those it may move to, by the rules R3 to R5. An event may also leave it as it is.
MOVES = {
    "pending": ("trialing", "active", "cancelled"),
    "trialing": ("active", "suspended", "cancelled"),
    "active": ("past_due", "suspended", "paused", "cancelled", "expired"),
    "past_due": ("active", "suspended", "cancelled"),
    "suspended": ("active", "cancelled"),
    "paused": ("active", "suspended", "cancelled"),
}
_PAIRS = ", ".join(f"('{origin}', '{target}')" for origin, targets in MOVES.items() for target in targets)

# Every event of a subscription with the status it left, the one it came to, and those of its neighbours.
EVENTS = """
    SELECT row.id AS subscription_id, event.id, event.effective_at,
           event.data ->> 'from' AS origin, event.data ->> 'to' AS target,
           lag(event.data ->> 'to') OVER line AS previous, lag(event.effective_at) OVER line AS previous_at,
           lead(event.id) OVER line IS NULL AS is_last
      FROM accounts_event AS event JOIN subscriptions_subscription AS row ON row.public_id = event.subject
     WHERE event.type LIKE 'subscription.%'
    WINDOW line AS (PARTITION BY row.id ORDER BY event.id)
"""

CHECKS = (
    Check(
        "statuses_moved_along_the_table",
        "Each event of a subscription begins at the status and the instant that the last one left, and its move is "
        "one that the rules have.",
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
        "A subscription has the status to which its last event moved it.",
        f"""
        SELECT row.id AS subscription, row.status, event.target AS by_events
          FROM subscriptions_subscription AS row
          LEFT JOIN ({EVENTS}) AS event ON event.subscription_id = row.id AND event.is_last
         WHERE row.status <> coalesce(event.target, 'pending')
        """,  # noqa: S608
    ),
)
