"""What gateways keep for themselves: posted once for each payment, from the gateway's clearing account."""

from datetime import datetime

import ledger
from payments.models import Payment


def post(payment: Payment, fee: int, *, now: datetime) -> None:
    """Post the fee of a confirmed payment, in minor units of the currency it received. Call it in a transaction."""
    entry = ledger.Entry(
        f"fee:{payment.public_id}", "gateway_fees", f"gateway_clearing:{payment.gateway}", fee,
        payment.received_currency, "fee", now,
    )  # fmt: skip
    ledger.post([entry])
    payment.fee = fee
    payment.save(update_fields=["fee"])
