"""The reminders that ask for money ahead, for customers who may have agreed that a saved method is charged.

Their words are in subscriptions.mails, which knows no payment methods. Who pays automatically is not asked to top up.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from accounts.models import User
from core.letters import Notice
from events.models import Event
from payments.collection import coverage
from subscriptions.forecast import Ending
from subscriptions.mails import balance, renewals, subjects, trials


def renewal_ahead(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return what renews when, for how much, and how it is paid."""
    return renewals.ahead(events, recipient, now, method=_method(events[-1], recipient, now))


def trial_ends(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return when a trial ends, what is charged then, and how it is paid."""
    return trials.ending(events, recipient, now, method=_method(events[-1], recipient, now))


def low_balance(events: Sequence[Event], recipient: User, now: datetime) -> dict[str, Any] | None:
    """Return what runs out and when; None if automatic payments or top-ups prevent it."""
    currency = events[-1].subject
    covered = coverage.of(recipient.pk)
    if covered.top_up_method(currency, now=now):
        return None
    pays_renewals = covered.renewal_method(currency, now=now) is not None

    def is_covered(end: Ending) -> bool:
        return pays_renewals and not end.price.metered

    return balance.low_balance(events, recipient, now, is_covered=is_covered)


def _method(event: Event, customer: User, now: datetime) -> str:
    """Return the saved method that is charged for this renewal, as its customer knows it; empty if there is none."""
    [row] = subjects.of([event])
    return str(coverage.of(customer.pk).renewal_method(row.price.currency, now=now) or "")


RENEWAL_AHEAD = replace(renewals.AHEAD, compose=renewal_ahead)
TRIAL_ENDS = replace(trials.TRIAL_ENDS, compose=trial_ends)
LOW_BALANCE = replace(balance.LOW_BALANCE, compose=low_balance)
