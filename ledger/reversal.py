"""Reverse a transaction: post a new one, its exact opposite, that refers to it. Each is reversed at most once."""

from datetime import datetime
from uuid import UUID

from ledger.batch import Entry
from ledger.models import Transaction


def entry(
    transaction: Transaction,
    *,
    reason: str,
    effective_at: datetime,
    description: str = "",
    group: UUID | None = None,
    author: int | None = None,
) -> Entry:
    """Return the entry that reverses the transaction, to be posted alone or in a group.

    Its key is derived from the transaction, so a second attempt finds the first. If the money has been spent, posting
    it is `insufficient`, as for any entry.
    """
    return Entry(
        key=f"reversal:{transaction.pk}",
        debit=transaction.credit_id,
        credit=transaction.debit_id,
        amount=transaction.amount,
        currency=transaction.currency,
        reason=reason,
        effective_at=effective_at,
        description=description,
        group=group,
        reverses=transaction.pk,
        author=author,
    )
