"""An explanation as pages show it, the customer's and the admin's alike: facts, the sum, whether it matches.

Works nothing out itself: that is explaining.py's business, and the sentences are those of steps.py.
"""

from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _

from ledger import display
from ledger.models import Transaction
from ledger.money import Money
from ledger.web.log import Line
from subscriptions import steps
from subscriptions.engine.calendar import to_micros
from subscriptions.explaining import Explanation, explain
from subscriptions.formulas import fraction, lasting, rate, share
from subscriptions.web.statement import named
from subscriptions.wording import span

# How payments keys the transaction that credits one (payments/endings.py).
PAYMENT = "payment:"


class Fact(NamedTuple):
    """One number the amount hangs on."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A transaction with everything its amount comes from."""

    line: Line
    # Public id of the payment that brought it, for a top-up.
    payment: str
    facts: list[Fact]
    # The arithmetic in one line, and what it comes to when it is done again now.
    sum: str
    verdict: str
    # None: no price worked it out, so there is nothing to compare.
    matches: bool | None
    worked_out: Money | None
    posted: Money
    # The same in minor units and microseconds.
    formula: str

    @property
    def reference(self) -> str:
        return f"txn_{self.line.id}"


def of(transaction: Transaction) -> Told:
    """Explain a transaction of a wallet."""
    [line] = named([transaction])
    found = explain(transaction)
    posted = Money(transaction.amount, transaction.currency)
    payment = transaction.key.removeprefix(PAYMENT) if transaction.key.startswith(PAYMENT) else ""
    if found is None:
        said, balances = steps.of_movement(transaction, write=display.money)
        return Told(
            line=line, payment=payment, facts=[], sum=said, verdict=balances, matches=None, worked_out=None,
            posted=posted, formula="",
        )  # fmt: skip
    return Told(
        line=line, payment=payment, facts=[*_terms(found), *_measured(found)],
        sum=steps.arithmetic(found, write=display.money), verdict=steps.verdict(found, write=display.money),
        matches=found.matches, worked_out=Money(found.worked_out, posted.currency), posted=posted,
        formula=found.formula,
    )  # fmt: skip


def _terms(found: Explanation) -> list[Fact]:
    """What was agreed: plan, price version, how many."""
    price = found.price
    facts = [
        Fact(_("Plan"), price.plan.title),
        Fact(_("Price"), rate(price, write=display.money)),
        Fact(_("Version of the price"), str(price.version)),
    ]
    if found.quantity > 1:
        facts.append(Fact(_("Quantity"), str(found.quantity)))
    if found.kind == "period":
        facts.append(Fact(_("Paid for at once"), span(price, found.periods)))
    return facts


def _measured(found: Explanation) -> list[Fact]:
    """What it was for: the span, exact where the amount hangs on it, and fractions or shares."""
    match found.kind:
        case "period":
            return [Fact(_("From"), display.moment(found.span_start)), Fact(_("To"), display.moment(found.span_end))]
        case "slice" | "leftover":
            micros = to_micros(found.span_end) - to_micros(found.span_start)
            return [
                *(_exact_span(found, lasting(micros)) if micros else [Fact(_("When"), steps.instant(found.span_end))]),
                Fact(_("Brought over from earlier use"), _rest(found, found.remainder_before)),
                Fact(_("Carried on to the next charge"), _rest(found, found.remainder_after)),
            ]
        case _:
            paid = display.money(Money(found.paid, found.price.currency))
            return [
                *_exact_span(found, lasting(found.left)),
                Fact(_("Had been paid"), paid),
                Fact(_("Not used"), share(found.left, found.full)),
            ]


def _exact_span(found: Explanation, how_long: str) -> list[Fact]:
    return [
        Fact(_("From"), steps.instant(found.span_start)),
        Fact(_("To"), steps.instant(found.span_end)),
        Fact(_("How long"), how_long),
    ]


def _rest(found: Explanation, parts: int | None) -> str:
    """Write a fraction of the smallest unit of money, in so many parts of the rate's length."""
    unit = display.money(Money(1, found.price.currency))
    return f"{fraction(parts, found.rate_length or 1)} × {unit}" if parts else _("nothing")
