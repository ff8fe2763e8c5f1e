"""The explanation of a transaction as the customer's page and the admin show it.

The calculation is in subscriptions.explain.arithmetic, the sentences are in subscriptions.explain.sentences.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

from ledger import display
from ledger.models import Transaction
from ledger.money import Money
from subscriptions.explain import sentences
from subscriptions.explain.arithmetic import Explanation, explain
from subscriptions.explain.sentences import fraction, lasting, rate, share, shortly
from subscriptions.labels import span
from subscriptions.web.statement import StatementLine, statement_lines


class Detail(NamedTuple):
    """One labelled value that the amount depends on."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedTransaction:
    """A transaction and how its amount was calculated."""

    line: StatementLine
    # Public id of the payment, for a top-up; otherwise empty.
    payment: str
    details: list[Detail]
    # What only an exact calculation needs: version, instants to the microsecond, fractions of a minor unit.
    exact: list[Detail]
    # The balance after it; None if it moved only the debt.
    balance: Money | None
    # The calculation in one line.
    sum: str
    # What else a customer must know about the amount.
    notes: list[str]
    # A sentence on whether the calculation, repeated now, gives the posted amount.
    verdict: str
    # None if no price produced the amount, so that there is nothing to compare.
    matches: bool | None
    # The result of the repeated calculation, and what was posted, with the part that became a debt.
    worked_out: Money | None
    posted: Money
    # The calculation in minor units and microseconds.
    formula: str

    @property
    def reference(self) -> str:
        return self.line.reference


def explain_transaction(transaction: Transaction) -> ExplainedTransaction:
    """Return the explanation of a transaction of a wallet, or of days of grace that became a debt."""
    [line] = statement_lines([transaction])
    explanation = explain(transaction)
    balance = None if transaction.wallet_id is None else line.balance
    if explanation is None:
        movement, balances = sentences.of_movement(transaction, write=display.money)
        return ExplainedTransaction(
            line=line, payment=line.payment, details=[], exact=[], balance=balance, sum=movement, notes=[],
            verdict=balances, matches=None, worked_out=None, posted=Money(transaction.amount, transaction.currency),
            formula="",
        )  # fmt: skip
    return ExplainedTransaction(
        line=line, payment=line.payment, details=[*_terms(explanation), *_measures(explanation)],
        exact=_exactly(explanation), balance=balance,
        sum=sentences.arithmetic(explanation, write=display.money, length=sentences.to_second),
        notes=sentences.notes(explanation, write=display.money),
        verdict=sentences.verdict(explanation, write=display.money), matches=explanation.matches,
        worked_out=Money(explanation.worked_out, transaction.currency),
        posted=Money(explanation.posted, transaction.currency), formula=explanation.formula,
    )  # fmt: skip


def _terms(explanation: Explanation) -> list[Detail]:
    """Return the terms: plan, price, quantity, periods."""
    price = explanation.price
    details = [
        Detail(_("Plan"), price.plan.title),
        Detail(_("Price"), rate(price, write=display.money)),
    ]
    if explanation.previous_quantity is not None:
        details.append(Detail(_("Quantity before"), str(explanation.previous_quantity)))
    if explanation.quantity > 1 or explanation.previous_quantity is not None:
        details.append(Detail(_("Quantity"), str(explanation.quantity)))
    if explanation.kind != "slice":
        details.append(Detail(_("Payment period"), span(price, explanation.periods)))
    return details


def _measures(explanation: Explanation) -> list[Detail]:
    """Return the time charged or refunded, to the minute, and the shares of a period."""
    details = [
        Detail(_("From"), display.moment(explanation.span_start)),
        Detail(_("To"), display.moment(explanation.span_end)),
    ]
    if explanation.kind == "period":
        return details
    part = share(explanation.part, explanation.full, length=sentences.to_second) if explanation.full else ""
    match explanation.kind:
        case "slice":
            details.append(Detail(_("Duration"), shortly(timedelta(microseconds=explanation.micros))))
        case "grace":
            paid, debt = (
                display.money(Money(amount, explanation.price.currency))
                for amount in (explanation.posted - explanation.debt, explanation.debt)
            )
            details += [Detail(_("Payment overdue for"), part), Detail(_("From the balance"), paid)]
            if explanation.debt:
                details.append(Detail(_("Debt"), debt))
        case "difference":
            details.append(Detail(_("Time left"), part))
        case _:
            details.append(Detail(_("Unused"), part))
    return details


def _exactly(explanation: Explanation) -> list[Detail]:
    """Return the version of the price and, where the amount depends on them, the exact instants and fractions."""
    details = [Detail(_("Price version"), str(explanation.price.version))]
    if explanation.kind == "period":
        return details
    details += [
        Detail(_("From"), sentences.instant(explanation.span_start)),
        Detail(_("To"), sentences.instant(explanation.span_end)),
        Detail(_("Duration"), lasting(explanation.micros)),
    ]
    if explanation.kind == "slice":
        details += [
            Detail(_("Left from the previous charge"), _credit(explanation, explanation.credit_before)),
            Detail(_("Left for the next charge"), _credit(explanation, explanation.credit_after)),
        ]
    return details


def _credit(explanation: Explanation, parts: int | None) -> str:
    """Return a fraction of a minor unit as text; `parts` are in units of one over the rate's length."""
    unit = display.money(Money(1, explanation.price.currency))
    return f"{fraction(parts, explanation.rate_length or 1)} × {unit}" if parts else _("nothing")
