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
from payments.collection import consents, top_ups
from payments.collection.consents import Purpose
from subscriptions.forecast import Ending
from subscriptions.mails import balance, renewals, trials


def renewal_ahead(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return what renews when, for how much, and how it is paid."""
    return renewals.ahead(events, recipient, now, method=_method(recipient, now))


def trial_ends(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return when a trial ends, what is charged then, and how it is paid."""
    return trials.ending(events, recipient, now, method=_method(recipient, now))


def low_balance(events: Sequence[Event], recipient: User, now: datetime) -> dict[str, Any] | None:
    """Return what runs out and when; None if automatic payments or top-ups prevent it."""
    if _is_topped_up(recipient, events[-1].subject, now):
        return None
    pays_renewals = bool(_method(recipient, now))

    def is_covered(end: Ending) -> bool:
        return pays_renewals and not end.price.metered

    return balance.low_balance(events, recipient, now, is_covered=is_covered)


def _method(customer: User, now: datetime) -> str:
    """Return the saved method that is charged for renewals, as its customer knows it; empty if there is none."""
    consent = consents.in_force(customer.pk, Purpose.RENEWALS)
    if consent is None or not consent.method.is_default or consents.obstacle(consent.method, now=now):
        return ""
    return str(consent.method)


def _is_topped_up(customer: User, currency: str, now: datetime) -> bool:
    """Return whether a rule tops up this balance, and its monthly limit does not stand in the way."""
    rule = top_ups.rule_of(customer.pk, currency)
    if rule is None or consents.obstacle(rule.consent.method, now=now):
        return False
    return rule.capped_at is None or top_ups.next_month(rule.capped_at) <= now


RENEWAL_AHEAD = replace(renewals.AHEAD, compose=renewal_ahead)
TRIAL_ENDS = replace(trials.TRIAL_ENDS, compose=trial_ends)
LOW_BALANCE = replace(balance.LOW_BALANCE, compose=low_balance)
