"""The protocol that every payment gateway implements, and the frozen data that goes in and out.

Never here or in a gateway: our tables, a Django request, HTML, a decision about money. A gateway reports the state on
its side; payments.confirmation decides what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class State(StrEnum):
    """The state of a payment at the gateway. `UNRECOGNISED` is any other word: we log it and keep waiting."""

    OPEN = "open"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNRECOGNISED = "unrecognised"


class RefundState(StrEnum):
    """The state of a refund at the gateway."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """A request for a hosted payment page. `amount` is in minor units of `currency`."""

    # Our payment's public id. The same key must return the same page, never open a second one.
    idempotency_key: str
    amount: int
    currency: str
    description: str
    return_url: str
    cancel_url: str
    expires_at: datetime
    # The customer's language, such as `ru`.
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A hosted payment page: the URL to send the customer to, and when it expires."""

    gateway_id: str
    confirmation_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The gateway's answer about a payment. `amount` and `currency` are what it took, set once it succeeded."""

    gateway_id: str
    state: State
    amount: int | None = None
    currency: str | None = None
    # The gateway's own code for why it failed.
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A request to refund part or all of the payment `gateway_id`. `amount` is in minor units of `currency`."""

    idempotency_key: str
    gateway_id: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSnapshot:
    """The gateway's answer about a refund."""

    gateway_id: str
    state: RefundState
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A webhook with a valid signature. Only a hint: the payment it names is fetched before anything is done."""

    event_id: str
    type: str
    # The payment it is about. If empty, the event is stored and ignored.
    gateway_id: str
    payload: Mapping[str, Any] = field(default_factory=dict)


class GatewayError(Exception):
    """A call to the gateway failed.

    `permanent`: the gateway refused, and would again. Otherwise the outcome is not known: ask again later.
    """

    def __init__(self, detail: str, *, permanent: bool, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent
        self.code = code


class BadWebhook(Exception):
    """The webhook is not from the gateway, too old, or not readable. Nothing of it may be stored."""


class Gateway(Protocol):
    """A payment gateway. Created without arguments; reads its settings when called, not when imported.

    Every call may take seconds and must have a time-out; none is made while a database transaction is open. A gateway
    that can charge a stored card off-session has one more method, `charge`, with a request and a snapshot of its own;
    callers look for it with `hasattr`, and nothing in this module needs it.
    """

    # The name in settings.PAYMENT_GATEWAYS, in Payment.gateway and in the webhook's URL.
    name: str

    def problems(self) -> list[str]:
        """Return what is wrong with its settings, above all a blank webhook secret. Called at start-up; no network."""
        ...

    def create_session(self, request: SessionRequest) -> Session:
        """Open a hosted page for a payment that is `pending` or `unknown` and has no gateway id yet.

        Called after the payment is committed, and again with the same key if the first call got no answer. Must not
        open a second page for a key. Raises GatewayError.
        """
        ...

    def fetch(self, gateway_id: str) -> Snapshot:
        """Return the current state of a payment, whatever its status with us. Must change nothing and not be cached.

        Raises GatewayError, `permanent` if the gateway does not know the id.
        """
        ...

    def cancel(self, gateway_id: str) -> Snapshot:
        """Cancel a payment, if that is still possible, and return its state afterwards.

        Called when the customer cancels and when a payment expires. If it can no longer be cancelled, return the
        snapshot that says so and raise no error. Must not refund money that was taken. Raises GatewayError.
        """
        ...

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        """Refund money of a `confirmed` payment, once per key. Raises GatewayError.

        Call it only after the wallet is debited, and never for more than was taken.
        """
        ...

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Verify the signature of the raw `body` and return its content. The names in `headers` are lower case.

        Called before anything is stored. Must compare in constant time, refuse a timestamp more than 300 s away from
        now, and do nothing else: no look-up, no network. Raises BadWebhook.
        """
        ...
