"""Statements of a month: what a wallet had before, what moved by reason, and what it had after. Read-only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo

from django.db.models import Case, F, Sum, When

from ledger import statements
from ledger.models import Account, Transaction
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Statement:
    """The month of a wallet. `opening + came_in - spent` is `closing`, to the minor unit."""

    start: datetime
    # Exclusive.
    end: datetime
    opening: Money
    # What came in and what went out by reason, each above zero, the largest first.
    came_in_by: list[tuple[str, Money]]
    spent_by: list[tuple[str, Money]]
    came_in: Money
    spent: Money
    closing: Money


def bounds(year: int, month: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first instant of a month in this zone, and that of the next one."""
    first, following = date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
    return datetime.combine(first, time(), zone), datetime.combine(following, time(), zone)


def statement(wallet: Account, *, year: int, month: int, zone: tzinfo) -> Statement:
    """Return the statement of a wallet for a month in this zone."""
    start, end = bounds(year, month, zone)
    last = statements.transactions_of(wallet.pk, end=start).first()
    opening = (last.balance_after or 0) if last else 0
    rows = statements.transactions_of(wallet.pk, start=start, end=end).order_by()
    moved = Case(When(credit=wallet, then=F("amount")), default=-F("amount"))
    came_in: dict[str, int] = {}
    spent: dict[str, int] = {}
    # A reason can move money both ways, such as a correction.
    grouped = rows.annotate(comes_in=Case(When(credit=wallet, then=True), default=False))
    for reason, comes_in, total in grouped.values("reason", "comes_in").annotate(total=Sum(moved)).values_list(
        "reason", "comes_in", "total"
    ):  # fmt: skip
        (came_in if comes_in else spent)[reason] = abs(total)
    incoming, outgoing = sum(came_in.values()), sum(spent.values())
    return Statement(
        start=start,
        end=end,
        opening=Money(opening, wallet.currency),
        came_in_by=_sorted(came_in, wallet.currency),
        spent_by=_sorted(spent, wallet.currency),
        came_in=Money(incoming, wallet.currency),
        spent=Money(outgoing, wallet.currency),
        closing=Money(opening + incoming - outgoing, wallet.currency),
    )


def months_of(wallet: Account, *, now: datetime, zone: tzinfo) -> Iterator[tuple[int, int]]:
    """Yield year and month of each statement, the newest first: from the first transaction to this month."""
    first = Transaction.objects.filter(wallet=wallet).order_by("effective_at", "id").first()
    if first is None:
        return
    oldest, newest = first.effective_at.astimezone(zone), now.astimezone(zone)
    for number in range(newest.year * 12 + newest.month - 1, oldest.year * 12 + oldest.month - 2, -1):
        yield number // 12, number % 12 + 1


def _sorted(sums: dict[str, int], currency: str) -> list[tuple[str, Money]]:
    ordered = sorted(sums.items(), key=lambda each: (-each[1], each[0]))
    return [(reason, Money(amount, currency)) for reason, amount in ordered]
