"""Customers at Stripe: one for each of ours who saves a card, however many pages are opened at once.

Stripe keeps a card for a customer of its own only. A row of ours holds its id, and before that the idempotency key with
which it is made.
"""

import hashlib
import time
from dataclasses import replace
from typing import TypeVar

import stripe
import structlog
from stripe.params import CustomerCreateParams

from core.ids import new_id
from payments.gateways import guard
from payments.gateways.methods import SetupRequest
from payments.gateways.sessions import SessionRequest
from payments.gateways.stripe.client import client, is_spent
from payments.gateways.stripe.models import StripeCustomer

log = structlog.get_logger(__name__)

# A request for a page that pays, or for one that saves a method.
Request = TypeVar("Request", SessionRequest, SetupRequest)

# How often a key that is in use is tried again, how long after, and how much time must be left for that, in seconds.
TRIES, PAUSE, ENOUGH = 20, 0.1, 0.5


def of(request: SessionRequest | SetupRequest) -> str:
    """Return Stripe's id of who asks for a page; make that customer there if need be. Call it with no transaction open.

    Empty if our key may not make customers: Stripe then makes one with the card. Raises stripe.StripeError.
    """
    row, _ = StripeCustomer.objects.get_or_create(customer=request.customer)
    for turn in range(TRIES):
        if row.customer_id:
            break
        try:
            made = _create(row.key, request)
        except stripe.PermissionError:
            log.warning("stripe_key_may_not_make_customers")
            return ""
        except stripe.StripeError as error:
            if is_spent(error):
                StripeCustomer.objects.filter(pk=row.pk, key=row.key).update(key=new_id("scu"))
            elif error.http_status == 409 and turn + 1 < TRIES and guard.time_left() > ENOUGH:
                # Another page is making it at this moment.
                time.sleep(PAUSE)
            else:
                raise
        else:
            StripeCustomer.objects.filter(pk=row.pk, customer_id="").update(customer_id=made.id)
        row.refresh_from_db()
    return row.customer_id


def named(request: Request) -> Request:
    """Return the request with Stripe's id of its customer, if it has none yet. Raises as `of` does."""
    return replace(request, owner=of(request)) if request.customer and not request.owner else request


def repaired(request: Request, error: stripe.InvalidRequestError) -> Request:
    """Return the request without the customer or the address that Stripe has just refused; raise any other refusal.

    A customer who was deleted there, or belongs to the other mode, is made anew. An address is for receipts only.
    """
    match error.param:
        case "customer":
            forget(request.customer, request.owner)
            return replace(request, owner="")
        case "customer_email":
            return replace(request, email="")
    raise error


def forget(customer: str, customer_id: str) -> None:
    """Forget an id that Stripe does not know any more: the next page makes the customer anew. Safe to repeat."""
    rows = StripeCustomer.objects.filter(customer=customer, customer_id=customer_id)
    rows.update(customer_id="", key=new_id("scu"))


def _create(key: str, request: SessionRequest | SetupRequest) -> stripe.Customer:
    """Make the customer, once per key and address. An address that Stripe does not accept is left out."""
    params: CustomerCreateParams = {"metadata": {"customer": request.customer}}
    if request.email:
        # The key belongs to its parameters, and the address may change before the answer has come.
        mark = hashlib.sha256(request.email.encode()).hexdigest()[:16]
        try:
            with_email: CustomerCreateParams = {**params, "email": request.email}
            return client().v1.customers.create(with_email, options={"idempotency_key": f"{key}:{mark}"})
        except stripe.InvalidRequestError as error:
            if error.param != "email":
                raise
    return client().v1.customers.create(params, options={"idempotency_key": key})
