"""The mail about a change of plan or quantity: done now, or scheduled for the period's end."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core.letters import Notice
from events.mails.kinds import Kind
from events.models import Event
from ledger import display
from ledger.money import Money
from subscriptions import overview
from subscriptions.mails import subjects
from subscriptions.models import Charge, Subscription
from subscriptions.models.subscription import LIVE
from subscriptions.overview import CustomerOverview, SubscriptionState

SCHEDULED = ("subscription.plan_change_scheduled", "subscription.quantity_change_scheduled")
CHANGED = ("subscription.plan_changed", "subscription.quantity_changed")


def act(event: Event) -> str:
    """Return the subscription and the transaction: a new plan and a new quantity of one act are one mail."""
    when = "scheduled" if event.type in SCHEDULED else "changed"
    return f"{when} {event.subject} {event.transaction_number}"


def plan_changed(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return the new plan, from when it counts and what it cost; None if it does not count any more."""
    event = events[-1]
    [row] = subjects.of([event])
    view = overview.of(recipient, now=now)
    [state] = view.states([row])
    if state.status not in LIVE:
        return None
    return _scheduled(state, view) if event.type in SCHEDULED else _changed(event, state, view)


def _scheduled(state: SubscriptionState, view: CustomerOverview) -> Notice | None:
    if state.period is None or (state.scheduled is None and state.scheduled_quantity is None):
        return None
    price, quantity = state.scheduled or state.price, state.scheduled_quantity or state.quantity
    values = {
        "old": subjects.name(state), "new": subjects.named(price.plan.title, quantity),
        "day": display.day(state.period.end),
    }  # fmt: skip
    return Notice(
        title=_("%(old)s changes to %(new)s on %(day)s") % values,
        sentences=[_("Until then everything stays as it is."), _("You can still undo the change.")],
        button=_("See the subscription"),
        url=subjects.page([state.row]),
        rows=[
            (_("Now"), f"{values['old']}, {subjects.priced(state.price, state.quantity, state.row.periods)}"),
            (_("From %(day)s") % values, f"{values['new']}, {subjects.priced(price, quantity, state.row.periods)}"),
            *subjects.balances(view, {price.currency}),
        ],
    )


def _changed(event: Event, state: SubscriptionState, view: CustomerOverview) -> Notice | None:
    """Return the change; None if a renewal at the same instant tells of the new quantity."""
    renewed = Event.objects.filter(subject=event.subject, type="subscription.renewed", effective_at=event.effective_at)
    if renewed.exists():
        return None
    charged, back = _moved(state.row, event.effective_at, state.price.currency)
    values = {"new": subjects.name(state), "when": display.moment(event.effective_at)}
    sentences = [_("The change took effect on %(when)s.") % values]
    return Notice(
        title=_("Your plan is now %(new)s") % values,
        sentences=sentences,
        button=_("See the subscription"),
        url=subjects.page([state.row]),
        rows=[
            (values["new"], subjects.priced(state.price, state.quantity, state.row.periods)),
            *([(_("Charged"), display.money(charged))] if charged.amount else []),
            *([(_("Refund for unused time"), display.money(back))] if back.amount else []),
            *([(_("Paid until"), display.day(state.period.end))] if state.period else []),
            *subjects.balances(view, {state.price.currency}),
        ],
        tone="ok",
        tag=_("Changed"),
    )


def _moved(row: Subscription, at: datetime, currency: str) -> tuple[Money, Money]:
    """Return what was charged for periods and what came back for unused time at this instant."""
    charges = Charge.objects.filter(subscription=row, full_length__isnull=False).filter(
        Q(transaction__effective_at=at) | Q(refund__effective_at=at)
    )
    charged = back = 0
    for charge in charges.select_related("transaction", "refund"):
        if charge.transaction and charge.transaction.effective_at == at:
            charged += charge.amount
        if charge.refund and charge.refund.effective_at == at:
            back += charge.refund.amount
    return Money(charged, currency), Money(back, currency)


PLAN_CHANGED = Kind(
    name="plan_changed",
    title=gettext_lazy("Plan changed"),
    category=MailCategory.CHANGES,
    events=(*CHANGED, *SCHEDULED),
    compose=plan_changed,
    cause=act,
)
