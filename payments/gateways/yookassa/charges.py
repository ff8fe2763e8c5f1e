"""Charges of saved methods at YooKassa: payments with `payment_method_id`, which need no page (autopayments)."""

from typing import Any

from ledger.money import Money
from payments.gateways.charges import ChargeRequest
from payments.gateways.yookassa import fiscal_receipts, snapshots

# The longest description that YooKassa takes, in characters.
LONGEST_DESCRIPTION = 128


def body(request: ChargeRequest) -> dict[str, Any]:
    """Return the body that makes the payment. Raises GatewayError if a receipt is needed and there is no address."""
    money = Money(request.amount, request.currency)
    receipt = fiscal_receipts.data(description=request.description, money=money, email=request.email)
    metadata = {snapshots.PAYMENT_KEY: request.idempotency_key}
    if receipt:
        # Refunds need a receipt too, and know only the payment.
        metadata[snapshots.EMAIL_KEY] = request.email
    made: dict[str, Any] = {
        "amount": {"value": money.plain(), "currency": money.currency},
        "capture": True,
        "payment_method_id": request.method,
        "description": request.description[:LONGEST_DESCRIPTION] or request.idempotency_key,
        "metadata": metadata,
    }
    if request.customer:
        made["merchant_customer_id"] = request.customer
    return made | receipt
