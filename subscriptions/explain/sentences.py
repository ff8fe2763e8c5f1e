"""Translated texts for calculations: spans, fractions and rates, and the sentences that explain a transaction."""

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction

from babel.numbers import get_decimal_symbol
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ledger.display import locale_of
from ledger.labels import REASONS, counterpart
from ledger.models import Transaction
from ledger.money import Money
from subscriptions.engine.calendar import DAY, MICROSECOND, SECOND
from subscriptions.explain.arithmetic import Explanation
from subscriptions.labels import SPANS, every, span
from subscriptions.models import Price

# Formats an amount: `str` with its currency, `Money.plain` without, ledger.display.money for pages.
Writer = Callable[[Money], str]
# Writes a length in microseconds: `lasting` exactly, `to_second` in fewer digits.
Length = Callable[[int], str]

UNITS = ((3600 * SECOND, gettext_lazy("%(n)s h")), (60 * SECOND, gettext_lazy("%(n)s min")))
SECONDS = gettext_lazy("%(n)s s")

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Decimals shown of a fraction that does not terminate.
DECIMALS = 6

SPAN_SENTENCES = {
    "period": gettext_lazy("Paid in advance from %(start)s to %(end)s."),
    "slice": gettext_lazy("Used from %(start)s to %(end)s: %(lasting)s."),
    "grace": gettext_lazy("Payment was overdue from %(start)s to %(end)s: %(part)s."),
    "unused": gettext_lazy("Unused from %(start)s to %(end)s: %(part)s."),
}
QUANTITY_SENTENCE = gettext_lazy(
    "The quantity changed from %(before)d to %(after)d. Time left, from %(start)s to %(end)s: %(part)s."
)


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


def to_second(micros: int) -> str:
    """Return the length rounded down to seconds, marked with ≈ if that is not exact: `≈2 h 30 s`."""
    rest = micros % SECOND
    return f"≈{lasting(micros - rest)}" if rest and micros > SECOND else lasting(micros)


def share(part: int, whole: int, *, length: Length = lasting) -> str:
    """Return a part of a span: `18 of 30 days`, `15 days 12 h of 31 days`."""
    days, rest = divmod(whole, DAY)
    if rest:
        return _("%(part)s of %(whole)s") % {"part": length(part), "whole": length(whole)}
    # Russian needs another form of "days" here than in a length.
    words = ngettext("%(part)s of %(days)d day", "%(part)s of %(days)d days", days)
    return words % {"part": length(part) if part % DAY else part // DAY, "days": days}


def fraction(part: int, whole: int) -> str:
    """Return part / whole as a decimal of the language, marked with ≈ if six decimals are not exact: `≈0.333333`.

    For display only: calculate with the two integers.
    """
    if part < 0:
        return f"-{fraction(-part, whole)}"
    value = Fraction(part, whole)
    shortened = value.numerator * 10**DECIMALS // value.denominator
    is_exact = Fraction(shortened, 10**DECIMALS) == value
    point = get_decimal_symbol(locale_of())
    digits = f"{shortened // 10**DECIMALS}{point}{shortened % 10**DECIMALS:0{DECIMALS}}".rstrip("0").rstrip(point)
    return digits if is_exact else f"≈{digits}"


def rate(price: Price, *, quantity: int = 1, write: Writer = str) -> str:
    """Return the price with its interval and quantity: `1.00 RUB an hour`, `1.00 RUB an hour × 3`."""
    one = f"{write(price.money)} {every(price)}"
    return one if quantity == 1 else f"{one} × {quantity}"


def advance(price: Price, *, quantity: int, periods: int, write: Writer = str) -> str:
    """Return the formula of a payment ahead: `990.00 RUB a month × 3 × 2 months`."""
    return f"{rate(price, quantity=quantity, write=write)} × {span(price, periods)}"


def of(explanation: Explanation, *, write: Writer = str) -> list[str]:
    """Return the sentences of an explanation: the price, the span, the calculation, notes on it and the verdict."""
    return [
        _price(explanation, write),
        span_sentence(explanation),
        arithmetic(explanation, write=write),
        *notes(explanation, write=write),
        verdict(explanation, write=write),
    ]


def span_sentence(explanation: Explanation) -> str:
    """Return the time that the amount is for, and the change of the quantity if there was one."""
    is_change = explanation.previous_quantity is not None
    return str(QUANTITY_SENTENCE if is_change else SPAN_SENTENCES[explanation.kind]) % {
        "start": instant(explanation.span_start), "end": instant(explanation.span_end),
        "lasting": lasting(explanation.micros), "part": _part(explanation),
        "before": explanation.previous_quantity, "after": explanation.quantity,
    }  # fmt: skip


def arithmetic(explanation: Explanation, *, write: Writer = str, length: Length = lasting) -> str:
    """Return the calculation in one line: `1.00 RUB an hour × 2 h 30 min = 2.50 RUB`."""
    price, quantity = explanation.price, explanation.priced_quantity
    if explanation.kind == "slice":
        left_side = _used(explanation, write, length)
    else:
        left_side = advance(price, quantity=quantity, periods=explanation.periods, write=write)
        if explanation.kind != "period":
            left_side = f"{left_side} × {_part(explanation, length)}"
    total = f"{left_side} = {_worked_out(explanation, write)}"
    if not explanation.is_rounded:
        return total
    return (_("%(sum)s, rounded down") if explanation.kind == "unused" else _("%(sum)s, rounded up")) % {"sum": total}


def notes(explanation: Explanation, *, write: Writer = str) -> list[str]:
    """Return what else a customer must know about the amount: units paid ahead, or what became a debt."""
    match explanation.kind:
        case "slice":
            return _credit_notes(explanation, write)
        case "grace":
            return [_("The subscription was active in this time, so it is charged."), *_debt_notes(explanation, write)]
        case _:
            return []


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
    if not explanation.credit_matches:
        said.append(_credit_wrong(explanation, write))
    return " ".join([*said, _("Please contact support.")])


def of_movement(transaction: Transaction, *, write: Writer = str) -> list[str]:
    """Return the sentences for any other transaction: the other account, and the balance before and after."""
    came_in = transaction.credit_id == transaction.wallet_id
    after, currency = transaction.balance_after or 0, transaction.currency
    before = after - transaction.amount if came_in else after + transaction.amount
    said = _("%(reason)s: %(amount)s, from %(other)s.") if came_in else _("%(reason)s: %(amount)s, to %(other)s.")
    if transaction.reason == Transaction.Reason.DEBT_PAYMENT:
        said = _("%(reason)s: %(amount)s. Money that comes in pays a debt first.")
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


def _part(explanation: Explanation, length: Length = lasting) -> str:
    return share(explanation.part, explanation.full, length=length) if explanation.full else ""


def _used(explanation: Explanation, write: Writer, length: Length) -> str:
    """Return the use of a slice, less the part of a minor unit that was paid before. The notes say how large it was."""
    price, quantity = explanation.price, explanation.quantity
    use = f"{rate(price, quantity=quantity, write=write)} × {length(explanation.micros)}"
    if not explanation.credit_before:
        return use
    unit = _money(1, price.currency, write)
    return _("%(use)s − the part of %(unit)s already paid") % {"use": use, "unit": unit}


def _credit_notes(explanation: Explanation, write: Writer) -> list[str]:
    """Return how minor units are charged, if one was begun and not used up before or after."""
    said, unit = [], _money(1, explanation.price.currency, write)
    if explanation.credit_before or explanation.credit_after:
        said.append(_("Use is charged in advance, %(unit)s at a time.") % {"unit": unit})
    if explanation.credit_before:
        left = _of_unit(explanation, explanation.credit_before, write)
        said.append(_("%(left)s was left from the previous charge.") % {"left": left})
    if explanation.credit_after:
        left = _of_unit(explanation, explanation.credit_after, write)
        said.append(_("%(left)s is not used yet and counts towards the next charge.") % {"left": left})
    return said


def _debt_notes(explanation: Explanation, write: Writer) -> list[str]:
    """Return how much of days of grace the balance paid, if not all, and how much became a debt."""
    if not explanation.debt:
        return []
    currency = explanation.price.currency
    parts = {
        "paid": _money(explanation.posted - explanation.debt, currency, write),
        "debt": _money(explanation.debt, currency, write),
    }
    return [_("%(paid)s was charged to the balance and %(debt)s became a debt.") % parts]


def _credit_wrong(explanation: Explanation, write: Writer) -> str:
    text = _("%(expected)s should be left for the next charge, but %(written)s is recorded.")
    return text % {
        "expected": _of_unit(explanation, explanation.credit_after, write),
        "written": _of_unit(explanation, explanation.credit_written, write),
    }


def _of_unit(explanation: Explanation, parts: int | None, write: Writer) -> str:
    """Return a part of a minor unit: `0.4 × 0.01 RUB`."""
    unit = _money(1, explanation.price.currency, write)
    return f"{fraction(parts or 0, explanation.rate_length or 1)} × {unit}"


def _worked_out(explanation: Explanation, write: Writer) -> str:
    return _money(explanation.worked_out, explanation.price.currency, write)


def _money(amount: int, currency: str, write: Writer) -> str:
    return write(Money(amount, currency))
