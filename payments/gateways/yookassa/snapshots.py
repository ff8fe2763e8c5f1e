"""What YooKassa's objects mean in the gateway protocol. No network."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from ledger.money import Money
from payments.gateways.aftermath import RefundSnapshot, RefundState
from payments.gateways.errors import GatewayError
from payments.gateways.methods import Method
from payments.gateways.sessions import Snapshot, State
from payments.gateways.yookassa import client, declines

log = structlog.get_logger(__name__)

# The keys of the metadata in which a payment and a refund carry our id, and a payment the address for receipts.
PAYMENT_KEY = "payment_id"
REFUND_KEY = "refund_id"
EMAIL_KEY = "receipt_email"
# A refund has our id at the end of its description too.
DESCRIBED = re.compile(r"\(([A-Za-z0-9_-]{1,64})\)$", re.ASCII)

STATES = {
    "pending": State.OPEN,
    "waiting_for_capture": State.PROCESSING,
    "succeeded": State.SUCCEEDED,
}
# Why a payment was cancelled, where that is no failure. Any other reason is one.
ENDS = {
    "expired_on_confirmation": State.EXPIRED,
    "canceled_by_merchant": State.CANCELLED,
}
REFUND_STATES = {
    "pending": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "canceled": RefundState.FAILED,
}
# Names of payment methods as people know them.
BRANDS = {
    "Mir": "MIR", "Unknown": "", "sbp": "SBP", "yoo_money": "YooMoney", "sberbank": "SberPay", "tinkoff_bank": "T-Pay",
}  # fmt: skip


def payment(found: Mapping[str, Any]) -> Snapshot:
    """Return the snapshot of a payment. Raises GatewayError, not permanent, if the object makes no sense."""
    gateway_id, status = _text(found, "id"), _text(found, "status")
    reason = str(_inner(found, "cancellation_details").get("reason") or "")
    state = ENDS.get(reason, State.FAILED) if status == "canceled" else STATES.get(status, State.UNRECOGNISED)
    if state is State.OPEN and "confirmation" not in found and _inner(found, "payment_method").get("saved") is True:
        # A charge of a saved method: there is no page, and YooKassa is at work.
        state = State.PROCESSING
    if state is State.UNRECOGNISED:
        log.error("yookassa_status_unknown", payment=gateway_id, status=status)
    taken = money(_inner(found, "amount")) if state is State.SUCCEEDED else None
    fee = _fee(found, taken) if taken else None
    return Snapshot(
        gateway_id=gateway_id,
        state=state,
        amount=taken.amount if taken else None,
        currency=taken.currency if taken else None,
        failure_code=(reason or status) if state is State.FAILED else "",
        decline=declines.of(reason) if state is State.FAILED else None,
        fee=fee,
        fee_currency=taken.currency if taken and fee is not None else "",
        method=_kept_method(found),
        idempotency_key=str(_inner(found, "metadata").get(PAYMENT_KEY) or ""),
        created_at=moment(found),
    )


def refund(found: Mapping[str, Any]) -> RefundSnapshot:
    """Return the snapshot of a refund. Raises GatewayError, not permanent, if the object makes no sense."""
    gateway_id, status = _text(found, "id"), _text(found, "status")
    if status not in REFUND_STATES:
        log.error("yookassa_status_unknown", refund=gateway_id, status=status)
    state = REFUND_STATES.get(status, RefundState.PENDING)
    amount = money(_inner(found, "amount"))
    reason = str(_inner(found, "cancellation_details").get("reason") or "")
    return RefundSnapshot(
        gateway_id=gateway_id,
        state=state,
        failure_code=(reason or status) if state is RefundState.FAILED else "",
        amount=amount.amount,
        currency=amount.currency,
        payment=_text(found, "payment_id"),
        idempotency_key=_refund_key(found),
        created_at=moment(found),
    )


def method(found: Mapping[str, Any]) -> Method:
    """Return a payment method. Raises GatewayError, not permanent, if the object makes no sense."""
    card, kind = _inner(found, "card"), str(found.get("type") or "")
    brand = str(card.get("card_type") or "") or kind
    return Method(
        gateway_id=_text(found, "id"),
        brand=BRANDS.get(brand, brand),
        last4=str(card.get("last4") or ""),
        expires_on=_last_day(card),
        is_kept=found.get("saved") is True and found.get("status", "active") == "active",
    )


def money(amount: Mapping[str, Any]) -> Money:
    """Return an amount such as {"value": "1342.00", "currency": "RUB"}, exactly. Raises GatewayError."""
    value, currency = amount.get("value"), amount.get("currency")
    try:
        if not isinstance(value, str) or not isinstance(currency, str):
            raise TypeError
        return Money.parse(value, currency)
    except (TypeError, ValueError) as error:
        raise client.unreadable("an amount that is none") from error


def moment(found: Mapping[str, Any]) -> datetime | None:
    """Return when an object was created; None if that is missing or not readable."""
    try:
        at = datetime.fromisoformat(str(found.get("created_at")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _refund_key(found: Mapping[str, Any]) -> str:
    """Return our id of a refund, "" if somebody made it in YooKassa's console."""
    described = DESCRIBED.search(str(found.get("description") or ""))
    return str(_inner(found, "metadata").get(REFUND_KEY) or (described[1] if described else ""))


def _fee(found: Mapping[str, Any], taken: Money) -> int | None:
    """Return what YooKassa keeps; None while that is missing or not readable: the payment is valid all the same."""
    income = _inner(found, "income_amount")
    try:
        credited = money(income) if income else None
    except GatewayError:
        return None
    return taken.amount - credited.amount if credited and credited.currency == taken.currency else None


def _kept_method(found: Mapping[str, Any]) -> Method | None:
    used = _inner(found, "payment_method")
    return method(used) if used.get("saved") is True and isinstance(used.get("id"), str) and used["id"] else None


def _last_day(card: Mapping[str, Any]) -> datetime | None:
    """Return the last day of the card's month."""
    try:
        year, month = int(card["expiry_year"]), int(card["expiry_month"])
        first_after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    except (KeyError, TypeError, ValueError):
        return None
    return first_after - timedelta(days=1)


def _inner(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object under `name`; an empty one if there is none."""
    inner = found.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(found: Mapping[str, Any], name: str) -> str:
    text = found.get(name)
    if not isinstance(text, str) or not text:
        raise client.unreadable(f"an object without {name}")
    return text
