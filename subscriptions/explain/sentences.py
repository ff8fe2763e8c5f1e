"""Translated texts for calculations: spans, fractions and rates, and the sentences that explain a transaction."""

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.labels import REASONS, counterpart
from ledger.models import Transaction
from ledger.money import Money
from subscriptions.engine.calendar import DAY, MICROSECOND, SECOND
from subscriptions.explain.arithmetic import Explanation
from subscriptions.labels import SPANS, every, span
from subscriptions.models import Price

# Formats an amount: `str` with its currency, `Money.plain` without, ledger.display.money for pages.
Writer = Callable[[Money], str]

UNITS = ((3600 * SECOND, gettext_lazy("%(n)s h")), (60 * SECOND, gettext_lazy("%(n)s min")))
SECONDS = gettext_lazy("%(n)s s")

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Decimals shown of a fraction that does not terminate.
DECIMALS = 6

SPAN_SENTENCES = {
    "period": gettext_lazy("Paid in advance from %(start)s to %(end)s."),
    "slice": gettext_lazy("Used from %(start)s to %(end)s: %(lasting)s."),
    "leftover": gettext_lazy("Fractions of earlier use that added up to a whole unit by %(start)s."),
    "unused": gettext_lazy("Unused from %(start)s to %(end)s: %(left)s."),
}


def lasting(micros: int) -> str:
    """Return the exact length: `31 days`, `15 days 12 h`, `2 h 30 min`, `0.4 s`."""
    days, rest = divmod(micros, DAY)
    parts = [str(SPANS["day"] % {"n": days})] if days else []
    for length, words in UNITS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(str(words) % {"n": count})
    if rest or not parts:
        parts.append(str(SECONDS) % {"n": fraction(rest, SECOND)})
    return " ".join(parts)


def shortly(span: timedelta) -> str:
    """Return the length rounded down to hours (`12 days 4 h`), to minutes below a day, to seconds below a minute."""
    grain = HOUR if span >= timedelta(days=1) else MINUTE if span >= MINUTE else timedelta(seconds=1)
    return lasting((span - span % grain) // MICROSECOND)


def instant(at: datetime) -> str:
    """Return an instant to the microsecond, the same in every language: `2026-03-01 12:00:00 UTC`."""
    return at.replace(tzinfo=None).isoformat(sep=" ") + " UTC"


def share(part: int, whole: int) -> str:
    """Return a part of a span: `18 of 30 days`, `15 days 12 h of 31 days`."""
    same = part % DAY == whole % DAY == 0
    return _("%(part)s of %(whole)s") % {"part": part // DAY if same else lasting(part), "whole": lasting(whole)}


def fraction(part: int, whole: int) -> str:
    """Return part / whole as a decimal, marked with ≈ if six decimals are not exact: `≈0.333333`.

    For display only: calculate with the two integers.
    """
    if part < 0:
        return f"-{fraction(-part, whole)}"
    value = Fraction(part, whole)
    shortened = value.numerator * 10**DECIMALS // value.denominator
    is_exact = Fraction(shortened, 10**DECIMALS) == value
    digits = f"{shortened // 10**DECIMALS}.{shortened % 10**DECIMALS:0{DECIMALS}}".rstrip("0").rstrip(".")
    return digits if is_exact else f"≈{digits}"


def rate(price: Price, *, quantity: int = 1, write: Writer = str) -> str:
    """Return the price with its interval and quantity: `1.00 RUB an hour`, `1.00 RUB an hour × 3`."""
    one = f"{write(price.money)} {every(price)}"
    return one if quantity == 1 else f"{one} × {quantity}"


def advance(price: Price, *, quantity: int, periods: int, write: Writer = str) -> str:
    """Return the formula of a payment ahead: `990.00 RUB a month × 3 × 2 months`."""
    return f"{rate(price, quantity=quantity, write=write)} × {span(price, periods)}"


def of(explanation: Explanation, *, write: Writer = str) -> list[str]:
    """Return the sentences of an explanation: the price, the span, the calculation and the verdict."""
    return [
        _price(explanation, write),
        _span(explanation),
        arithmetic(explanation, write=write),
        verdict(explanation, write=write),
    ]


def arithmetic(explanation: Explanation, *, write: Writer = str) -> str:
    """Return the calculation in one line: `1.00 RUB an hour × 2 h 30 min = 2.50 RUB`."""
    match explanation.kind:
        case "period":
            return _period(explanation, write)
        case "slice" | "leftover":
            return _used(explanation, write)
        case "unused":
            return _unused(explanation, write)
        case _:
            raise ValueError(explanation.kind)


def verdict(explanation: Explanation, *, write: Writer = str) -> str:
    """Return whether the result matches what was posted; if not, name the expected and the posted value."""
    if explanation.matches:
        return _("Recalculated just now: the amount is correct.")
    said = []
    if not explanation.amount_matches:
        amounts = {
            "expected": _worked_out(explanation, write),
            "posted": _money(explanation.posted, explanation.price.currency, write),
        }
        said.append(
            _("Recalculated just now: it should be %(expected)s, but the transaction says %(posted)s.") % amounts
        )
    if not explanation.rest_matches:
        said.append(_carried_wrong(explanation, write))
    return " ".join([*said, _("Please contact support.")])


def of_movement(transaction: Transaction, *, write: Writer = str) -> list[str]:
    """Return the sentences for any other transaction: the other account, and the balance before and after."""
    came_in = transaction.credit_id == transaction.wallet_id
    after, currency = transaction.balance_after or 0, transaction.currency
    before = after - transaction.amount if came_in else after + transaction.amount
    said = _("%(reason)s: %(amount)s, from %(other)s.") if came_in else _("%(reason)s: %(amount)s, to %(other)s.")
    moved = {
        "reason": REASONS[Transaction.Reason(transaction.reason)],
        "amount": _money(transaction.amount, currency, write),
        "other": other_side(transaction),
    }
    balances = {"before": _money(before, currency, write), "after": _money(after, currency, write)}
    return [said % moved, _("The balance was %(before)s before and %(after)s after.") % balances]


def other_side(transaction: Transaction) -> str:
    """Return the customer-facing name of the account on the other side of the wallet."""
    came_in = transaction.credit_id == transaction.wallet_id
    return counterpart(transaction.debit if came_in else transaction.credit)


def _price(explanation: Explanation, write: Writer) -> str:
    price = explanation.price
    return _("%(plan)s, price version %(version)d: %(rate)s.") % {
        "plan": price.plan.title, "version": price.version, "rate": rate(price, write=write),
    }  # fmt: skip


def _span(explanation: Explanation) -> str:
    start, end = explanation.span_start, explanation.span_end
    return str(SPAN_SENTENCES[explanation.kind]) % {
        "start": instant(start), "end": instant(end), "lasting": lasting(explanation.micros),
        "left": share(explanation.left, explanation.full) if explanation.full else "",
    }  # fmt: skip


def _period(explanation: Explanation, write: Writer) -> str:
    formula = advance(explanation.price, quantity=explanation.quantity, periods=explanation.periods, write=write)
    return f"{formula} = {_worked_out(explanation, write)}"


def _used(explanation: Explanation, write: Writer) -> str:
    length, unit = explanation.rate_length or 1, _money(1, explanation.price.currency, write)
    parts = []
    if explanation.micros:
        parts.append(
            f"{rate(explanation.price, quantity=explanation.quantity, write=write)} × {lasting(explanation.micros)}"
        )
    if explanation.remainder_before:
        parts.append(f"{fraction(explanation.remainder_before, length)} × {unit}")
    said = f"{' + '.join(parts)} = {_worked_out(explanation, write)}"
    if not explanation.remainder_after:
        return said
    carried = f"{fraction(explanation.remainder_after, length)} × {unit}"
    return _("%(sum)s, and %(rest)s is carried to the next charge") % {"sum": said, "rest": carried}


def _unused(explanation: Explanation, write: Writer) -> str:
    paid = _money(explanation.paid, explanation.price.currency, write)
    said = f"{paid} × {share(explanation.left, explanation.full)} = {_worked_out(explanation, write)}"
    is_exact = explanation.paid * explanation.left % explanation.full == 0
    return said if is_exact else _("%(sum)s, rounded down") % {"sum": said}


def _carried_wrong(explanation: Explanation, write: Writer) -> str:
    length, unit = explanation.rate_length or 1, _money(1, explanation.price.currency, write)
    text = _("The fraction carried to the next charge should be %(expected)s × %(unit)s, but %(written)s is recorded.")
    return text % {
        "expected": fraction(explanation.remainder_after or 0, length),
        "written": fraction(explanation.remainder_written or 0, length),
        "unit": unit,
    }


def _worked_out(explanation: Explanation, write: Writer) -> str:
    return _money(explanation.worked_out, explanation.price.currency, write)


def _money(amount: int, currency: str, write: Writer) -> str:
    return write(Money(amount, currency))
