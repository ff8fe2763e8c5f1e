"""The Stripe gateway. A payment's gateway id is its Checkout Session (cs_...), as the payment intent comes later.

Charges of saved methods have no session, nor have payments that our site did not make, such as one entered in Stripe's
dashboard: their id is the payment intent's (pi_...). Every method takes both.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import stripe
from stripe.params import (
    DisputeListParams,
    PaymentIntentListParams,
    PayoutListParams,
    RefundCreateParams,
    RefundListParams,
)
from stripe.params.checkout import SessionListParams, SessionRetrieveParams

from payments.gateways.aftermath import DisputeSnapshot, PayoutSnapshot, RefundRequest, RefundSnapshot
from payments.gateways.base import Capabilities, Notification
from payments.gateways.charges import ChargeRequest
from payments.gateways.errors import GatewayError
from payments.gateways.methods import Method, SetupRequest, SetupSnapshot
from payments.gateways.sessions import Session, SessionRequest, Snapshot
from payments.gateways.stripe import amounts, charges, checkout, configuration, endpoints, setups, snapshots, webhooks
from payments.gateways.stripe.client import calling, client, every, is_spent, translating
from payments.gateways.stripe.snapshots import INTENT


class Stripe:
    """Implements payments.gateways.base.Gateway."""

    name = "stripe"

    @property
    def can(self) -> Capabilities:
        return Capabilities(
            currencies=amounts.limits(),
            steps=amounts.STEPS,
            longest_page=checkout.LONGEST - checkout.MARGIN,
            shortest_page=checkout.SHORTEST + checkout.MARGIN,
            saves_methods=True,
            adds_methods=True,
            charges_off_session=True,
            knows_its_webhooks=True,
            form_targets=(configuration.form_target(),),
        )

    def is_configured(self) -> bool:
        return bool(configuration.key())

    def problems(self) -> list[str]:
        return configuration.problems()

    def webhook_problems(self, url: str) -> list[str]:
        return endpoints.problems(url)

    def create_session(self, request: SessionRequest) -> Session:
        if not self.can.takes(request.currency, request.amount):
            raise GatewayError("Stripe does not take this amount.", permanent=True, code="amount_not_taken")
        with calling(creates=True):
            try:
                session = checkout.create(request, now=time.time())
            except stripe.StripeError as error:
                session = checkout.made_before(request, error)
        return Session(
            gateway_id=session.id,
            # A page that is paid or closed has no URL any more. Our own page shows how it ended.
            confirmation_url=session.url or request.return_url,
            expires_at=datetime.fromtimestamp(session.expires_at, tz=UTC),
        )

    def fetch(self, gateway_id: str) -> Snapshot:
        with calling():
            return _fetch(gateway_id)

    def cancel(self, gateway_id: str) -> Snapshot:
        with calling():
            if not _is_session(gateway_id):
                return charges.cancel(gateway_id)
            try:
                session = client().v1.checkout.sessions.expire(
                    gateway_id, {"expand": [f"payment_intent.{each}" for each in INTENT]}
                )
            except stripe.InvalidRequestError:
                # It is complete or has expired, or it never was: fetching it tells.
                return _fetch(gateway_id)
            return snapshots.of_session(session, now=time.time())

    def charge(self, request: ChargeRequest) -> Snapshot:
        if not self.can.takes(request.currency, request.amount):
            raise GatewayError("Stripe does not take this amount.", permanent=True, code="amount_not_taken")
        with calling():
            return charges.create(request)

    def find_charge(self, request: ChargeRequest) -> Snapshot | None:
        with calling():
            return charges.find(request)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        amount = amounts.to_stripe(request.amount, request.currency)
        with calling():
            intent = _intent_id(request.gateway_id)
            if not intent:
                raise GatewayError("Nothing was taken with this payment.", permanent=True, code="not_paid")
            params: RefundCreateParams = {
                "payment_intent": intent,
                "amount": amount,
                "metadata": {snapshots.REFUND: request.idempotency_key},
            }
            try:
                refund = client().v1.refunds.create(params, options={"idempotency_key": request.idempotency_key})
            except stripe.StripeError as error:
                # Stripe repeats an error 500 for a key, even if the refund was made.
                found = _look_up_refund(intent, request) if is_spent(error) else None
                if found is None:
                    raise
                return found
        return snapshots.of_refund(refund, payment=request.gateway_id)

    def find_refund(self, request: RefundRequest) -> RefundSnapshot | None:
        with calling():
            intent = _intent_id(request.gateway_id)
            return _find_refund(intent, request) if intent else None

    def fetch_refund(self, gateway_id: str) -> RefundSnapshot:
        with calling():
            refund = client().v1.refunds.retrieve(gateway_id)
            return snapshots.of_refund(refund, payment=_payment_of(refund))

    def fetch_dispute(self, gateway_id: str) -> DisputeSnapshot:
        with calling():
            dispute = client().v1.disputes.retrieve(gateway_id)
            return snapshots.of_dispute(dispute, payment=_payment_of(dispute))

    def fetch_method(self, gateway_id: str) -> Method:
        with calling():
            return snapshots.of_method(client().v1.payment_methods.retrieve(gateway_id))

    def create_setup(self, request: SetupRequest) -> Session:
        with calling(creates=True):
            session = setups.create(request, now=time.time())
        return Session(
            gateway_id=session.id,
            confirmation_url=session.url or request.return_url,
            expires_at=datetime.fromtimestamp(session.expires_at, tz=UTC),
        )

    def fetch_setup(self, gateway_id: str) -> SetupSnapshot:
        with calling():
            return setups.fetch(gateway_id)

    def remove_method(self, gateway_id: str) -> None:
        with calling():
            if client().v1.payment_methods.retrieve(gateway_id).customer:
                client().v1.payment_methods.detach(gateway_id)

    def fetch_payout(self, gateway_id: str) -> PayoutSnapshot | None:
        with calling():
            payout = client().v1.payouts.retrieve(gateway_id)
            return snapshots.of_payout(payout) if payout.status in snapshots.PAYOUT_ENDS else None

    def list_payments(self, *, since: datetime, until: datetime) -> Iterator[Snapshot]:
        """Yield the Checkout Sessions made in the span, and the payment intents that no session of ours made."""
        with translating():
            yield from _sessions(since, until)
            yield from _intents_without_session(since, until)

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[RefundSnapshot]:
        """Yield the refunds. The payment of one that has our id is left out: each would be a call of its own."""
        made = RefundListParams(created={"gte": _seconds(since), "lt": _seconds(until)})
        with translating():
            for refund in every(lambda: client().v1.refunds.list, made):
                is_ours = bool(snapshots.our_id(refund, snapshots.REFUND))
                yield snapshots.of_refund(refund, payment="" if is_ours else _payment_of(refund))

    def list_disputes(self, *, since: datetime, until: datetime) -> Iterator[DisputeSnapshot]:
        opened = DisputeListParams(created={"gte": _seconds(since), "lt": _seconds(until)})
        with translating():
            for dispute in every(lambda: client().v1.disputes.list, opened):
                yield snapshots.of_dispute(dispute, payment=_payment_of(dispute))

    def list_payouts(self, *, since: datetime, until: datetime) -> Iterator[PayoutSnapshot]:
        arrived = PayoutListParams(arrival_date={"gte": _seconds(since), "lt": _seconds(until)})
        with translating():
            for payout in every(lambda: client().v1.payouts.list, arrived):
                if payout.status in snapshots.PAYOUT_ENDS:
                    yield snapshots.of_payout(payout)

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], *, address: str) -> Notification:
        return webhooks.parse(body, headers.get("stripe-signature", ""))


def _fetch(gateway_id: str) -> Snapshot:
    if _is_session(gateway_id):
        params: SessionRetrieveParams = {"expand": [f"payment_intent.{each}" for each in INTENT]}
        session = client().v1.checkout.sessions.retrieve(gateway_id, params)
        return snapshots.of_session(session, now=time.time())
    return charges.fetch(gateway_id)


def _is_session(gateway_id: str) -> bool:
    return not gateway_id.startswith("pi_")


def _intent_id(gateway_id: str) -> str:
    """Return the payment intent of a payment, "" while it has none."""
    if not _is_session(gateway_id):
        return gateway_id
    return snapshots.id_of(client().v1.checkout.sessions.retrieve(gateway_id).payment_intent)


def _find_refund(intent: str, request: RefundRequest) -> RefundSnapshot | None:
    """Return the refund that carries our id, whatever became of its idempotency key."""
    of_intent = RefundListParams(payment_intent=intent)
    for refund in every(lambda: client().v1.refunds.list, of_intent):
        if snapshots.our_id(refund, snapshots.REFUND) == request.idempotency_key:
            return snapshots.of_refund(refund, payment=request.gateway_id)
    return None


def _look_up_refund(intent: str, request: RefundRequest) -> RefundSnapshot | None:
    """Do the same while the outcome of the request is open: a refused look-up does not say that there is none."""
    try:
        return _find_refund(intent, request)
    except stripe.StripeError as error:
        raise GatewayError(str(error), permanent=False, code="outcome_not_known") from error


def _payment_of(part: stripe.Refund | stripe.Dispute) -> str:
    """Return the gateway id of the payment that was refunded or disputed."""
    intent = snapshots.id_of(part.payment_intent)
    return _session_id(intent) or intent or snapshots.id_of(part.charge)


def _session_id(intent: str) -> str:
    """Return the Checkout Session that made a payment intent, "" if none did."""
    if not intent:
        return ""
    found = client().v1.checkout.sessions.list({"payment_intent": intent, "limit": 1}).data
    return found[0].id if found else ""


def _sessions(since: datetime, until: datetime) -> Iterator[Snapshot]:
    params = SessionListParams(
        created={"gte": _seconds(since), "lt": _seconds(until)},
        expand=[f"data.payment_intent.{each}" for each in INTENT],
    )
    for session in every(lambda: client().v1.checkout.sessions.list, params):
        if session.mode == "payment":
            yield snapshots.of_session(session, now=time.time())


def _intents_without_session(since: datetime, until: datetime) -> Iterator[Snapshot]:
    """Yield payments that no page of ours made: charges of saved methods, and intents without our payment's id."""
    params = PaymentIntentListParams(
        created={"gte": _seconds(since), "lt": _seconds(until)}, expand=[f"data.{each}" for each in INTENT]
    )
    for intent in every(lambda: client().v1.payment_intents.list, params):
        is_foreign = not snapshots.our_id(intent, snapshots.PAYMENT) and not _session_id(intent.id)
        if is_foreign or snapshots.is_charge(intent):
            yield snapshots.of_intent(intent)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
