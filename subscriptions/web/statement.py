"""A wallet's transactions as its owner sees them: signed amounts, reasons in words, plan and period of a charge."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import islice

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from core import dates
from ledger.labels import REASONS
from ledger.models import Transaction
from ledger.money import Money
from subscriptions.explain.arithmetic import charges_of
from subscriptions.explain.sentences import shortly
from subscriptions.labels import picture
from subscriptions.models import Charge

# How many transactions share one query for their charges.
CHUNK = 500
# Prefix of the key of a transaction that credits a payment (payments.transitions.credit).
PAYMENT = "payment:"

Reason = Transaction.Reason
ICONS = {
    Reason.TOP_UP: "plus", Reason.UNUSED_REFUND: "undo", Reason.REFUND: "undo", Reason.PROMOTION: "plus",
    Reason.CHARGEBACK: "scale", Reason.CHARGEBACK_REVERSAL: "scale", Reason.DEBT_PAYMENT: "bill",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One transaction from the wallet's side: a positive amount came in."""

    id: int
    at: datetime
    reason: str
    # Empty if it would only repeat the reason.
    description: str
    money: Money
    # The balance after it.
    balance: Money
    # The name of its icon (core.templatetags.icons).
    icon: str = "swap"
    # Public id of the subscription it was for; empty if there is none.
    about: str = ""
    # Public id of the payment that brought it; empty if none did.
    payment: str = ""
    # Of a charge: its plan, and for how long it was.
    plan: str = ""
    time: str = ""

    @property
    def reference(self) -> str:
        return f"txn_{self.id}"

    @property
    def came_in(self) -> bool:
        return self.money.amount > 0

    @property
    def title(self) -> str:
        """What it was for in the fewest words: the plan, or else the reason."""
        return self.plan or self.reason

    @property
    def detail(self) -> str:
        """What else there is to say in a list; may be empty."""
        return self.time if self.plan else self.description


def statement_lines(rows: Iterable[Transaction]) -> Iterator[StatementLine]:
    """Yield a line for each transaction. A charge and its refund name their plan, and the period paid in advance."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        charges = charges_of(chunk)
        for line in _bare_lines(chunk):
            charge = charges.get(line.id)
            yield (
                line
                if charge is None
                else replace(
                    line,
                    description=_describe(charge),
                    icon=picture(charge.price),
                    about=charge.subscription.public_id,
                    plan="" if line.came_in else charge.price.plan.title,
                    time=_time(charge),
                )
            )


def _bare_lines(rows: Iterable[Transaction]) -> Iterator[StatementLine]:
    """Yield a line for each transaction from the ledger's own columns."""
    for row in rows:
        sign = 1 if row.credit_id == row.wallet_id else -1
        yield StatementLine(
            id=row.pk,
            at=row.effective_at,
            reason=str(REASONS[Transaction.Reason(row.reason)]),
            description="" if row.description in _names(row.reason) else row.description,
            money=Money(sign * row.amount, row.currency),
            balance=Money(row.balance_after or 0, row.currency),
            icon=ICONS.get(Transaction.Reason(row.reason), "swap"),
            payment=row.key.removeprefix(PAYMENT) if row.key.startswith(PAYMENT) else "",
        )


@cache
def _names(reason: str) -> frozenset[str]:
    """Return the reason in each language; a description that only repeats one of these is left out."""
    names = set()
    for language, _name in settings.LANGUAGES:
        with override(language):
            names.add(str(REASONS[Transaction.Reason(reason)]))
    return frozenset(names)


def _describe(charge: Charge) -> str:
    """Return the plan's title, and for a period paid in advance its first and last day."""
    plan = charge.price.plan.title
    if charge.price.metered:
        return plan
    # With spaces at which a line may break: it stands in narrow columns and in CSV files.
    start, end = (
        dates.table_day(at).replace(dates.NO_BREAK_SPACE, " ") for at in (charge.period_start, charge.period_end)
    )
    return _("%(plan)s, %(start)s to %(end)s") % {"plan": plan, "start": start, "end": end}


def _time(charge: Charge) -> str:
    """Return the days of a period paid in advance, or how long metered use was; with the quantity above one."""
    if charge.price.metered:
        time = shortly(charge.period_end - charge.period_start)
    else:
        time = f"{dates.short_day(charge.period_start)} – {dates.short_day(charge.period_end)}"
    return time if charge.quantity == 1 else f"{charge.quantity} × {time}"
