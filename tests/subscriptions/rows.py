"""Saved events and charges as tuples, for comparing. No test lives here."""

from accounts.models import User
from events.models import Event
from subscriptions.models import Charge, Subscription


def events(user: User) -> list[tuple]:
    rows = Event.objects.filter(customer=user).order_by("id")
    return [(row.type.removeprefix("subscription."), row.effective_at, row.data.get("to")) for row in rows]


def charges(subscription: Subscription) -> list[tuple]:
    rows = Charge.objects.filter(subscription=subscription).order_by("period_start", "id")
    return [(row.period_start, row.ended_at or row.period_end, row.amount) for row in rows]
