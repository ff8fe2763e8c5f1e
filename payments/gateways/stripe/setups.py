"""Saving a card without a payment: a Checkout Session of mode `setup`. Its id is the setup's."""

import time

import stripe
import structlog
from stripe.checkout import Session as CheckoutSession
from stripe.params.checkout import SessionCreateParams, SessionListParams, SessionRetrieveParams

from payments.gateways.errors import GatewayError
from payments.gateways.methods import SetupRequest, SetupSnapshot, SetupState
from payments.gateways.stripe import checkout, customers, snapshots
from payments.gateways.stripe.client import client, every, is_spent

log = structlog.get_logger(__name__)

EXPANDED: SessionRetrieveParams = {"expand": ["setup_intent.payment_method"]}
STATES = {"open": SetupState.OPEN, "expired": SetupState.ENDED}


def session_params(request: SetupRequest, *, now: float) -> SessionCreateParams:
    """Return the parameters of the Checkout Session. `now` is in seconds since 1970.

    Stripe asks for a currency, by which it chooses the kinds of methods, and keeps a method for a customer of its own
    only.
    """
    ours = {snapshots.SETUP: request.idempotency_key}
    if request.customer:
        ours["customer"] = request.customer
    params: SessionCreateParams = {
        "mode": "setup",
        "currency": request.currency.lower(),
        "client_reference_id": request.idempotency_key,
        "success_url": request.return_url,
        "cancel_url": request.return_url,
        "expires_at": checkout.page_end(request.expires_at, now=now),
        "locale": request.language if request.language in checkout.LOCALES else "auto",
        "metadata": ours,
        "setup_intent_data": {"metadata": ours},
    }
    if request.owner:
        params["customer"] = request.owner
        return params
    params["customer_creation"] = "always"
    if request.email:
        params["customer_email"] = request.email
    return params


def create(request: SetupRequest, *, now: float) -> CheckoutSession:
    """Create the Checkout Session, once per key. `now` is in seconds. Raises stripe.StripeError, GatewayError.

    As with payments, a customer that Stripe does not know any more is replaced, and an address that it does not accept
    is left out. If the key is of no more use, the session that it made is looked for.
    """
    for _ in range(3):
        request = customers.named(request)
        try:
            params = session_params(request, now=now)
            return client().v1.checkout.sessions.create(params, options={"idempotency_key": request.idempotency_key})
        except stripe.InvalidRequestError as error:
            request = customers.repaired(request, error)
        except stripe.StripeError as error:
            if not is_spent(error):
                raise
            return _made_before(request, error)
    raise GatewayError("Stripe accepts neither the customer nor the address.", permanent=True, code="not_accepted")


def fetch(gateway_id: str) -> SetupSnapshot:
    """Return the state of a setup. Raises stripe.StripeError; GatewayError for the session of a payment."""
    session = client().v1.checkout.sessions.retrieve(gateway_id, EXPANDED)
    if session.mode != "setup":
        raise GatewayError(f"{gateway_id} saves no payment method.", permanent=True, code="not_found")
    return of_session(session)


def of_session(session: CheckoutSession) -> SetupSnapshot:
    """Return the state of a session of mode `setup`, with the payment method expanded."""
    intent = session.setup_intent if isinstance(session.setup_intent, stripe.SetupIntent) else None
    method = intent.payment_method if intent is not None and intent.status == "succeeded" else None
    if session.status == "complete" and isinstance(method, stripe.PaymentMethod) and method.customer:
        return SetupSnapshot(gateway_id=session.id, state=SetupState.SAVED, method=snapshots.of_method(method))
    state = STATES.get(session.status or "")
    if state is None and session.status != "complete":
        log.warning("stripe_word_not_known", object=session.id, status=session.status)
    # One that is complete without a method: the bank is still checking it.
    return SetupSnapshot(gateway_id=session.id, state=state or SetupState.OPEN)


def _made_before(request: SetupRequest, error: stripe.StripeError) -> CheckoutSession:
    """Return the session that carries our id; raise GatewayError, not permanent, if there is none."""
    lately = SessionListParams(created={"gte": int(time.time() - checkout.KEYS_LAST.total_seconds())})
    for session in every(lambda: client().v1.checkout.sessions.list, lately):
        if session.client_reference_id == request.idempotency_key:
            return session
    raise GatewayError(str(error), permanent=False, code="idempotency_key_spent") from error
