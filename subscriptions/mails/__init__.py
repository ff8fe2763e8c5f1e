"""The mails about subscriptions and the balance. events.mails sends them.

Those that ask for money ahead are listed by payments.mails, which knows whether it is charged by itself.
"""

from subscriptions.mails import balance, changes, endings, renewals, suspensions

KINDS = (
    renewals.RENEWED,
    suspensions.OVERDUE,
    suspensions.SUSPENDED,
    suspensions.RESUMED,
    changes.PLAN_CHANGED,
    endings.CANCELLED,
    endings.ENDED,
    endings.ORDER_GIVEN_UP,
    balance.DEBT,
)
