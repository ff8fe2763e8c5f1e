"""What a payment writes into the event log, in the transaction of its move."""

from datetime import datetime

from accounts import events
from payments.models import Payment


def tell(payment: Payment, kind: str, *, now: datetime) -> None:
    """Write `payment.<kind>` with what a receipt or a mail needs to say."""
    data = {
        "amount": {"value": payment.money.plain(), "currency": payment.currency},
        "status": payment.status,
        "gateway": payment.gateway,
        "subscription": payment.subscription.public_id if payment.subscription else None,
    }
    events.record([events.Fact(payment.customer_id, f"payment.{kind}", payment.public_id, now, data)])
