"""A wallet's transactions as its owner sees them: signed amounts, words for reasons."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import islice

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from ledger import display
from ledger.labels import REASONS
from ledger.models import Transaction
from ledger.money import Money
from subscriptions.explain.arithmetic import charges_of
from subscriptions.models import Charge


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement, from the wallet's side: more than zero came in."""

    id: int
    at: datetime
    reason: str
    # Empty where it would only say the reason again.
    description: str
    money: Money
    balance: Money
    # Public id of what it was for, if whoever reads the log knows.
    about: str = ""

    @property
    def came_in(self) -> bool:
        return self.money.amount > 0


def lines(rows: Iterable[Transaction]) -> Iterator[StatementLine]:
    """Read transactions from the side of the wallet each belongs to."""
    for row in rows:
        sign = 1 if row.credit_id == row.wallet_id else -1
        yield StatementLine(
            id=row.pk,
            at=row.effective_at,
            reason=str(REASONS[Transaction.Reason(row.reason)]),
            description="" if row.description in _names(row.reason) else row.description,
            money=Money(sign * row.amount, row.currency),
            balance=Money(row.balance_after or 0, row.currency),
        )


@cache
def _names(reason: str) -> frozenset[str]:
    """What a reason is called in each language: a description that says no more than that is left out."""
    names = set()
    for language, _name in settings.LANGUAGES:
        with override(language):
            names.add(str(REASONS[Transaction.Reason(reason)]))
    return frozenset(names)


CHUNK = 500


def named(rows: Iterable[Transaction]) -> Iterator[StatementLine]:
    """Read transactions as lines; a charge and what was given back of it say which plan and which span."""
    walk = iter(rows)
    while chunk := list(islice(walk, CHUNK)):
        charges = charges_of(chunk)
        for line in lines(chunk):
            charge = charges.get(line.id)
            yield (
                line
                if charge is None
                else replace(line, description=_words(charge), about=charge.subscription.public_id)
            )


def _words(charge: Charge) -> str:
    """Name the plan, and for paid-ahead periods the days it was paid for."""
    plan = charge.price.plan.title
    if charge.price.metered:
        return plan
    start, end = display.day(charge.period_start), display.day(charge.period_end)
    return _("%(plan)s, %(start)s to %(end)s") % {"plan": plan, "start": start, "end": end}
