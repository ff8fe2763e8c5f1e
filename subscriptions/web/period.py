"""The picture of a paid period: how much of it is over."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from core import charts, dates
from ledger import display
from subscriptions.web.cards import Card


@dataclass(frozen=True, slots=True)
class PeriodPicture:
    """The bar of a period, and the same in a sentence."""

    bar: charts.Runway
    label: str


def picture(card: Card, *, now: datetime) -> PeriodPicture | None:
    """Return the bar of the period that is paid and running; None if there is none."""
    paid = card.state.period
    if paid is None:
        return None
    bar = charts.runway(
        (now - paid.start) / (paid.end - paid.start),
        [],
        first=dates.short_day(paid.start),
        last=dates.short_day(paid.end),
        end_text=_("Today"),
    )
    values = {"start": display.day(paid.start), "end": display.day(paid.end)}
    return PeriodPicture(bar, _("Paid from %(start)s to %(end)s") % values)
