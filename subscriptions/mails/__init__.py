"""The mails about subscriptions and the balance. events.mails sends them.

Those that ask for money ahead, and that of a cancellation, are listed by payments.mails: it knows whether money is
charged by itself, and whether it goes back to the card.
"""

from subscriptions.mails import balance, changes, endings, extensions, renewals, suspensions

KINDS = (
    renewals.RENEWED,
    suspensions.OVERDUE,
    suspensions.SUSPENDED,
    suspensions.RESUMED,
    changes.PLAN_CHANGED,
    extensions.EXTENDED,
    endings.ENDED,
    endings.ORDER_GIVEN_UP,
    balance.DEBT,
)
