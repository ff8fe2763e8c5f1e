"""The mails about subscriptions and the balance. events.mails sends them; their texts are in templates/mail/."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from events.mails.kinds import Kind
from events.models import Event
from ledger import display
from ledger.money import Money
from subscriptions import forecast, labels, overview
from subscriptions.explain.sentences import shortly
from subscriptions.forecast import Ending, Forecast

HOUR = timedelta(hours=1)


def notice(event: Event) -> str:
    """Return the wallet, the notice and the instant that it is about: each is told once."""
    return f"{event.subject} {event.data['hours']} h before {event.data['ends_at']}"


def low_balance(events: Sequence[Event], recipient: User, now: datetime) -> dict[str, Any] | None:
    """Return what runs out, when, and what it costs; None if money came in, or if the next notice is due already."""
    hours, currency = events[-1].data["hours"], events[-1].subject
    view = overview.peek(recipient, currency, now=now)
    outlook = forecast.of(view, now=now)
    if outlook is None or not _next_after(hours) < (outlook.ends_at - now) / HOUR <= hours + 1:
        return None
    balance = Money(view.available, currency)
    return {
        "left": shortly(outlook.ends_at - now),
        "ends": display.moment(outlook.ends_at),
        "balance": balance,
        "sentences": [_end(end) for end in outlook.ends],
        "topup_url": links.absolute("topup") + f"?currency={currency}",
        "rows": [(_("Balance"), display.money(balance)), *_prices(outlook)],
    }


def _next_after(hours: int) -> int:
    """Return the hours before the end at which the next notice is given; zero after the last."""
    return max((each for each in forecast.NOTICE_HOURS if each < hours), default=0)


def _end(end: Ending) -> str:
    values: dict[str, object] = {"plan": end.price.plan.title}
    if end.price.metered:
        return _("Then %(plan)s stops.") % values
    if end.grace_end is None:
        return _("Then %(plan)s cannot renew and stops.") % values
    values["moment"] = display.moment(end.grace_end)
    return _("Then %(plan)s cannot renew. You can still use it until %(moment)s.") % values


def _prices(outlook: Forecast) -> list[tuple[str, str]]:
    """Return each plan that cannot be paid for with its price for one interval."""
    return [(end.price.plan.title, f"{display.money(_price(end))} {labels.every(end.price)}") for end in outlook.ends]


def _price(end: Ending) -> Money:
    """Return what the subscription costs for one interval, with its quantity."""
    return Money(end.price.amount * end.subscription.quantity, end.price.currency)


LOW_BALANCE = Kind(
    name="low_balance",
    title=gettext_lazy("Low balance"),
    category=MailCategory.REMINDERS,
    events=("wallet.low_balance",),
    compose=low_balance,
    cause=notice,
)

KINDS = (LOW_BALANCE,)
