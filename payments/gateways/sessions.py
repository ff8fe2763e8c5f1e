"""A payment at a gateway: the hosted page that is asked for, and the answers about what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from payments.gateways.charges import Decline
from payments.gateways.methods import Method


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
    # Set from the moment of the call, so that the gateway's least page time is kept.
    expires_at: datetime
    # The customer's language, such as `ru`.
    language: str
    # Our public id of the customer, and an address for receipts.
    customer: str = ""
    email: str = ""
    # Whether the customer agreed that the gateway keeps the payment method for later charges.
    save_method: bool = False
    # The gateway's own id of the customer, if an earlier method of theirs has one (`Method.owner`).
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A hosted page, for a payment or to save a method: the URL to send the customer to, and when it expires."""

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
    # The gateway's own code for why it failed; for a charge of a saved method also what that means.
    failure_code: str = ""
    decline: Decline | None = None
    # Where the customer confirms a charge of a saved method, while the state is REQUIRES_ACTION.
    action_url: str = ""
    # What the gateway keeps for itself, in minor units of `fee_currency`; None while it is not known.
    fee: int | None = None
    fee_currency: str = ""
    # The method that the customer agreed to keep, once the gateway keeps it.
    method: Method | None = None
    # Our id that the gateway was given with the request, and when it was made there. For lists of payments.
    idempotency_key: str = ""
    created_at: datetime | None = None
