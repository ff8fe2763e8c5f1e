"""The warning of the account page before the money of a wallet runs out."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from ledger import display
from payments.models import PaymentMethod
from subscriptions import forecast
from subscriptions.explain.sentences import shortly
from subscriptions.forecast import Ending, Forecast

SOON, VERY_SOON, LAST_HOUR = (timedelta(hours=hours) for hours in forecast.NOTICE_HOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOut:
    """A warning that the money of one wallet will run out."""

    # `warn` within 72 hours and `bad` within 24: shown as a box of its own. Empty before: shown beside the balance.
    tone: str
    heading: str
    ends_at: datetime
    # A sentence for each subscription that cannot be paid for then.
    ends: list[str]
    # Whether a payment in this currency is open. Then the page does not ask for another one.
    is_paying: bool


def running_out(
    outlook: Forecast | None,
    *,
    now: datetime,
    paying_in: AbstractSet[str],
    method: PaymentMethod | None = None,
) -> RunningOut | None:
    """Return the warning for a forecast; None if the money does not run out.

    `paying_in`: currencies of open payments. `method`: what is charged for renewals then; with it alone no box is
    shown.
    """
    if outlook is None:
        return None
    left = outlook.ends_at - now
    is_covered = method is not None and not any(end.price.metered for end in outlook.ends)
    return RunningOut(
        tone="" if is_covered else "bad" if left <= VERY_SOON else "warn" if left <= SOON else "",
        heading=_heading(outlook.ends_at, left),
        ends_at=outlook.ends_at,
        ends=[_end(end, method) for end in outlook.ends],
        is_paying=any(end.price.currency in paying_in for end in outlook.ends),
    )


def _heading(ends_at: datetime, left: timedelta) -> str:
    if left > SOON:
        return _("Your balance lasts until %(day)s") % {"day": display.day(ends_at)}
    if left <= LAST_HOUR:
        return _("Your balance runs out in less than an hour")
    return _("Your balance runs out in %(left)s") % {"left": shortly(left)}


def _end(end: Ending, method: PaymentMethod | None) -> str:
    values = {"plan": end.price.plan.title, "method": method}
    if end.price.metered:
        return _("Then %(plan)s stops.") % values
    if method is not None:
        return _("Then we charge %(method)s to renew %(plan)s.") % values
    if end.grace_end is None:
        return _("Then %(plan)s cannot renew and stops.") % values
    return _("Then %(plan)s cannot renew. You can still use it until %(moment)s.") % {
        **values, "moment": display.moment(end.grace_end),
    }  # fmt: skip
