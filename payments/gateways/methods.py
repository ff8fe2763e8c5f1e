"""A payment method that a gateway keeps for later charges, and the page on which one is saved without a payment."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A payment method that the gateway keeps. We store no more of it than this."""

    gateway_id: str
    # `Visa`, `MIR`, `SBP`; the last four digits, if it has any; the last day it can be used, for cards.
    brand: str = ""
    last4: str = ""
    expires_on: datetime | None = None
    # The gateway's id of its owner, where it has one.
    owner: str = ""
    # False once the gateway does not keep it any more.
    is_kept: bool = True


class SetupState(StrEnum):
    """The state of a page that saves a method: `ENDED` without one. A word that we do not know is `OPEN`: we log it."""

    OPEN = "open"
    SAVED = "saved"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupRequest:
    """A request for a hosted page on which a customer saves a method without paying."""

    # The public id of our row. The same key must return the same page, never open a second one.
    idempotency_key: str
    # The customer comes back to it, whether a method was saved or not.
    return_url: str
    # When we stop waiting for the customer. It is the same in every repetition of the request.
    expires_at: datetime
    # The customer's language, such as `ru`, and the currency in which the method will pay.
    language: str
    currency: str
    # Our public id of the customer, and their email address.
    customer: str = ""
    email: str = ""
    # The gateway's own id of the customer, if an earlier method of theirs has one (`Method.owner`).
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupSnapshot:
    """The gateway's answer about such a page. `method` is set once it is SAVED."""

    gateway_id: str
    state: SetupState
    method: Method | None = None
