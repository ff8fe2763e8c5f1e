"""The mails about subscriptions that are not paid: a renewal is overdue, they are suspended, they run again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.mail_choices import MailCategory
from accounts.models import User
from core.letters import Notice
from events.mails.kinds import Kind, each_instant
from events.models import Event, Mail
from ledger import display
from subscriptions import overview
from subscriptions.mails import subjects
from subscriptions.models import Subscription
from subscriptions.overview import CustomerOverview, SubscriptionState

Status = Subscription.Status

# Metered subscriptions of one empty wallet stop one after the other, each at the end of its last paid unit. One mail
# tells of all that stop within this time.
TOGETHER = timedelta(hours=1)


def overdue(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return which renewals are not paid and until when they may be used; None if they are paid or suspended."""
    view = overview.of(recipient, now=now)
    states = _with_status(view, subjects.of(events), Status.PAST_DUE)
    if not states:
        return None
    ends = min(state.grace_end for state in states if state.grace_end)
    values = {"plan": subjects.name(states[0]), "count": len(states), "day": display.day(ends),
              "moment": display.moment(ends)}  # fmt: skip
    many = ngettext("%(count)d renewal is not paid", "%(count)d renewals are not paid", len(states))
    sentences = [
        _("There was not enough money on your balance to renew."),
        _("You can use it until %(moment)s. These days are charged.") % values,
        _("Pay before then and nothing stops."),
    ]
    return Notice(
        title=(_("%(plan)s is not renewed: pay by %(day)s") if len(states) == 1 else many) % values,
        sentences=sentences,
        button=_("Pay now"),
        url=subjects.pay(states),
        rows=subjects.prices_and_balances(view, states),
        tone="bad",
        tag=_("Payment overdue"),
    )


OVERDUE = Kind(
    name="overdue",
    title=gettext_lazy("Renewal not paid"),
    category=MailCategory.MONEY,
    events=("subscription.past_due",),
    compose=overdue,
    cause=each_instant,
)


def hour(event: Event) -> str:
    """Return the hour of the event, in UTC."""
    return event.effective_at.isoformat(timespec="hours")


def suspended(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return what has stopped and what it costs to go on; None if it runs again, or if a mail told it just now."""
    concerned = subjects.of(events)
    view = overview.of(recipient, now=now)
    if not _with_status(view, concerned, Status.SUSPENDED) or _told_just_now(recipient, events):
        return None
    states = _stopping(recipient, view, concerned, now)
    if not states or not recipient.is_active:
        # They end within the hour, which another mail tells; or the account is closed and cannot pay.
        return None
    values = {"plan": subjects.name(states[0]), "count": len(states), "day": _last_day(states)}
    many = ngettext("%(count)d subscription is suspended", "%(count)d subscriptions are suspended", len(states))
    sentences = [_("There was not enough money on your balance.")]
    if len(states) == 1:
        sentences.append(_("Top up and it continues at once. We keep it until %(day)s.") % values)
    else:
        sentences.append(_("Top up and they continue at once. We keep them until %(day)s.") % values)
    return Notice(
        title=(_("%(plan)s is suspended") if len(states) == 1 else many) % values,
        sentences=sentences,
        button=_("Top up"),
        url=subjects.pay(states),
        rows=subjects.prices_and_balances(view, states),
        tone="bad",
        tag=_("Suspended"),
    )


def _told_just_now(recipient: User, events: Sequence[Event]) -> bool:
    """Return whether another mail has told of an earlier stop, and with it of this one."""
    since = events[0].effective_at - TOGETHER
    others = Mail.objects.exclude(events__contains=[events[0].pk])
    return others.filter(customer=recipient, kind=SUSPENDED.name, sent_at__gt=since).exists()


def _stopping(
    recipient: User, view: CustomerOverview, concerned: Sequence[Subscription], now: datetime
) -> list[SubscriptionState]:
    """Return what is suspended in the wallets concerned, and what of them stops soon if no money comes."""
    currencies = {row.price.currency for row in concerned}
    soon = [
        overview.view(each.currency, each.book, now + TOGETHER) for each in view.views if each.currency in currencies
    ]
    ids = [pk for each in soon for pk, sub in each.subs.items() if Status(sub.status) == Status.SUSPENDED]
    rows = Subscription.objects.filter(pk__in=ids).select_related("price__plan").order_by("pk")
    return CustomerOverview(recipient, soon).states(rows)


SUSPENDED = Kind(
    name="suspended",
    title=gettext_lazy("Suspended"),
    category=MailCategory.MONEY,
    events=("subscription.suspended",),
    compose=suspended,
    cause=hour,
)


def from_suspended(events: Sequence[Event]) -> list[Event]:
    """Return the starts of what was suspended before. Others were started by the customer just now."""
    return [event for event in events if event.data["from"] == Status.SUSPENDED]


def resumed(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return what runs again; None if a receipt tells it, or if it has stopped again."""
    if subjects.has_beside(events[0], ("payment.confirmed",)):
        return None
    view = overview.of(recipient, now=now)
    states = _with_status(view, subjects.of(events), Status.ACTIVE)
    if not states:
        return None
    values = {"plan": subjects.name(states[0]), "count": len(states), "moment": display.moment(events[0].effective_at)}
    many = ngettext("%(count)d subscription is active again", "%(count)d subscriptions are active again", len(states))
    text = ngettext(
        "There is money on your balance again. The subscription has been active since %(moment)s.",
        "There is money on your balance again. The subscriptions have been active since %(moment)s.",
        len(states),
    )
    return Notice(
        title=(_("%(plan)s is active again") if len(states) == 1 else many) % values,
        sentences=[text % values],
        button=_("See the subscription") if len(states) == 1 else _("See your account"),
        url=subjects.page([state.row for state in states]),
        rows=subjects.prices_and_balances(view, states),
        tone="ok",
        tag=_("Active"),
    )


RESUMED = Kind(
    name="resumed",
    title=gettext_lazy("Active again"),
    category=MailCategory.CHANGES,
    events=("subscription.activated",),
    compose=resumed,
    choose=from_suspended,
    cause=each_instant,
)


def _with_status(
    view: CustomerOverview, rows: Sequence[Subscription], status: Subscription.Status
) -> list[SubscriptionState]:
    return [state for state in view.states(rows) if state.status == status]


def _last_day(states: Sequence[SubscriptionState]) -> str:
    ends = [state.wait_end for state in states if state.wait_end]
    return display.day(min(ends))
