"""Stripe's objects as the data of payments.gateways.base. Pure: no network, and the caller passes the time.

A word that Stripe did not have when this was written is State.UNRECOGNISED, a pending refund or an open dispute.
"""

from calendar import monthrange
from datetime import UTC, datetime

import stripe
import structlog
from stripe.checkout import Session as CheckoutSession

from payments.gateways.aftermath import DisputeSnapshot, DisputeState, PayoutSnapshot, RefundSnapshot, RefundState
from payments.gateways.methods import Method
from payments.gateways.sessions import Snapshot, State
from payments.gateways.stripe import declines
from payments.gateways.stripe.amounts import from_stripe

log = structlog.get_logger(__name__)

# The metadata with our ids, on sessions, intents and refunds.
PAYMENT, REFUND, SETUP = "payment", "refund", "setup"
# The mark of an intent that charges a saved method. It has no session.
CHARGE = "charge"
# What of a payment intent a snapshot needs: the fee, and the method that is kept.
INTENT = ("latest_charge.balance_transaction", "payment_method")

INTENT_STATES = {
    "requires_confirmation": State.OPEN,
    "requires_action": State.REQUIRES_ACTION,
    "processing": State.PROCESSING,
    "requires_capture": State.PROCESSING,
    "succeeded": State.SUCCEEDED,
    "canceled": State.CANCELLED,
}
REFUND_STATES = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
DISPUTE_STATES = {
    "warning_needs_response": DisputeState.OPEN,
    "warning_under_review": DisputeState.OPEN,
    # The bank only asked, or the dispute was averted: nothing was taken.
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.OPEN,
    "appeal_needs_response": DisputeState.OPEN,
    "appeal_under_review": DisputeState.OPEN,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}
# A payout with another word is on its way: pending, in_transit. One that is cancelled has sent nothing.
PAYOUT_ENDS = frozenset({"paid", "failed"})
BRANDS = {
    "amex": "American Express", "diners": "Diners Club", "eftpos_au": "eftpos", "jcb": "JCB", "unionpay": "UnionPay",
    "sepa_debit": "SEPA", "us_bank_account": "ACH",
}  # fmt: skip


def of_session(session: CheckoutSession, *, now: float) -> Snapshot:
    """Return the snapshot of a payment by its Checkout Session, with `payment_intent` expanded. `now` in seconds."""
    intent = session.payment_intent if isinstance(session.payment_intent, stripe.PaymentIntent) else None
    state = _session_state(session, intent, now=now)
    common = _of_intent(intent, state) if intent else Snapshot(gateway_id=session.id, state=state)
    taken, currency = common.amount, common.currency
    if state is State.SUCCEEDED and intent is None and session.currency and session.amount_total is not None:
        taken, currency = from_stripe(session.amount_total, session.currency), session.currency.upper()
    return Snapshot(
        gateway_id=session.id,
        state=state,
        amount=taken,
        currency=currency,
        failure_code=common.failure_code,
        fee=common.fee,
        fee_currency=common.fee_currency,
        method=common.method,
        idempotency_key=session.client_reference_id or "",
        created_at=_time(session.created),
    )


def of_intent(intent: stripe.PaymentIntent) -> Snapshot:
    """Return the snapshot of a payment that was not made by a Checkout Session: its gateway id is the intent's."""
    return _of_intent(intent, _intent_state(intent))


def of_refund(refund: stripe.Refund, *, payment: str) -> RefundSnapshot:
    """Return the snapshot of a refund of the payment with this gateway id."""
    state = REFUND_STATES.get(refund.status or "pending")
    if state is None:
        log.warning("stripe_word_not_known", object=refund.id, status=refund.status)
    return RefundSnapshot(
        gateway_id=refund.id,
        state=state or RefundState.PENDING,
        failure_code=getattr(refund, "failure_reason", None) or "",
        amount=from_stripe(refund.amount, refund.currency),
        currency=refund.currency.upper(),
        payment=payment,
        idempotency_key=our_id(refund, REFUND),
        created_at=_time(refund.created),
    )


def of_dispute(dispute: stripe.Dispute, *, payment: str) -> DisputeSnapshot:
    """Return the snapshot of a dispute about the payment with this gateway id.

    Its balance transactions say whether the money is out: one takes it, and a second one brings it back. Each has its
    fee, which is below zero where Stripe returns what it had taken before.
    """
    state = DISPUTE_STATES.get(dispute.status)
    if state is None:
        log.warning("stripe_word_not_known", object=dispute.id, status=dispute.status)
    due = getattr(dispute.evidence_details, "due_by", None)
    entries = dispute.balance_transactions
    account_currency = entries[0].currency if entries else ""
    return DisputeSnapshot(
        gateway_id=dispute.id,
        payment=payment,
        state=state or DisputeState.OPEN,
        amount=from_stripe(dispute.amount, dispute.currency),
        currency=dispute.currency.upper(),
        reason=dispute.reason or "",
        answer_by=_time(due) if due else None,
        is_withdrawn=sum(each.amount for each in entries) < 0,
        fee=from_stripe(sum(each.fee for each in entries), account_currency) if entries else None,
        fee_currency=account_currency.upper(),
        created_at=_time(dispute.created),
    )


def of_method(method: stripe.PaymentMethod) -> Method:
    """Return the description of a payment method. Stripe keeps it while it belongs to a customer."""
    details = getattr(method, method.type, None)
    word = getattr(details, "brand", None) or method.type
    year, month = getattr(details, "exp_year", None), getattr(details, "exp_month", None)
    ends = datetime(year, month, monthrange(year, month)[1], tzinfo=UTC) if year and month else None
    return Method(
        gateway_id=method.id,
        brand=BRANDS.get(word) or word.replace("_", " ").title(),
        last4=getattr(details, "last4", None) or "",
        expires_on=ends,
        owner=id_of(method.customer),
        is_kept=bool(method.customer),
    )


def of_payout(payout: stripe.Payout) -> PayoutSnapshot:
    """Return the snapshot of a payout that was paid, or that the bank sent back."""
    return PayoutSnapshot(
        gateway_id=payout.id,
        amount=from_stripe(payout.amount, payout.currency),
        currency=payout.currency.upper(),
        arrived_at=_time(payout.arrival_date),
        is_paid=payout.status == "paid",
    )


def id_of(reference: object) -> str:
    """Return the id of an object that Stripe names by id or expands; "" for none."""
    return reference if isinstance(reference, str) else str(getattr(reference, "id", None) or "")


def our_id(holder: stripe.PaymentIntent | stripe.Refund, name: str) -> str:
    """Return one of our ids from the metadata of an object, "" if it is not there."""
    metadata = holder.metadata
    return str(metadata[name]) if metadata and name in metadata else ""


def is_charge(intent: stripe.PaymentIntent) -> bool:
    """Return whether an intent charges a saved method, so that it is a payment without a page."""
    return bool(our_id(intent, CHARGE))


def _session_state(session: CheckoutSession, intent: stripe.PaymentIntent | None, *, now: float) -> State:
    """Return the state of a payment. Money that was taken counts most; a declined card leaves the page open."""
    at_intent = _intent_state(intent) if intent else None
    if session.payment_status == "paid":
        return State.SUCCEEDED
    if at_intent in (State.SUCCEEDED, State.PROCESSING):
        return at_intent
    match session.status:
        case "open":
            return State.REQUIRES_ACTION if at_intent is State.REQUIRES_ACTION else State.OPEN
        case "expired":
            # Only we close a page before its time. Later the two cannot be told apart, which changes nothing then.
            return State.CANCELLED if now < session.expires_at else State.EXPIRED
        case "complete":
            return at_intent or State.UNRECOGNISED
        case _:
            log.warning("stripe_word_not_known", object=session.id, status=session.status)
            return State.UNRECOGNISED


def _intent_state(intent: stripe.PaymentIntent) -> State:
    if intent.status == "requires_payment_method":
        return State.FAILED if intent.last_payment_error else State.OPEN
    state = INTENT_STATES.get(intent.status)
    if state is None:
        log.warning("stripe_word_not_known", object=intent.id, status=intent.status)
    return state or State.UNRECOGNISED


def _of_intent(intent: stripe.PaymentIntent, state: State) -> Snapshot:
    is_paid, error = state is State.SUCCEEDED, intent.last_payment_error
    failure = (getattr(error, "decline_code", None) or getattr(error, "code", None) or "") if error else ""
    fee, fee_currency = _fee(intent)
    return Snapshot(
        gateway_id=intent.id,
        state=state,
        amount=from_stripe(intent.amount_received, intent.currency) if is_paid else None,
        currency=intent.currency.upper() if is_paid else None,
        failure_code="" if is_paid else failure,
        decline=declines.of(failure) if state is State.FAILED else None,
        action_url=_action_url(intent) if state is State.REQUIRES_ACTION else "",
        fee=fee,
        fee_currency=fee_currency,
        method=_kept_method(intent) if is_paid else None,
        idempotency_key=our_id(intent, PAYMENT),
        created_at=_time(intent.created),
    )


def _action_url(intent: stripe.PaymentIntent) -> str:
    """Return the address of the bank's page, "" if there is none that a browser could open."""
    redirect = getattr(intent.next_action, "redirect_to_url", None)
    return str(getattr(redirect, "url", None) or "")


def _fee(intent: stripe.PaymentIntent) -> tuple[int | None, str]:
    """Return the fee and its currency, which is the account's. Stripe knows it a moment after the payment."""
    charge = intent.latest_charge if isinstance(intent.latest_charge, stripe.Charge) else None
    entry = charge.balance_transaction if charge else None
    if not isinstance(entry, stripe.BalanceTransaction):
        return None, ""
    return from_stripe(entry.fee, entry.currency), entry.currency.upper()


def _kept_method(intent: stripe.PaymentIntent) -> Method | None:
    """Return the method that the customer agreed to keep, once it belongs to a customer at Stripe."""
    method = intent.payment_method
    if (
        intent.setup_future_usage != "off_session"
        or not isinstance(method, stripe.PaymentMethod)
        or not method.customer
    ):
        return None
    return of_method(method)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
