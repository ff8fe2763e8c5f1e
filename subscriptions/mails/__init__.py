"""The mails about subscriptions and the balance. events.mails sends them."""

from subscriptions.mails import balance, changes, endings, renewals, suspensions

KINDS = (
    renewals.AHEAD,
    renewals.RENEWED,
    balance.LOW_BALANCE,
    suspensions.OVERDUE,
    suspensions.SUSPENDED,
    suspensions.RESUMED,
    changes.PLAN_CHANGED,
    endings.CANCELLED,
    endings.ENDED,
    endings.ORDER_GIVEN_UP,
    balance.DEBT,
)
