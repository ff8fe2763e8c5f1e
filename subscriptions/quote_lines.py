"""The lines of a quote: what a change moves, with the numbers it was worked out from, stored and read back.

Only what moves is ever compared (`moves`); the numbers beside it are there to be shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.money import Money
from subscriptions import formulas
from subscriptions.engine.journal import Charge, Entry, Journal
from subscriptions.engine.subscription import Status, Sub
from subscriptions.formulas import Writer
from subscriptions.models import Price, Quote, Subscription


@dataclass(frozen=True, slots=True)
class Line:
    """One movement of the wallet, `money` signed. `formula` says how it was worked out: `99.00 × 18 of 30 days`."""

    reason: str
    subscription: Subscription | None
    money: Money
    formula: str


def rest_of(sub: Sub, at: int) -> dict[str, int]:
    """Return what unused time will be worked out from: asked before the change, which forgets it."""
    if sub.status is not Status.ACTIVE or sub.terms.metered or sub.end is None:
        return {}
    return {"paid": sub.paid, "left": sub.end - at, "full": sub.length}


def written(entries: Iterable[Entry], journal: Journal, rest: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the lines in the form in which a quote keeps them.

    Without the whole units that fractions of earlier use come to on the way (engine/leftover.py): like the metered use
    up to the change they are charged with or without it.
    """
    charges = {id(charge.entry): charge for charge in journal.charges if charge.entry}
    return [
        {
            "reason": entry.reason,
            "subscription": entry.sub.id if entry.sub else None,
            "amount": entry.amount,
            "from": _terms(charges[id(entry)]) if id(entry) in charges else dict(rest),
        }
        for entry in entries
        if id(entry) not in charges or charges[id(entry)].start < charges[id(entry)].end
    ]


def moves(lines: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what these lines move, to be compared to the unit."""
    return [(line["reason"], line["subscription"], line["amount"]) for line in lines]


def read(quote: Quote, *, write: Writer = Money.plain) -> list[Line]:
    """Return the lines of a quote in words."""
    subscriptions = Subscription.objects.in_bulk([line["subscription"] for line in quote.lines if line["subscription"]])
    sources = [line.get("from", {}) for line in quote.lines]
    prices = Price.objects.in_bulk([source["price"] for source in sources if "price" in source])
    currency = quote.price.currency
    return [
        Line(
            line["reason"],
            subscriptions.get(line["subscription"]),
            Money(line["amount"], currency),
            _formula(source, currency, prices, write),
        )
        for line, source in zip(quote.lines, sources, strict=True)
    ]


def _terms(charge: Charge) -> dict[str, Any]:
    return {"price": charge.terms.id, "quantity": charge.sub.quantity, "periods": charge.sub.periods}


def _formula(source: Mapping[str, int], currency: str, prices: Mapping[int, Price], write: Writer) -> str:
    if "price" in source:
        price = prices[source["price"]]
        return formulas.advance(price, quantity=source["quantity"], periods=source["periods"], write=write)
    if "paid" in source:
        return f"{write(Money(source['paid'], currency))} × {formulas.share(source['left'], source['full'])}"
    return ""
