"""The pictures of the account page: how long a balance lasts, and what was spent in the last 30 days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from core import charts, dates
from ledger import display
from ledger.money import Money
from subscriptions.costs import Costs
from subscriptions.forecast import Forecast
from subscriptions.web.cards import Card

# What the bar of a balance spans.
SPAN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent in one currency in the last 30 days, as a sum and by day, and in this calendar month."""

    total: Money
    month: Money
    chart: charts.Chart


@dataclass(frozen=True, slots=True)
class Coming:
    """A renewal within the span of the bar."""

    at: datetime
    title: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Lasting:
    """The bar of a balance, the renewals that it pays within 30 days, and the same in a sentence."""

    bar: charts.Runway
    coming: Sequence[Coming]
    label: str


def spending(spent: Costs, currency: str) -> Spending:
    """Return the picture of what was spent, day by day."""
    chart = charts.bars(
        [(dates.short_date(each.day), (each.plans, each.use)) for each in spent.days],
        label=_("Spent in the last 30 days, %(currency)s") % {"currency": currency},
        first=_("Day"),
        key={"c1": _("Plans"), "c2": _("Metered use")},
        text=lambda minor: display.money(Money(minor, currency)),
    )
    total = sum(each.plans + each.use for each in spent.days)
    return Spending(Money(total, currency), Money(spent.month, currency), chart)


def lasting(cards: Sequence[Card], outlook: Forecast | None, *, now: datetime) -> Lasting | None:
    """Return the bar of the wallet that pays for `cards`; None if nothing is paid out of it within 30 days."""
    ends_at = outlook.ends_at if outlook and outlook.ends_at < now + SPAN else None
    last = ends_at or now + SPAN
    coming = sorted(
        (
            Coming(card.state.next_charge.at, card.price.plan.title, card.state.next_charge.amount)
            for card in cards
            if card.state.next_charge and now <= card.state.next_charge.at < last
        ),
        key=lambda each: each.at,
    )
    uses = any(card.price.metered and card.is_live and not card.is_paused for card in cards)
    if not (coming or uses or ends_at):
        return None
    bar = charts.runway(
        (ends_at - now) / SPAN if ends_at else None,
        [((each.at - now) / SPAN, dates.short_day(each.at)) for each in coming],
        first=_("Today"),
        last=dates.short_day(now + SPAN),
        end_text=dates.short_day(ends_at) if ends_at else "",
    )
    return Lasting(bar, coming, _label(ends_at))


def _label(ends_at: datetime | None) -> str:
    if ends_at is None:
        return _("Your balance lasts more than 30 days.")
    return _("Your balance lasts until %(day)s") % {"day": display.day(ends_at)}
