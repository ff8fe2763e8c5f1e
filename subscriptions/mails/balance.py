"""The mails about the balance: it runs low, a debt arises, a debt is paid or written off."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from core.letters import Notice
from events.mails.kinds import Kind
from events.models import Event
from events.reminders import next_after
from ledger import display
from ledger.money import Money
from subscriptions import forecast, overview, reminders
from subscriptions.engine.calendar import MICROSECOND
from subscriptions.explain.sentences import shortly
from subscriptions.forecast import Ending, Forecast
from subscriptions.mails import subjects
from subscriptions.models import Subscription
from subscriptions.overview import View

HOUR = timedelta(hours=1)


def notice(event: Event) -> str:
    """Return the wallet, the notice and the instant that it is about: each is told once."""
    return f"{event.subject} {event.data['hours']} h before {event.data['ends_at']}"


def low_balance(
    events: Sequence[Event], recipient: User, now: datetime, *, is_covered: Callable[[Ending], bool] | None = None
) -> dict[str, Any] | None:
    """Return what runs out, when, and what it costs; None if money came in, or if the next notice is due already.

    Also None if all that runs out is covered: the money for it is charged to a saved method by itself.
    """
    hours, currency = events[-1].data["hours"], events[-1].subject
    view = overview.peek(recipient, currency, now=now)
    outlook = forecast.of(view, now=now)
    if outlook is None or not next_after(hours, forecast.NOTICE_HOURS) < (outlook.ends_at - now) / HOUR <= hours + 1:
        return None
    if hours == max(forecast.NOTICE_HOURS) and all(_is_told_as_renewal(end, outlook) for end in outlook.ends):
        return None
    if is_covered is not None and all(is_covered(end) for end in outlook.ends):
        return None
    return {
        "left": shortly(outlook.ends_at - now),
        "ends": display.moment(outlook.ends_at),
        "balance": Money(view.available, currency),
        "sentences": [_end(end) for end in outlook.ends],
        "topup_url": subjects.top_up(currency),
        "rows": [*subjects.balance(view), *_prices(outlook)],
    }


def _is_told_as_renewal(end: Ending, outlook: Forecast) -> bool:
    """Return whether the reminder of the renewal, three days ahead, says already that money is missing for it."""
    row = end.subscription
    is_renewal = (
        not end.price.metered and row.status == Subscription.Status.ACTIVE and row.period_end == outlook.ends_at
    )
    return is_renewal and reminders.has_reminder(3, row.period_length * MICROSECOND)


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
    return [(end.price.plan.title, subjects.priced(end.price, end.subscription.quantity)) for end in outlook.ends]


LOW_BALANCE = Kind(
    name="low_balance",
    title=gettext_lazy("Low balance"),
    category=MailCategory.REMINDERS,
    events=("wallet.low_balance",),
    compose=low_balance,
    cause=notice,
)

# A mail about one of these tells of a debt that arose, or was paid, at the same instant.
TELLING_OF_DEBT = ("subscription.suspended", "subscription.cancelled", "dispute.withdrawn")
TELLING_OF_PAYMENT = ("payment.confirmed", "dispute.returned")


def debt(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return that a debt arose or is no more; None if another mail tells it, or if it is not true any more."""
    event = events[-1]
    is_paid, currency = event.type != "wallet.debt_arose", event.subject
    view = overview.peek(recipient, currency, now=now)
    if bool(view.debt) is is_paid or subjects.has_beside(event, TELLING_OF_PAYMENT if is_paid else TELLING_OF_DEBT):
        return None
    if event.type == "wallet.debt_written_off":
        return _written_off(event, view)
    if is_paid:
        paid = Money.parse(event.data["amount"]["value"], currency)
        return Notice(
            title=_("Your debt of %(amount)s is paid") % {"amount": display.money(paid)},
            sentences=[_("You owe nothing now.")],
            button=_("See your account"),
            url=links.absolute("account"),
            rows=subjects.balance(view),
            tone="ok",
            tag=_("Paid"),
        )
    return Notice(
        title=_("You owe %(amount)s") % {"amount": display.money(Money(view.debt, currency))},
        sentences=[
            _("This is for days of use that were not paid for."),
            _("Your next top-up pays this debt first."),
        ],
        button=_("Top up"),
        url=subjects.top_up(currency),
        rows=subjects.balance(view),
        tone="bad",
        tag=_("Debt"),
    )


def _written_off(event: Event, view: View) -> Notice:
    """Return that the rest of a debt was written off, with the reason that staff gave."""
    amount = Money.parse(event.data["amount"]["value"], event.subject)
    return Notice(
        title=_("You no longer owe %(amount)s") % {"amount": display.money(amount)},
        sentences=[_("We wrote off your debt."), *filter(None, [event.data["reason"]])],
        button=_("See your account"),
        url=links.absolute("account"),
        rows=subjects.balance(view),
        tone="ok",
        tag=_("Written off"),
    )


def wallet_and_instant(event: Event) -> str:
    """Return the type, the wallet and the instant of an event."""
    return f"{event.type} {event.subject} {event.effective_at.isoformat()}"


DEBT = Kind(
    name="debt",
    title=gettext_lazy("Debt"),
    category=MailCategory.MONEY,
    events=("wallet.debt_arose", "wallet.debt_paid", "wallet.debt_written_off"),
    compose=debt,
    cause=wallet_and_instant,
)
