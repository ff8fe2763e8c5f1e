"""The Checkout Session of a payment: its parameters, and how to find it if the answer to its creation was lost."""

import time
from datetime import datetime, timedelta

import stripe
from stripe.checkout import Session as CheckoutSession
from stripe.params.checkout import SessionCreateParams, SessionListParams

from payments.gateways.errors import GatewayError
from payments.gateways.sessions import SessionRequest
from payments.gateways.stripe import amounts, customers, snapshots
from payments.gateways.stripe.client import client, every, is_spent

# Stripe takes 30 minutes to 24 hours from when the request arrives; the margin is for the way and for our clock.
SHORTEST, LONGEST, MARGIN = timedelta(minutes=30), timedelta(hours=24), timedelta(minutes=2)
# Stripe keeps idempotency keys for a day. A session that a key made is not older.
KEYS_LAST = timedelta(hours=25)
# How often a parameter that Stripe refuses is left out or replaced before the request is given up.
REPAIRS = 3
# The languages of Stripe's page. With others it follows the browser.
LOCALES = frozenset({
    "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu", "id",
    "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr",
    "vi", "zh", "zh-HK", "zh-TW",
})  # fmt: skip


def session_params(request: SessionRequest, *, now: float) -> SessionCreateParams:
    """Return the parameters of a Checkout Session. `now` is in seconds since 1970.

    The intent carries our payment's id too. Prices are never converted to the customer's currency, as what is taken
    must be what we asked for.
    """
    ours = {snapshots.PAYMENT: request.idempotency_key}
    if request.customer:
        ours["customer"] = request.customer
    description = request.description[:250] or request.idempotency_key
    params: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": request.idempotency_key,
        "success_url": request.return_url,
        "cancel_url": request.cancel_url,
        "expires_at": page_end(request.expires_at, now=now),
        "locale": request.language if request.language in LOCALES else "auto",
        "adaptive_pricing": {"enabled": False},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": request.currency.lower(),
                    "unit_amount": amounts.to_stripe(request.amount, request.currency),
                    "product_data": {"name": description},
                },
            }
        ],
        "metadata": ours,
        "payment_intent_data": {"metadata": ours, "description": description},
    }
    if request.save_method and request.owner:
        # Stripe knows the address of this customer, and takes no other one beside it.
        params["customer"] = request.owner
    elif request.email:
        params["customer_email"] = request.email
    if request.save_method:
        if not request.owner:
            # Stripe keeps a method for a customer of its own only.
            params["customer_creation"] = "always"
        params["payment_intent_data"] = {**params["payment_intent_data"], "setup_future_usage": "off_session"}
    return params


def page_end(wanted: datetime, *, now: float) -> int:
    """Return the end of a page within what Stripe takes, in seconds since 1970, as `now`."""
    earliest, latest = now + (SHORTEST + MARGIN / 2).total_seconds(), now + (LONGEST - MARGIN / 2).total_seconds()
    return int(min(max(wanted.timestamp(), earliest), latest))


def create(request: SessionRequest, *, now: float) -> CheckoutSession:
    """Create the Checkout Session, once per key. `now` is in seconds. Raises stripe.StripeError.

    An address that Stripe does not accept, such as one at a host of an intranet, is left out: it is for receipts only.
    Who saves a method gets a customer at Stripe. One that was deleted there, or belongs to the other mode, is replaced.
    """
    # Stripe does not keep a key whose request had an invalid parameter.
    for _ in range(REPAIRS):
        if request.save_method:
            request = customers.named(request)
        try:
            return _create(request, now=now)
        except stripe.InvalidRequestError as error:
            request = customers.repaired(request, error)
    return _create(request, now=now)


def made_before(request: SessionRequest, error: stripe.StripeError) -> CheckoutSession:
    """Return the session that the first request with this key made, if the error says that there was one.

    The end of a page is counted from the call, so a repetition differs from the first request and Stripe refuses it;
    and Stripe repeats an error 500 for a key, even if the session was made.
    """
    if not is_spent(error):
        raise error
    lately = SessionListParams(created={"gte": int(time.time() - KEYS_LAST.total_seconds())})
    for session in every(lambda: client().v1.checkout.sessions.list, lately):
        if session.client_reference_id == request.idempotency_key:
            break
    else:
        raise GatewayError(str(error), permanent=False, code="idempotency_key_spent") from error
    asked = (amounts.to_stripe(request.amount, request.currency), request.currency.lower())
    if (session.amount_total, session.currency) != asked:
        raise GatewayError(
            f"{session.id} was made for this payment with another amount.", permanent=True, code="idempotency_error"
        )
    return session


def _create(request: SessionRequest, *, now: float) -> CheckoutSession:
    params = session_params(request, now=now)
    return client().v1.checkout.sessions.create(params, options={"idempotency_key": request.idempotency_key})
