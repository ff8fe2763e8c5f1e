"""Taking a transaction back: a new one, the exact opposite, that names it. At most once for each."""

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
    """Return the entry that takes the transaction back; post it alone or in a group with others.

    Its key is derived from the transaction, so that a second attempt finds the first. When the money is no longer
    there, posting it is `insufficient`, as for any other.
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
