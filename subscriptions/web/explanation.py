"""An explanation as pages show it, the customer's and the admin's alike: facts, the sum, whether it matches.

Works nothing out itself: that is explaining.py's business, and the sentences are those of steps.py.
"""

from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _

from ledger import display
from ledger.models import Transaction
from ledger.money import Money
from subscriptions.explain import sentences
from subscriptions.explain.arithmetic import Explanation, explain
from subscriptions.explain.sentences import fraction, lasting, rate, share
from subscriptions.labels import span
from subscriptions.web.statement import StatementLine, named

# How payments keys the transaction that credits one (payments/endings.py).
PAYMENT = "payment:"


class Detail(NamedTuple):
    """One number the amount hangs on."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A transaction with everything its amount comes from."""

    line: StatementLine
    # Public id of the payment that brought it, for a top-up.
    payment: str
    facts: list[Detail]
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
        said, balances = sentences.of_movement(transaction, write=display.money)
        return Told(
            line=line, payment=payment, facts=[], sum=said, verdict=balances, matches=None, worked_out=None,
            posted=posted, formula="",
        )  # fmt: skip
    return Told(
        line=line, payment=payment, facts=[*_terms(found), *_measured(found)],
        sum=sentences.arithmetic(found, write=display.money), verdict=sentences.verdict(found, write=display.money),
        matches=found.matches, worked_out=Money(found.worked_out, posted.currency), posted=posted,
        formula=found.formula,
    )  # fmt: skip


def _terms(found: Explanation) -> list[Detail]:
    """What was agreed: plan, price version, how many."""
    price = found.price
    facts = [
        Detail(_("Plan"), price.plan.title),
        Detail(_("Price"), rate(price, write=display.money)),
        Detail(_("Version of the price"), str(price.version)),
    ]
    if found.quantity > 1:
        facts.append(Detail(_("Quantity"), str(found.quantity)))
    if found.kind == "period":
        facts.append(Detail(_("Paid for at once"), span(price, found.periods)))
    return facts


def _measured(found: Explanation) -> list[Detail]:
    """What it was for: the span, exact where the amount hangs on it, and fractions or shares."""
    match found.kind:
        case "period":
            return [
                Detail(_("From"), display.moment(found.span_start)),
                Detail(_("To"), display.moment(found.span_end)),
            ]
        case "slice" | "leftover":
            return [
                *(
                    _exact_span(found, lasting(found.micros))
                    if found.micros
                    else [Detail(_("When"), sentences.instant(found.span_end))]
                ),
                Detail(_("Brought over from earlier use"), _rest(found, found.remainder_before)),
                Detail(_("Carried on to the next charge"), _rest(found, found.remainder_after)),
            ]
        case _:
            paid = display.money(Money(found.paid, found.price.currency))
            return [
                *_exact_span(found, lasting(found.left)),
                Detail(_("Had been paid"), paid),
                Detail(_("Not used"), share(found.left, found.full)),
            ]


def _exact_span(found: Explanation, how_long: str) -> list[Detail]:
    return [
        Detail(_("From"), sentences.instant(found.span_start)),
        Detail(_("To"), sentences.instant(found.span_end)),
        Detail(_("How long"), how_long),
    ]


def _rest(found: Explanation, parts: int | None) -> str:
    """Write a fraction of the smallest unit of money, in so many parts of the rate's length."""
    unit = display.money(Money(1, found.price.currency))
    return f"{fraction(parts, found.rate_length or 1)} × {unit}" if parts else _("nothing")
