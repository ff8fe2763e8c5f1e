"""What a payment gateway is to us: a protocol of five calls, plain frozen data in and out.

Never here or in a gateway: our tables, an HTTP request of ours, HTML, a decision about money. A gateway says what is
so on its side; payments.confirmation decides what follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class State(StrEnum):
    """How the gateway's object stands. A word we do not know is `UNRECOGNISED`: waited on and shown to staff."""

    OPEN = "open"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNRECOGNISED = "unrecognised"


class RefundState(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """A hosted payment page we ask for. `amount` is in minor units of `currency`."""

    # Our payment's public id. The same key again must give the same page, never a second one.
    idempotency_key: str
    amount: int
    currency: str
    description: str
    return_url: str
    cancel_url: str
    expires_at: datetime
    # In which the customer reads, such as `ru`.
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A hosted payment page that exists: where to send the customer, and until when it is good."""

    gateway_id: str
    confirmation_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the gateway says now. `amount` and `currency` are what was really taken, set when it succeeded."""

    gateway_id: str
    state: State
    amount: int | None = None
    currency: str | None = None
    # The gateway's own word for why it failed.
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """Money to give back from what was taken under `gateway_id`."""

    idempotency_key: str
    gateway_id: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSnapshot:
    """A refund as the gateway has it."""

    gateway_id: str
    state: RefundState
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A webhook whose signature was good. A hint only: the object it names is fetched before anything is done."""

    event_id: str
    type: str
    # What it is about; empty: nothing of ours, stored and ignored.
    gateway_id: str
    payload: Mapping[str, Any] = field(default_factory=dict)


class GatewayError(Exception):
    """The gateway did not do it. `permanent`: it said no, and would again. Otherwise: nobody knows, ask later."""

    def __init__(self, detail: str, *, permanent: bool, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent
        self.code = code


class BadWebhook(Exception):
    """Not from the gateway, too old, or not readable. Nothing of it may be stored."""


class Gateway(Protocol):
    """One way of taking money. Made without arguments; reads its settings when called, not when imported.

    Every call may take seconds and must have time-outs; none is ever made while a database transaction is open.
    A gateway that can charge a stored card off-session offers one method more, `charge`, with a request and a
    snapshot of its own; callers ask for it with `hasattr`, and nothing in this module needs it.
    """

    # The name in settings.PAYMENT_GATEWAYS, in Payment.gateway, and in the webhook's address.
    name: str

    def problems(self) -> list[str]:
        """Say what is missing in its settings, a blank webhook secret above all. Called at start; no network."""
        ...

    def create_session(self, request: SessionRequest) -> Session:
        """Open a hosted page for a payment that is `pending` or `unknown` and has no gateway id yet.

        Called after the payment was committed, and again with the same key when nobody knows whether the first call
        arrived. Must not open a second page for a key. Raises GatewayError.
        """
        ...

    def fetch(self, gateway_id: str) -> Snapshot:
        """Tell how it stands now, in any state of ours. Must change nothing, and not answer from a cache.

        Raises GatewayError; `permanent` when the gateway does not know the id.
        """
        ...

    def cancel(self, gateway_id: str) -> Snapshot:
        """Make it unpayable, if it still can be, and tell how it stands after that.

        Called when the customer cancels and when a payment expires. Where it cannot be cancelled any more the answer
        is the snapshot that says so, not an error; it must not give back money that was taken. Raises GatewayError.
        """
        ...

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        """Give money back for a `confirmed` payment, once per key. Raises GatewayError.

        Must not be called before the wallet was debited, nor for more than was taken.
        """
        ...

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Verify the signature over the raw `body`, then read it. `headers` have lower-case names.

        Called before anything is stored. Must compare in constant time, refuse what is older or newer than 300 s, and
        do nothing else: no look-up, no network. Raises BadWebhook.
        """
        ...
