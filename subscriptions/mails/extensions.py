"""The mail about days that the seller gives for free: what ends later, and when the next payment is."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core.letters import Notice
from events.mails.kinds import Kind
from events.models import Event
from ledger import display
from subscriptions import overview
from subscriptions.mails import subjects
from subscriptions.overview import SubscriptionState

EVENT = "subscription.extended"


def extended(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return the new end; None if it is not the end any more."""
    event = events[-1]
    [row] = subjects.of([event])
    view = overview.of(recipient, now=now)
    [state] = view.states([row])
    end = _end(state)
    if end is None or end != datetime.fromisoformat(event.data["until"]):
        return None
    values = {"plan": subjects.name(state), "day": display.day(end), "moment": display.moment(end)}
    if state.grace_end:
        title, sentence = _("You have until %(day)s to pay for %(plan)s"), _("It keeps running until %(moment)s.")
    elif state.trial_end:
        title, sentence = _("Your free trial of %(plan)s now ends on %(day)s"), _("It ends on %(moment)s.")
    else:
        title, sentence = _("%(plan)s is paid until %(day)s now"), _("It ends on %(moment)s, unless it renews.")
    return Notice(
        title=title % values,
        sentences=[_("We gave you more time for free."), sentence % values],
        rows=[
            (values["plan"], subjects.priced(state.price, state.quantity, row.periods)),
            *([(_("Next charge"), _next(state))] if state.next_charge else []),
            *subjects.balances(view, {state.price.currency}),
        ],
        button=_("See the subscription"),
        url=subjects.page([row]),
        tone="ok",
    )


def _end(state: SubscriptionState) -> datetime | None:
    """Return the end of what was extended."""
    return state.trial_end or state.grace_end or (state.period.end if state.period else None)


def _next(state: SubscriptionState) -> str:
    assert state.next_charge is not None
    return f"{display.money(state.next_charge.amount)}, {display.day(state.next_charge.at)}"


EXTENDED = Kind(
    name="extended",
    title=gettext_lazy("More time for free"),
    category=MailCategory.CHANGES,
    events=(EVENT,),
    compose=extended,
    cause=lambda event: f"{event.subject} until {event.data['until']}",
)
