"""The mails about subscriptions that end: cancelled, ended, or orders that were never paid."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from core.letters import Notice
from events.mails.kinds import Kind, each_instant
from events.models import Event
from ledger import display
from ledger.money import Money
from subscriptions import overview
from subscriptions.mails import subjects
from subscriptions.models import Charge, Subscription

REQUEST = "subscription.cancel_requested"
Status = Subscription.Status


def started(events: Sequence[Event]) -> list[Event]:
    """Return the events of what was not an order any more. Who drops an order on the page needs no mail."""
    return [event for event in events if event.data["from"] != Status.PENDING]


def cancelled(
    events: Sequence[Event], recipient: User, now: datetime, *, to_card: Money | None = None
) -> Notice | None:
    """Return until when a cancelled subscription can be used, or what came back of one that has ended.

    `to_card`: so much of it is refunded to the card; None for nothing.
    """
    event = events[-1]
    [row] = subjects.of([event])
    if event.type == REQUEST:
        return _requested(row, recipient, now)
    return _ended_now(event, row, recipient, now, to_card=to_card)


def _requested(row: Subscription, recipient: User, now: datetime) -> Notice | None:
    """Return until when it can be used; None if the customer keeps it after all, or if it has ended."""
    [state] = overview.of(recipient, now=now).states([row])
    ends = state.period.end if state.period else state.trial_end
    if not state.cancel_requested or ends is None:
        return None
    values = {"plan": subjects.name(state), "day": display.day(ends)}
    return Notice(
        title=_("%(plan)s is cancelled and ends on %(day)s") % values,
        sentences=[
            _("You can use %(plan)s until %(moment)s.") % (values | {"moment": display.moment(ends)}),
            _("It will not renew, and you will not be charged again."),
        ],
        button=_("Keep my plan"),
        url=subjects.page([row]),
    )


def _ended_now(
    event: Event, row: Subscription, recipient: User, now: datetime, *, to_card: Money | None
) -> Notice | None:
    """Return what came back; None if it ended on the day that the customer was told of."""
    if _was_told(event, row):
        return None
    view = overview.of(recipient, now=now)
    back = _given_back(row, event.effective_at)
    values = {"plan": subjects.name(row), "amount": display.money(back)}
    sentences = [_("It has ended, and you will not be charged again.")]
    if to_card is not None:
        values["card"] = display.money(to_card)
        sentences.append(_("We are refunding %(card)s for unused time to the card or account you paid from.") % values)
    elif back.amount:
        sentences.append(_("%(amount)s for unused time is back on your balance.") % values)
    return Notice(
        title=_("%(plan)s is cancelled") % values,
        sentences=sentences,
        button=_("See plans"),
        url=links.absolute("pricing"),
        rows=[
            (_("Ended"), display.moment(event.effective_at)),
            *([(_("Refund for unused time"), values["amount"])] if back.amount else []),
            *subjects.balances(view, {row.price.currency}),
        ],
    )


def _was_told(event: Event, row: Subscription) -> bool:
    """Return whether it ended as it was requested: with its period, or with its trial."""
    last = Event.objects.filter(
        subject=row.public_id, type__in=(REQUEST, "subscription.cancel_undone"), pk__lt=event.pk
    ).order_by("pk").last()  # fmt: skip
    is_requested = last is not None and last.type == REQUEST
    return is_requested and (row.period_end is None or event.effective_at >= row.period_end)


def _given_back(row: Subscription, at: datetime) -> Money:
    """Return what came back for unused time at this instant."""
    charges = Charge.objects.filter(subscription=row, refund__effective_at=at).select_related("refund")
    return Money(sum(charge.refund.amount for charge in charges if charge.refund), row.price.currency)


CANCELLED = Kind(
    name="cancelled",
    title=gettext_lazy("Cancelled"),
    category=MailCategory.CHANGES,
    events=(REQUEST, "subscription.cancelled"),
    compose=cancelled,
    choose=started,
)


def ended(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return what has ended because it was not paid, or because the customer did not want it to renew."""
    rows = subjects.of(events)
    view = overview.of(recipient, now=now)
    values = {"plan": subjects.name(rows[0]), "count": len(rows)}
    many = ngettext("%(count)d subscription has ended", "%(count)d subscriptions have ended", len(rows))
    unpaid = any(event.data["from"] == Status.SUSPENDED for event in events)
    sentence = _("No payment came while it was suspended.") if unpaid else _("Automatic renewal was switched off.")
    lines = [(subjects.name(row), _("Ended")) for row in rows]
    return Notice(
        title=(_("%(plan)s has ended") if len(rows) == 1 else many) % values,
        sentences=[sentence, _("You can subscribe again at any time.")],
        button=_("See plans"),
        url=links.absolute("pricing"),
        rows=[
            *(subjects.shortened(lines) if len(rows) > 1 else [(_("Ended"), display.moment(events[0].effective_at))]),
            *subjects.balances(view, {row.price.currency for row in rows}),
        ],
    )


ENDED = Kind(
    name="ended",
    title=gettext_lazy("Ended"),
    category=MailCategory.CHANGES,
    events=("subscription.expired",),
    compose=ended,
    choose=started,
    cause=each_instant,
)


def orders(events: Sequence[Event]) -> list[Event]:
    """Return the events of what has never started."""
    return [event for event in events if event.data["from"] == Status.PENDING]


def order_given_up(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return which orders are closed because no payment came for them."""
    rows = subjects.of(events)
    values = {"plan": subjects.name(rows[0]), "count": len(rows)}
    many = ngettext("%(count)d order is closed: not paid", "%(count)d orders are closed: not paid", len(rows))
    lines = [(subjects.name(row), display.day(row.created_at)) for row in rows]
    return Notice(
        title=(_("Your order of %(plan)s is closed: not paid") if len(rows) == 1 else many) % values,
        sentences=[_("We received no payment, and nothing was charged."), _("You can order again at any time.")],
        button=_("See plans"),
        url=links.absolute("pricing"),
        rows=subjects.shortened([(f"{_('Order')}: {name}", day) for name, day in lines]),
    )


ORDER_GIVEN_UP = Kind(
    name="order_given_up",
    title=gettext_lazy("Order closed"),
    category=MailCategory.CHANGES,
    events=("subscription.expired",),
    compose=order_given_up,
    choose=orders,
    cause=each_instant,
)
