"""What receipts and sent refunds have moved on the seller's bank account, as payouts of the gateway protocol.

Money of a transfer is on the bank account when staff record it, and a refund has left it when staff have sent it. So
each of them is a payout: above zero for money in, below zero for money out.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from payments.gateways.aftermath import PayoutSnapshot
from payments.gateways.manual.models import ManualReceipt, ManualRefund


def of_receipt(receipt: ManualReceipt) -> PayoutSnapshot:
    """Return what a receipt has brought to the bank account. One that is void has brought nothing: it is not paid."""
    midnight = datetime.combine(receipt.received_on, time(), UTC)
    return PayoutSnapshot(
        gateway_id=f"receipt_{receipt.pk}",
        amount=receipt.amount,
        currency=receipt.transfer.currency,
        # The bank's day may be one ahead of ours.
        arrived_at=min(midnight, receipt.recorded_at),
        is_paid=receipt.voided_at is None,
    )


def of_refund(refund: ManualRefund) -> PayoutSnapshot:
    """Return what a refund that was sent has taken from the bank account."""
    assert refund.closed_at is not None
    return PayoutSnapshot(
        gateway_id=refund.refund_id,
        amount=-refund.amount,
        currency=refund.transfer.currency,
        arrived_at=refund.closed_at,
    )


def between(since: datetime, until: datetime) -> Iterator[PayoutSnapshot]:
    """Yield the movements of [since, until): receipts first, then refunds."""
    last = until.date() + timedelta(days=1)
    receipts = ManualReceipt.objects.filter(received_on__gte=since.date(), received_on__lte=last)
    for receipt in receipts.select_related("transfer").order_by("id").iterator(chunk_size=500):
        movement = of_receipt(receipt)
        if since <= movement.arrived_at < until:
            yield movement
    sent = ManualRefund.objects.filter(status=ManualRefund.Status.SENT, closed_at__gte=since, closed_at__lt=until)
    for refund in sent.select_related("transfer").order_by("id").iterator(chunk_size=500):
        yield of_refund(refund)
