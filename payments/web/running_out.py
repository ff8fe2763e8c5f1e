"""What the account page says of a wallet that will not reach: when, what ends then, and how urgent that is."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from ledger import display
from subscriptions.engine.calendar import MICROSECOND
from subscriptions.engine.notices import HOURS
from subscriptions.forecast import Ending, Forecast
from subscriptions.web.spans import shortly

SOON, VERY_SOON, LAST_HOUR = (timedelta(hours=hours) for hours in HOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOut:
    """One wallet's end in sight."""

    # Empty while there is time, and said beside the balance; a box of its own within 72 hours (`warn`) and within 24
    # (`bad`). The heading says so too.
    tone: str
    heading: str
    ends_at: datetime
    # A sentence for each subscription that finds no money then.
    ends: list[str]
    # A payment in this currency is under way: nobody is asked to pay twice.
    is_paying: bool


def running_out(
    found: Forecast | None, *, now: datetime, told: AbstractSet[int], coming_in: AbstractSet[str]
) -> RunningOut | None:
    """Say what a forecast means to a customer; None when there is no end in sight.

    `told`: ids of subscriptions that the page says need money anyway; `coming_in`: currencies of open payments.
    """
    if found is None or all(end.subscription.pk in told for end in found.ends):
        return None
    left = found.ends_at - now
    return RunningOut(
        tone="bad" if left <= VERY_SOON else "warn" if left <= SOON else "",
        heading=_heading(found.ends_at, left),
        ends_at=found.ends_at,
        ends=[_end(end) for end in found.ends],
        is_paying=any(end.price.currency in coming_in for end in found.ends),
    )


def _heading(ends_at: datetime, left: timedelta) -> str:
    if left > SOON:
        return _("Your balance lasts until %(day)s") % {"day": display.day(ends_at)}
    if left <= LAST_HOUR:
        return _("Your balance lasts less than an hour")
    return _("Your balance lasts only %(left)s more") % {"left": shortly(left // MICROSECOND)}


def _end(end: Ending) -> str:
    words = {"plan": end.price.plan.title}
    if end.price.metered:
        return _("%(plan)s stops then.") % words
    if end.grace_end is None:
        return _("%(plan)s cannot be paid for then, and stops.") % words
    return _("%(plan)s cannot be paid for then. It can still be used until %(moment)s.") % {
        **words, "moment": display.moment(end.grace_end),
    }  # fmt: skip
