"""What is in an account, what was, and how it came to be so. Reading only."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection
from django.db.models import Case, F, Q, QuerySet, Sum, When
from django.db.models.fields.tuple_lookups import TupleLessThan

from ledger.models import Account, Rollup, Transaction

NOT_CHARGES = ~Q(reason=Transaction.Reason.CHARGE)

TRIAL_BALANCE = """
    SELECT coalesce((SELECT sum(balance) FROM ledger_account WHERE currency = %(currency)s), 0)
         + coalesce((SELECT sum(delta) FROM ledger_rollup AS rollup
                       JOIN ledger_account AS account ON account.id = rollup.account_id
                      WHERE account.currency = %(currency)s), 0)
"""


def balance(account_id: int, *, at: datetime | None = None) -> int:
    """Return what the account holds, in minor units: now, or after everything effective up to and including `at`.

    A customer's own accounts answer through an index however long their history; a system account's past is added
    up from every transaction.
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
    """Return a page of the wallet's transactions, newest first, at the same cost however far back it is.

    `before_id` is the last one of the page before; `start` and `end` bound effective_at, half-open.
    """
    rows = transactions_of(wallet_id, reasons=reasons, start=start, end=end)
    if before_id is not None:
        before = Transaction.objects.filter(wallet=wallet_id, pk=before_id).first()
        if before is None:
            return []
        rows = rows.filter(TupleLessThan((F("effective_at"), F("id")), (before.effective_at, before.id)))
    return list(rows[:limit])


def transactions_of(
    wallet_id: int, *, reasons: Collection[str] = (), start: datetime | None = None, end: datetime | None = None
) -> QuerySet[Transaction]:
    """Return the wallet's transactions, newest first, with the filters of a statement.

    Within a wallet effective_at follows id, so this is also the order of posting, and the order of the index.
    """
    rows = Transaction.objects.filter(wallet=wallet_id).order_by("-effective_at", "-id")
    if reasons:
        rows = rows.filter(reason__in=reasons)
        if Transaction.Reason.CHARGE not in reasons:
            # Said once more in the words of the index that leaves charges out.
            rows = rows.filter(NOT_CHARGES)
    if start is not None:
        rows = rows.filter(effective_at__gte=start)
    if end is not None:
        rows = rows.filter(effective_at__lt=end)
    return rows


def trial_balance(currency: str) -> int:
    """Add up every account of the currency. Anything but zero means that money came from nowhere."""
    with connection.cursor() as cursor:
        cursor.execute(TRIAL_BALANCE, {"currency": currency})
        return int(cursor.fetchone()[0])


def _balance_at(account: Account, at: datetime) -> int:
    if account.kind == Account.Kind.WALLET:
        last = transactions_of(account.id).filter(effective_at__lte=at).first()
        return (last.balance_after or 0) if last else 0
    rows = Transaction.objects.filter(Q(debit=account) | Q(credit=account), effective_at__lte=at)
    if account.kind == Account.Kind.DEBT:
        # What made it touches no wallet; what paid it off stands in the wallet's statement, and is no charge.
        wallet = Account.objects.filter(owner=account.owner, currency=account.currency, kind=Account.Kind.WALLET)
        rows = rows.filter(Q(customer=account.owner, wallet=None) | (Q(wallet__in=wallet) & NOT_CHARGES))
    moved = Case(When(credit=account, then=F("amount")), default=-F("amount"))
    return int(rows.aggregate(total=Sum(moved))["total"] or 0)
