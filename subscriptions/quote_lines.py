"""The lines of a quote: a movement of the wallet each, as stored, and as read with the formula behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.money import Money
from subscriptions.engine.book import Charge, Journal, Movement
from subscriptions.engine.calendar import LENGTHS
from subscriptions.engine.subscription import Sub
from subscriptions.explain import sentences
from subscriptions.explain.sentences import Writer
from subscriptions.models import Price, Quote, Subscription

# What pages show is rounded down to this many microseconds.
MINUTE = LENGTHS["minute"]
# The reason of a line that pays back unused time.
UNUSED = "unused_refund"


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One movement of the wallet, with signed `money` and the formula behind it: `99.00 × 18 of 30 days`."""

    reason: str
    subscription: Subscription | None
    money: Money
    formula: str
    # For a part of a period, so that it changes by the second.
    is_part: bool


def read(quote: Quote, *, write: Writer = Money.plain, step: int = 1) -> list[QuoteLine]:
    """Return the lines of a quote with their formulas, whose time left is shown in whole steps of microseconds."""
    subscriptions = Subscription.objects.in_bulk([line["subscription"] for line in quote.lines if line["subscription"]])
    sources = [line.get("from", {}) for line in quote.lines]
    prices = Price.objects.in_bulk([source["price"] for source in sources if "price" in source])
    currency = quote.price.currency
    return [
        QuoteLine(
            line["reason"],
            subscriptions.get(line["subscription"]),
            Money(line["amount"], currency),
            _formula(source, currency, prices, write, step),
            "paid" in source,
        )
        for line, source in zip(quote.lines, sources, strict=True)
    ]


def key_of(line: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the parts of a line that must be the same at acceptance."""
    return line["reason"], line["subscription"]


def rest_of(sub: Sub, at: int, quantity: int | None) -> dict[str, int]:
    """Return what the worth of the time left is calculated from: of all that was paid, or of other seats only.

    Call it before the change, which resets it.
    """
    if not sub.is_paid_ahead or sub.end is None:
        return {}
    paid = sub.paid if quantity is None else abs(sub.terms.amount * quantity * sub.periods - sub.paid)
    return {"paid": paid, "left": sub.end - at, "full": sub.length}


def stored_lines(movements: Iterable[Movement], journal: Journal, rest: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the movements as a quote stores them."""
    charges = {id(charge.movement): charge for charge in journal.charges if charge.movement}
    return [
        {
            "reason": movement.reason,
            "subscription": movement.sub.id if movement.sub else None,
            "amount": movement.amount,
            "from": _source(movement, charges.get(id(movement)), rest),
        }
        for movement in movements
        if not movement.on_debt
    ]


def _source(movement: Movement, charge: Charge | None, rest: Mapping[str, int]) -> dict[str, Any]:
    """Return what an amount follows from: a price, or the value of a part of a period."""
    if charge is None:
        return dict(rest) if movement.reason == UNUSED else {}
    if charge.full_length == charge.end - charge.start and charge.amount == _due(charge):
        return {"price": charge.terms.id, "quantity": charge.quantity, "periods": charge.sub.periods}
    if rest:
        return dict(rest)
    # Days of grace.
    return {"paid": _due(charge), "left": charge.end - charge.start, "full": charge.full_length}


def _due(charge: Charge) -> int:
    return charge.terms.amount * charge.quantity * charge.sub.periods


def _formula(source: Mapping[str, int], currency: str, prices: Mapping[int, Price], write: Writer, step: int) -> str:
    if "price" in source:
        price = prices[source["price"]]
        return sentences.advance(price, quantity=source["quantity"], periods=source["periods"], write=write)
    if "paid" in source:
        left = source["left"]
        shown = left - left % step if left > step else left
        return f"{write(Money(source['paid'], currency))} × {sentences.share(shown, source['full'])}"
    return ""
