"""Read balances, now or in the past, and the transactions of a wallet. Nothing here writes."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Case, F, Q, QuerySet, Sum, When
from django.db.models.fields.tuple_lookups import TupleLessThan

from ledger.models import Account, Rollup, Transaction
from ledger.money import Money

NOT_CHARGES = ~Q(reason=Transaction.Reason.CHARGE)

TRIAL_BALANCE = """
    SELECT coalesce((SELECT sum(balance) FROM ledger_account WHERE currency = %(currency)s), 0)
         + coalesce((SELECT sum(delta) FROM ledger_rollup AS rollup
                       JOIN ledger_account AS account ON account.id = rollup.account_id
                      WHERE account.currency = %(currency)s), 0)
"""


def balance(account_id: int, *, at: datetime | None = None) -> int:
    """Return the account's balance in minor units: now, or after everything effective up to and including `at`.

    A wallet or debt is read through an index, however long its history. For a past balance of a system account, every
    transaction is summed.
    """
    account = Account.objects.get(pk=account_id)
    if at is not None:
        return _balance_at(account, at)
    if account.balance is not None:
        return account.balance
    return int(Rollup.objects.filter(account=account).aggregate(total=Sum("delta"))["total"] or 0)


def statement(
    wallet_id: int,
    *,
    before_id: int | None = None,
    limit: int = 50,
    reasons: Collection[str] = (),
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Transaction]:
    """Return a page of the wallet's transactions, newest first. An old page costs no more than a new one.

    `before_id` is the id of the last row of the previous page. `start` (inclusive) and `end` (exclusive) bound
    effective_at.
    """
    rows = transactions_of(wallet_id, reasons=reasons, start=start, end=end)
    if before_id is not None:
        before = Transaction.objects.filter(wallet=wallet_id, pk=before_id).first()
        if before is None:
            return []
        rows = rows.filter(TupleLessThan((F("effective_at"), F("id")), (before.effective_at, before.id)))
    return list(rows[:limit])


def latest(wallet_ids: Collection[int], *, limit: int) -> list[Transaction]:
    """Return the last transactions of each of these wallets, newest first, in one query."""
    if not wallet_ids:
        return []
    first, *others = (transactions_of(wallet_id)[:limit] for wallet_id in wallet_ids)
    rows = first.union(*others, all=True) if others else first
    return sorted(rows, key=lambda row: (row.effective_at, row.pk), reverse=True)


def transactions_of(
    wallet_id: int, *, reasons: Collection[str] = (), start: datetime | None = None, end: datetime | None = None
) -> QuerySet[Transaction]:
    """Return the wallet's transactions, newest first, filtered as in `statement`.

    Within a wallet effective_at never decreases with id, so this is also the order of posting and of the index.
    """
    rows = Transaction.objects.filter(wallet=wallet_id).order_by("-effective_at", "-id")
    if reasons:
        rows = rows.filter(reason__in=reasons)
        if Transaction.Reason.CHARGE not in reasons:
            # Redundant, but the planner needs the condition of the index that leaves charges out.
            rows = rows.filter(NOT_CHARGES)
    if start is not None:
        rows = rows.filter(effective_at__gte=start)
    if end is not None:
        rows = rows.filter(effective_at__lt=end)
    return rows


class Totals(NamedTuple):
    """What came into a wallet and what went out of it, each zero or more."""

    came_in: Money
    spent: Money


def totals(
    wallet: Account, *, reasons: Collection[str] = (), start: datetime | None = None, end: datetime | None = None
) -> Totals:
    """Return the totals of the wallet's transactions, filtered as in `statement`."""
    rows = transactions_of(wallet.pk, reasons=reasons, start=start, end=end).order_by()
    sums = rows.aggregate(
        came_in=Sum("amount", filter=Q(credit=wallet), default=0),
        spent=Sum("amount", filter=Q(debit=wallet), default=0),
    )
    return Totals(Money(int(sums["came_in"]), wallet.currency), Money(int(sums["spent"]), wallet.currency))


def trial_balance(currency: str) -> int:
    """Return the sum of all accounts of the currency. Anything but zero means that money appeared or disappeared."""
    with connection.cursor() as cursor:
        cursor.execute(TRIAL_BALANCE, {"currency": currency})
        return int(cursor.fetchone()[0])


def _balance_at(account: Account, at: datetime) -> int:
    if account.kind == Account.Kind.WALLET:
        last = transactions_of(account.id).filter(effective_at__lte=at).first()
        return (last.balance_after or 0) if last else 0
    rows = Transaction.objects.filter(Q(debit=account) | Q(credit=account), effective_at__lte=at)
    if account.kind == Account.Kind.DEBT:
        # Transactions that increase the debt move no wallet; those that pay it off move the wallet and are no charges.
        wallet = Account.objects.filter(owner=account.owner, currency=account.currency, kind=Account.Kind.WALLET)
        rows = rows.filter(Q(customer=account.owner, wallet=None) | (Q(wallet__in=wallet) & NOT_CHARGES))
    moved = Case(When(credit=account, then=F("amount")), default=-F("amount"))
    return int(rows.aggregate(total=Sum(moved))["total"] or 0)
