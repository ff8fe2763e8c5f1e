"""Charges of saved methods: payment intents that Stripe confirms while the customer is away ("off session").

If the bank wants the customer to confirm, Stripe declines the intent. The same intent is then confirmed once more as
if the customer were here, which gives the address of the bank's page: one intent takes the money at most once.
"""

from datetime import timedelta

import stripe
from stripe.params import PaymentIntentConfirmParams, PaymentIntentCreateParams, PaymentIntentListParams

from core import ids
from payments.gateways.charges import METHOD_GONE, ChargeRequest
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Snapshot
from payments.gateways.stripe import amounts, declines, snapshots
from payments.gateways.stripe.client import client, every

# Clocks differ, so a search by time begins a little before.
MARGIN = timedelta(minutes=5)


def create(request: ChargeRequest) -> Snapshot:
    """Create and confirm the intent of a charge and return the payment. Raises stripe.StripeError, GatewayError."""
    options: stripe.RequestOptions = {"idempotency_key": request.idempotency_key}
    try:
        intent = client().v1.payment_intents.create(create_params(request), options=options)
    except stripe.CardError as error:
        made = snapshots.id_of(getattr(error.error, "payment_intent", None))
        if not made:
            raise
        code = getattr(error.error, "decline_code", None) or error.code or ""
        is_asked = {code, error.code} & declines.AUTHENTICATION
        return ask_customer(made, request) if is_asked else fetch(made)
    except stripe.InvalidRequestError as error:
        if error.param == "payment_method" or "paymentmethod" in str(error).lower().replace(" ", ""):
            raise GatewayError(str(error), permanent=True, code=METHOD_GONE) from error
        raise
    return snapshots.of_intent(intent)


def create_params(request: ChargeRequest) -> PaymentIntentCreateParams:
    """Return the parameters of the intent of a charge."""
    ours = {snapshots.PAYMENT: request.idempotency_key, snapshots.CHARGE: "1"}
    if request.customer:
        ours["customer"] = request.customer
    params: PaymentIntentCreateParams = {
        "amount": amounts.to_stripe(request.amount, request.currency),
        "currency": request.currency.lower(),
        "payment_method": request.method,
        "off_session": True,
        "confirm": True,
        "return_url": request.return_url,
        "description": request.description[:250] or request.idempotency_key,
        "metadata": ours,
        "expand": [*snapshots.INTENT],
    }
    if request.owner:
        params["customer"] = request.owner
    return params


def ask_customer(intent_id: str, request: ChargeRequest) -> Snapshot:
    """Confirm a declined intent as if the customer were here, and return it with the address of the bank's page."""
    params: PaymentIntentConfirmParams = {
        "payment_method": request.method,
        "off_session": False,
        "return_url": request.return_url,
        "expand": [*snapshots.INTENT],
    }
    key = f"{request.idempotency_key}:confirm"
    try:
        intent = client().v1.payment_intents.confirm(intent_id, params, options={"idempotency_key": key})
    except stripe.CardError:
        return fetch(intent_id)
    return snapshots.of_intent(intent)


def fetch(intent_id: str) -> Snapshot:
    """Return the payment of an intent. Raises stripe.StripeError."""
    return snapshots.of_intent(client().v1.payment_intents.retrieve(intent_id, {"expand": [*snapshots.INTENT]}))


def cancel(intent_id: str) -> Snapshot:
    """Cancel an intent if that is still possible, and return its payment. Raises stripe.StripeError."""
    try:
        intent = client().v1.payment_intents.cancel(intent_id, {"expand": [*snapshots.INTENT]})
    except stripe.InvalidRequestError:
        # It took the money, or it was cancelled before, or it never was: fetching it tells.
        return fetch(intent_id)
    return snapshots.of_intent(intent)


def find(request: ChargeRequest) -> Snapshot | None:
    """Return the payment of the intent that carries our id, None if there is none. Raises stripe.StripeError."""
    params: PaymentIntentListParams = {"expand": [f"data.{each}" for each in snapshots.INTENT]}
    if request.owner:
        params["customer"] = request.owner
    if begun := ids.time_of(request.idempotency_key):
        params["created"] = {"gte": int((begun - MARGIN).timestamp())}
    for intent in every(lambda: client().v1.payment_intents.list, params):
        if snapshots.is_charge(intent) and snapshots.our_id(intent, snapshots.PAYMENT) == request.idempotency_key:
            return snapshots.of_intent(intent)
    return None
