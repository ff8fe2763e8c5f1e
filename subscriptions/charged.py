"""Which charge a transaction belongs to: read for many transactions at once, with the plan and the subscription."""

from collections.abc import Iterable

from django.db.models import Q

from ledger.models import Transaction
from subscriptions.models import Charge

REASONS = (Transaction.Reason.CHARGE, Transaction.Reason.UNUSED_REFUND)


def charges_of(rows: Iterable[Transaction]) -> dict[int, Charge]:
    """Find, by the transaction's number, what was charged or given back of it. One query at most."""
    ids = {row.pk for row in rows if row.reason in REASONS}
    if not ids:
        return {}
    found = Charge.objects.filter(Q(transaction__in=ids) | Q(refund__in=ids)).select_related(
        "price__plan", "subscription"
    )
    both = {pk: charge for charge in found for pk in (charge.transaction_id, charge.refund_id) if pk}
    return {pk: charge for pk, charge in both.items() if pk in ids}
