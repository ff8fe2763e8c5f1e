"""Calls to Stripe: a client with the deadline's time-outs, and Stripe's errors as GatewayError."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import local
from typing import TypeVar, cast

import stripe
import structlog

from payments.gateways import guard, http
from payments.gateways.errors import OTHER_MODE, GatewayError
from payments.gateways.stripe import configuration

log = structlog.get_logger(__name__)

# The version whose shapes this package reads. It changes together with the SDK.
API_VERSION = "2026-10-28.endive"
# The longest answer that is read, in bytes: a page of 100 payments with their charges has about 1 MB.
LONGEST = 16 * 1024 * 1024
# What Stripe adds to "No such ..." if the object exists, but for keys of the other mode.
EXISTS_ELSEWHERE = "a similar object exists in"

# Objects on one page of a list, the most that Stripe gives.
PAGE = 100
# Less time than this, in seconds, is too little for another page of a list.
TOO_LITTLE = 0.1

_connections = local()
Item = TypeVar("Item", bound=stripe.StripeObject)
Params = TypeVar("Params", bound=Mapping[str, object])


def client() -> stripe.StripeClient:
    """Return a client whose calls wait for at most the time left, the body of the answer included.

    Raises GatewayError without a key. The SDK's own retries are off: they know no deadline. Our sweeps ask again, with
    the same idempotency key.
    """
    if not configuration.key():
        raise GatewayError("STRIPE_SECRET_KEY is blank.", permanent=False, code="not_configured")
    if not hasattr(_connections, "session"):
        _connections.session = http.session(longest=LONGEST)
    return stripe.StripeClient(
        configuration.key(),
        stripe_version=API_VERSION,
        base_addresses={"api": configuration.api_base()} if configuration.api_base() else None,
        max_network_retries=0,
        http_client=stripe.RequestsClient(session=_connections.session),
    )


@contextmanager
def calling(*, creates: bool = False) -> Iterator[None]:
    """Turn Stripe's errors in this block into GatewayError, and keep all its calls within one deadline.

    `creates` says that the call would make a new payment. A generator uses `translating`: the deadline would reach its
    caller.
    """
    with guard.within(guard.time_left()), translating(creates=creates):
        yield


@contextmanager
def translating(*, creates: bool = False) -> Iterator[None]:
    """Turn Stripe's errors in this block into GatewayError. Each call has the deadline of its caller."""
    try:
        yield
    except stripe.StripeError as error:
        raise gateway_error(error, creates=creates) from error


def every(make: Callable[[], Callable[[Params], stripe.ListObject[Item]]], params: Params) -> Iterator[Item]:
    """Yield the objects of a list, newest first. `make` returns the `list` method of a new client, for one page.

    Raises GatewayError, not permanent, if the time is up before the end of the list.
    """
    cursor: dict[str, object] = {"limit": PAGE}
    while True:
        page = make()(cast(Params, {**params, **cursor}))
        yield from page.data
        if not page.has_more or not page.data:
            return
        if guard.time_left() <= TOO_LITTLE:
            raise GatewayError("The time is up before the end of the list.", permanent=False, code="timeout")
        cursor["starting_after"] = page.data[-1]["id"]


def gateway_error(error: stripe.StripeError, *, creates: bool) -> GatewayError:
    """Return the GatewayError for an error of Stripe's.

    A refused key says nothing about a payment that exists, so only a new payment fails for good by it.
    """
    code = error.code or (error.error.code if error.error else None) or type(error).__name__
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        log.error("stripe_refused_our_key", code=code, detail=str(error))
        return GatewayError(str(error), permanent=creates, code=code)
    if isinstance(error, stripe.InvalidRequestError) and EXISTS_ELSEWHERE in str(error):
        log.error("stripe_key_is_for_the_other_mode", detail=str(error))
        return GatewayError(str(error), permanent=creates, code=OTHER_MODE)
    permanent = isinstance(error, stripe.InvalidRequestError | stripe.CardError)
    return GatewayError(str(error), permanent=permanent, code=code)


def is_spent(error: stripe.StripeError) -> bool:
    """Return whether the idempotency key is of no more use: it came with other parameters, or its error was saved."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    was_repeated = headers.get("idempotent-replayed") == "true"
    return isinstance(error, stripe.IdempotencyError) or (isinstance(error, stripe.APIError) and was_repeated)
