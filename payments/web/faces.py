"""The faces of a payment's page: one for everything a payment can be. Which one is decided here and nowhere else.

"No money has been taken" is said only where the gateway said so: failed, cancelled, expired.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments.gateways.base import State
from payments.models import Payment

Status = Payment.Status

# Nothing happens before the customer acts; of all other open payments it is not known yet how they end.
WAITS_FOR_CUSTOMER = frozenset({"unopened", "created", "action"})

# From then on the page says not to pay again.
LATE_AFTER = timedelta(seconds=60)


class Face(StrEnum):
    """Each has a template of its name in templates/payments/faces/."""

    UNOPENED = "unopened"
    CREATED = "created"
    ACTION = "action"
    PROCESSING = "processing"
    LATE = "late"
    CHECKING = "checking"
    SUCCEEDED = "succeeded"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Look:
    """How a face is drawn: colour, heading, how far the three steps have come, and whether it may still move."""

    tone: str
    heading: str | Promise
    steps: tuple[str, str, str]
    moves: bool = False


LOOKS = {
    Face.UNOPENED: Look("warn", _("The payment page did not open"), ("done", "", ""), moves=True),
    Face.CREATED: Look("info", _("Continue to payment"), ("done", "now", ""), moves=True),
    Face.ACTION: Look("info", _("Your bank asks you to confirm"), ("done", "now", ""), moves=True),
    Face.PROCESSING: Look("info", _("Confirming your payment"), ("done", "now", ""), moves=True),
    Face.LATE: Look("warn", _("Still waiting for the bank"), ("done", "now", ""), moves=True),
    Face.CHECKING: Look("warn", _("We are checking this payment"), ("done", "now", "")),
    Face.SUCCEEDED: Look("ok", _("Payment received"), ("done", "done", "done")),
    Face.PARTLY_REFUNDED: Look("ok", _("Partly refunded"), ("done", "done", "done")),
    Face.REFUNDED: Look("ok", _("Refunded"), ("done", "done", "done")),
    Face.FAILED: Look("bad", _("The bank declined the payment"), ("done", "fail", "")),
    Face.REFUSED: Look("bad", _("The payment was not accepted"), ("done", "fail", "")),
    Face.CANCELLED: Look("", _("You cancelled the payment"), ("done", "fail", "")),
    Face.EXPIRED: Look("warn", _("The payment page has expired"), ("done", "fail", "")),
}


def face_of(payment: Payment, *, now: datetime) -> Face:
    """Decide which face a payment has at `now`."""
    match Status(payment.status):
        case Status.CONFIRMED:
            return _after_money(payment)
        case Status.FAILED:
            return Face.REFUSED if payment.failure_code == "gateway_refused" else Face.FAILED
        case Status.CANCELLED:
            return Face.CANCELLED
        case Status.EXPIRED:
            return Face.EXPIRED
        case Status.PENDING | Status.UNKNOWN:
            return _under_way(payment, now=now)


def _after_money(payment: Payment) -> Face:
    if not payment.amount_refunded:
        return Face.SUCCEEDED
    return Face.REFUNDED if payment.amount_refunded == payment.amount else Face.PARTLY_REFUNDED


def _under_way(payment: Payment, *, now: datetime) -> Face:
    if payment.parked_reason:
        return Face.CHECKING
    if not payment.confirmation_url:
        return Face.UNOPENED
    if payment.status == Status.PENDING and payment.gateway_state in ("", State.OPEN):
        return Face.CREATED
    if payment.status == Status.PENDING and payment.gateway_state == State.REQUIRES_ACTION:
        return Face.ACTION
    return Face.LATE if now - payment.updated_at > LATE_AFTER else Face.PROCESSING
