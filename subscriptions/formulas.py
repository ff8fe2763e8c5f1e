"""Arithmetic as people write it: rates, spans of time to the microsecond, shares of a span. Nothing here rounds."""

from collections.abc import Callable
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.money import Money
from subscriptions.engine.calendar import DAY, SECOND
from subscriptions.models import Price
from subscriptions.wording import SPANS, every, span

# How an amount is written: `str` with its currency, `Money.plain` without, ledger.display.money for a page.
Writer = Callable[[Money], str]

UNITS = ((3600 * SECOND, gettext_lazy("%(n)s h")), (60 * SECOND, gettext_lazy("%(n)s min")))
SECONDS = gettext_lazy("%(n)s s")
# Decimals shown of a fraction that has no end.
DECIMALS = 6


def lasting(micros: int) -> str:
    """Say exactly how long it is: `31 days`, `15 days 12 h`, `2 h 30 min`, `0.4 s`."""
    days, rest = divmod(micros, DAY)
    parts = [str(SPANS["day"] % {"n": days})] if days else []
    for length, words in UNITS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(str(words) % {"n": count})
    if rest or not parts:
        parts.append(str(SECONDS) % {"n": fraction(rest, SECOND)})
    return " ".join(parts)


def share(part: int, whole: int) -> str:
    """Say which part of a span it is: `18 of 30 days`, `15 days 12 h of 31 days`."""
    same = part % DAY == whole % DAY == 0
    return _("%(part)s of %(whole)s") % {"part": part // DAY if same else lasting(part), "whole": lasting(whole)}


def fraction(part: int, whole: int) -> str:
    """Write part / whole as a decimal: exact where it ends within six decimals, else marked as shortened: `≈0.333333`.

    Only a label: whoever counts on counts with the two numbers.
    """
    if part < 0:
        return f"-{fraction(-part, whole)}"
    value = Fraction(part, whole)
    shortened = value.numerator * 10**DECIMALS // value.denominator
    is_exact = Fraction(shortened, 10**DECIMALS) == value
    digits = f"{shortened // 10**DECIMALS}.{shortened % 10**DECIMALS:0{DECIMALS}}".rstrip("0").rstrip(".")
    return digits if is_exact else f"≈{digits}"


def rate(price: Price, *, quantity: int = 1, write: Writer = str) -> str:
    """Say what a price costs and how often: `1.00 RUB an hour`, and how many are had of it: `1.00 RUB an hour × 3`."""
    one = f"{write(price.money)} {every(price)}"
    return one if quantity == 1 else f"{one} × {quantity}"


def advance(price: Price, *, quantity: int, periods: int, write: Writer = str) -> str:
    """Write what a payment ahead is made of: `990.00 RUB a month × 3 × 2 months`."""
    return f"{rate(price, quantity=quantity, write=write)} × {span(price, periods)}"
