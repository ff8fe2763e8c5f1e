"""Translated texts for intervals, spans and statuses."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from subscriptions.models import Price, Subscription

Status = Subscription.Status
# Icons of plans paid in advance, in the order of the price list.
PICTURES = ("box", "layers", "bolt")

# "€29.00 a month"
EACH = {
    "second": _("a second"),
    "minute": _("a minute"),
    "hour": _("an hour"),
    "day": _("a day"),
    "week": _("a week"),
    "month": _("a month"),
    "year": _("a year"),
}

# "€80.00 every 3 months"
EVERY = {
    "second": ngettext_lazy("every %(n)d second", "every %(n)d seconds", "n"),
    "minute": ngettext_lazy("every %(n)d minute", "every %(n)d minutes", "n"),
    "hour": ngettext_lazy("every %(n)d hour", "every %(n)d hours", "n"),
    "day": ngettext_lazy("every %(n)d day", "every %(n)d days", "n"),
    "week": ngettext_lazy("every %(n)d week", "every %(n)d weeks", "n"),
    "month": ngettext_lazy("every %(n)d month", "every %(n)d months", "n"),
    "year": ngettext_lazy("every %(n)d year", "every %(n)d years", "n"),
}

# "3 months"
SPANS = {
    "second": ngettext_lazy("%(n)d second", "%(n)d seconds", "n"),
    "minute": ngettext_lazy("%(n)d minute", "%(n)d minutes", "n"),
    "hour": ngettext_lazy("%(n)d hour", "%(n)d hours", "n"),
    "day": ngettext_lazy("%(n)d day", "%(n)d days", "n"),
    "week": ngettext_lazy("%(n)d week", "%(n)d weeks", "n"),
    "month": ngettext_lazy("%(n)d month", "%(n)d months", "n"),
    "year": ngettext_lazy("%(n)d year", "%(n)d years", "n"),
}

# The next longer unit and how many make one: 168 hours are 7 days. One day is written as 24 hours.
LONGER = {"second": ("minute", 60), "minute": ("hour", 60), "hour": ("day", 24)}

# Tone (a colour), sign and text of each status. Never show the colour alone.
STATUSES = {
    Status.PENDING: ("warn", "○", _("Waiting for payment")),
    Status.TRIALING: ("info", "✓", _("Free trial")),
    Status.ACTIVE: ("ok", "✓", _("Active")),
    Status.PAST_DUE: ("bad", "!", _("Payment overdue")),
    Status.SUSPENDED: ("bad", "!", _("Suspended")),
    Status.PAUSED: ("", "‖", _("Paused")),
    Status.CANCELLED: ("", "✕", _("Cancelled")),
    Status.EXPIRED: ("", "✕", _("Ended")),
}

# The icon of each status on customers' pages.
ICONS = {
    Status.PENDING: "clock",
    Status.TRIALING: "check",
    Status.ACTIVE: "check",
    Status.PAST_DUE: "alert",
    Status.SUSPENDED: "alert",
    Status.PAUSED: "pause",
    Status.CANCELLED: "x",
    Status.EXPIRED: "x",
}


def every(price: Price, periods: int = 1) -> str:
    """Return how often a payment for `periods` intervals is due: `a month`, `every 3 months`."""
    count = price.interval_count * periods
    return str(EACH[price.interval]) if count == 1 else str(EVERY[price.interval] % {"n": count})


def span(price: Price, periods: int = 1) -> str:
    """Return the length of `periods` intervals in the longest unit that fits: `1 month`, `24 hours`, `7 days`."""
    unit, count = str(price.interval), price.interval_count * periods
    while unit in LONGER:
        longer, size = LONGER[unit]
        if count % size or (unit, count) == ("hour", size):
            break
        unit, count = longer, count // size
    return str(SPANS[unit] % {"n": count})


def picture(price: Price) -> str:
    """Return the name of the icon of what a price sells: a server if it is metered, else one by the plan's place."""
    return "server" if price.metered else PICTURES[(price.plan.position - 1) % len(PICTURES)]
