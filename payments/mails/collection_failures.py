"""The mails about automatic payments that bring no money any more: a method cannot be charged, or we give up."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from core.letters import Notice
from events.mails.kinds import Kind
from events.models import Event
from ledger import display
from payments import failures
from payments.collection import consents
from payments.collection.consents import Purpose
from payments.models import Payment
from subscriptions import overview
from subscriptions.mails import subjects
from subscriptions.models import Subscription
from subscriptions.overview import CustomerOverview, SubscriptionState

Status = Subscription.Status
RENEWAL = "renewal"


class Unpaid(NamedTuple):
    """What a collection is for and what still lacks money: the books now, and the states when the money is needed."""

    view: CustomerOverview
    states: list[SubscriptionState]
    due_at: datetime
    is_ahead: bool


def of_renewals(events: Sequence[Event]) -> list[Event]:
    """Leave out automatic top-ups: the mail about their rule tells of them."""
    return [event for event in events if event.data["kind"] == RENEWAL]


def with_another_try(events: Sequence[Event]) -> list[Event]:
    """Leave out the last one as well: the mail that nothing more is tried tells of it."""
    return [event for event in of_renewals(events) if event.data["next_at"]]


def given_up(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return that nothing more is tried, what becomes of the plan and how to go on; None if it is paid or has ended."""
    event = events[-1]
    unpaid = _unpaid(event, recipient, now)
    if not unpaid.states or not recipient.is_active:
        return None
    count, plan = len(unpaid.states), subjects.name(unpaid.states[0])
    many = ngettext(
        "Automatic payment failed: %(count)d subscription is not paid",
        "Automatic payment failed: %(count)d subscriptions are not paid",
        count,
    )
    title = _("Automatic payment failed: %(plan)s is not paid") if count == 1 else many
    return Notice(
        title=title % {"plan": plan, "count": count},
        sentences=[*_attempt(event), *_outlook(unpaid)],
        rows=_rows(unpaid),
        button=_("Pay now"),
        url=subjects.top_up(unpaid.states[0].price.currency) if unpaid.is_ahead else subjects.pay(unpaid.states),
        note=_("To have it paid automatically again, choose a payment method and agree once more:"),
        link=(_("Automatic payments"), links.absolute("automatic_payments")),
        tone="bad",
        tag=_("Not paid"),
    )


def not_tried(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return that the method could not be charged; None if it is paid meanwhile, or if another method is charged."""
    event = events[-1]
    unpaid = _unpaid(event, recipient, now)
    consent = consents.in_force(recipient.pk, Purpose.RENEWALS)
    next_at = parse_datetime(event.data["next_at"])
    if not unpaid.states or consent is None or not consents.obstacle(consent.method, now=now):
        return None
    values = {"method": str(consent.method), "plan": subjects.name(unpaid.states[0])}
    sentences = [_("An automatic payment is due, and this payment method cannot be charged any more.")]
    if next_at is not None and next_at > now:
        sentences.append(_("We remind you again on %(day)s, unless you pay before.") % {"day": display.day(next_at)})
    return Notice(
        title=_("We cannot charge %(method)s for %(plan)s") % values,
        sentences=[*sentences, *_outlook(unpaid)],
        rows=_rows(unpaid),
        button=_("Choose another method"),
        url=links.absolute("automatic_payments"),
        note=_("Or pay by hand:"),
        link=(
            _("Pay now"),
            subjects.top_up(unpaid.states[0].price.currency) if unpaid.is_ahead else subjects.pay(unpaid.states),
        ),
        tone="bad",
        tag=_("Not paid"),
    )


def _unpaid(event: Event, recipient: User, now: datetime) -> Unpaid:
    """Return what of the collection lacks money, at the instant when the money is needed, or now if that is over."""
    due_at = parse_datetime(event.data["due_at"])
    assert due_at is not None
    view = overview.of(recipient, now=now)
    at = max(now, due_at)
    later = CustomerOverview(recipient, [overview.view(each.currency, each.book, at) for each in view.views])
    states = later.states(subjects.find(event.data["subscriptions"]))
    lacking = [state for state in states if state.status in (Status.PAST_DUE, Status.SUSPENDED)]
    return Unpaid(view, lacking, at, is_ahead=due_at > now)


def _attempt(event: Event) -> list[str]:
    """Return what was tried for the last time, and why it failed if the gateway has said so."""
    payment = Payment.objects.filter(public_id=event.data["payment"]).first() if event.data["payment"] else None
    if payment is None:
        return [_("Your payment method could not be charged, and we will not try again.")]
    failure = failures.failure_of(payment)
    tried = _("The last try to charge %(method)s failed as well. We will not try again.") % event.data
    return [tried, *([str(failure.detail)] if failure else [])]


def _outlook(unpaid: Unpaid) -> list[str]:
    """Return what happens if no money comes."""
    if len(unpaid.states) > 1:
        return [
            _("Pay before then and nothing stops.")
            if unpaid.is_ahead
            else _("Pay, and what has stopped continues at once.")
        ]
    [state] = unpaid.states
    values = {
        "plan": subjects.name(state), "moment": display.moment(state.grace_end or unpaid.due_at),
        "day": display.day(state.wait_end or unpaid.due_at),
    }  # fmt: skip
    if state.status == Status.PAST_DUE:
        return [
            _("You can use %(plan)s until %(moment)s. These days are charged.") % values,
            _("Pay before then and nothing stops."),
        ]
    if unpaid.is_ahead:
        return [_("%(plan)s runs until %(moment)s.") % values, _("Pay before then and nothing stops.")]
    return [
        _("%(plan)s is suspended.") % values,
        _("Top up and it continues at once. We keep it until %(day)s.") % values,
    ]


def _rows(unpaid: Unpaid) -> list[tuple[str, str]]:
    """Return the price, what is to pay and the balance; of several subscriptions how long each can be used."""
    if len(unpaid.states) == 1:
        return subjects.prices_and_balances(unpaid.view, unpaid.view.states([unpaid.states[0].row]))
    lines = [(subjects.name(state), _until(state, unpaid)) for state in unpaid.states]
    currencies = {state.price.currency for state in unpaid.states}
    return [*subjects.shortened(lines), *subjects.balances(unpaid.view, currencies)]


def _until(state: SubscriptionState, unpaid: Unpaid) -> str:
    if state.status == Status.SUSPENDED and not unpaid.is_ahead:
        return _("Suspended")
    return _("runs until %(day)s") % {"day": display.day(state.grace_end or unpaid.due_at)}


GIVEN_UP = Kind(
    name="automatic_given_up",
    title=gettext_lazy("Automatic payment given up"),
    category=MailCategory.MONEY,
    events=("collection.given_up",),
    compose=given_up,
    choose=of_renewals,
)
NOT_TRIED = Kind(
    name="automatic_not_tried",
    title=gettext_lazy("Automatic payment not possible"),
    category=MailCategory.MONEY,
    events=("collection.not_tried",),
    compose=not_tried,
    choose=with_another_try,
)
