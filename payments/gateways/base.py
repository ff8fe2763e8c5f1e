"""The protocol that every payment gateway implements, and the frozen data that goes in and out.

Never here or in a gateway: our tables, a Django request, HTML, a decision about money. A gateway reports the state on
its side; payments.confirmation, payments.refunds and payments.disputes decide what to do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from payments.gateways.charges import ChargeRequest, Decline


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
    """The state of a refund at the gateway. A word that we do not know is `PENDING`: we log it and keep asking."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DisputeState(StrEnum):
    """The state of a dispute at the gateway: `OPEN` while nobody has decided, and also for a word we do not know."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Subject(StrEnum):
    """What a webhook is about."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    METHOD = "method"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a gateway can do. Everything that differs between gateways is asked here, never by the gateway's name."""

    # The currencies it takes (ISO 4217), with the least and the most of one payment in minor units.
    currencies: Mapping[str, tuple[int, int]]
    # Of which number of minor units an amount must be a multiple, for the currencies where that is not 1.
    steps: Mapping[str, int] = field(default_factory=dict)
    # How long a page may be asked to live. `None`: the gateway sets the end itself.
    longest_page: timedelta | None = None
    # The least time that a page must still have when the request arrives, with a margin for the way.
    shortest_page: timedelta = timedelta(0)
    # Whether an open page can be closed. If not, the customer is told when it ends by itself.
    cancels_pages: bool = True
    refunds: bool = True
    refunds_parts: bool = True
    saves_methods: bool = False
    # Whether it can be told to keep a method no longer. If not, we stop using the method, and that is all.
    removes_methods: bool = True
    charges_off_session: bool = False
    # Whether webhooks carry a signature. If not, they are hints from a listed address, and the gateway has no secret.
    signs_webhooks: bool = True
    # Whether staff record what arrived, as with bank transfers. Then the site itself shows the page.
    is_manual: bool = False
    # Where a form may lead, for the CSP: origins such as https://checkout.stripe.com.
    form_targets: tuple[str, ...] = ()

    def takes(self, currency: str, amount: int | None = None) -> bool:
        """Tell whether it takes this currency, and the amount (minor units) if one is given."""
        limits, step = self.currencies.get(currency), self.steps.get(currency, 1)
        return limits is not None and (amount is None or (limits[0] <= amount <= limits[1] and amount % step == 0))


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
    """A hosted payment page: the URL to send the customer to, and when it expires."""

    gateway_id: str
    confirmation_url: str
    expires_at: datetime


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A request to refund part or all of the payment `gateway_id`. `amount` is in minor units of `currency`."""

    # Our refund's public id.
    idempotency_key: str
    gateway_id: str
    amount: int
    currency: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSnapshot:
    """The gateway's answer about a refund, also about one that somebody made on the gateway's own pages."""

    gateway_id: str
    state: RefundState
    failure_code: str = ""
    # Minor units of `currency`, where known.
    amount: int | None = None
    currency: str = ""
    # Our id that came with the request. Empty for a refund that we did not ask for.
    idempotency_key: str = ""
    # The payment's gateway id. A list may leave it out of a refund that has our id.
    payment: str = ""
    # When it was made at the gateway. For lists of refunds.
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeSnapshot:
    """The gateway's answer about a dispute: the bank takes back `amount` (minor units) of a payment."""

    gateway_id: str
    # The gateway id of the payment.
    payment: str
    state: DisputeState
    amount: int
    currency: str
    # The gateway's word for the reason, and until when the seller may answer.
    reason: str = ""
    answer_by: datetime | None = None
    # Whether the gateway has taken the money out already. It may ask first, and then take it or not.
    is_withdrawn: bool = True
    # When it was opened. For lists of disputes.
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutSnapshot:
    """Money that the gateway has sent to the seller's bank account, in minor units."""

    gateway_id: str
    amount: int
    currency: str
    arrived_at: datetime
    # False if the bank sent it back.
    is_paid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A webhook that is verified as far as the gateway can. Only a hint: the object it names is fetched first."""

    event_id: str
    type: str
    # What it is about, with the gateway's id of that object. None: the event is stored and ignored.
    subject: Subject | None
    gateway_id: str
    payload: Mapping[str, Any] = field(default_factory=dict)


class Gateway(Protocol):
    """A payment gateway. Created without arguments; reads its settings when called, not when imported.

    Every call that goes over the network waits for at most `guard.time_left()` seconds; none is made while a database
    transaction is open. Callers get it from payments.gateways.registry, which turns any other exception into a
    GatewayError that is not permanent. What a gateway cannot do, see `can`, raises a permanent GatewayError.
    """

    # The name in settings.PAYMENT_GATEWAYS, in Payment.gateway and in the webhook's URL.
    name: str

    @property
    def can(self) -> Capabilities:
        """What this gateway can do, by its settings. No network."""
        ...

    def is_configured(self) -> bool:
        """Tell whether it has the keys that it needs. If so, it is asked about payments, offered or not."""
        ...

    def problems(self) -> list[str]:
        """Return what is wrong with its settings, a line each that names the variable. Called at start-up."""
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

        Called when the customer cancels and when a payment expires. If it can no longer be cancelled, or this gateway
        cannot cancel, return the snapshot as it is and raise no error. Must not refund money that was taken. Raises
        GatewayError.
        """
        ...

    def charge(self, request: ChargeRequest) -> Snapshot:
        """Charge a saved method while the customer is away, and return the payment. A decline is FAILED, no error.

        Called once per key. `fetch`, `cancel` and `refund` take its id too. Raises GatewayError, METHOD_GONE too.
        """
        ...

    def find_charge(self, request: ChargeRequest) -> Snapshot | None:
        """Return the payment that `charge` made with this request, None if there is none. Must make none.

        It must not rely on idempotency keys, which gateways forget after a day. Raises GatewayError.
        """
        ...

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        """Refund money of a `confirmed` payment, once per key. Raises GatewayError.

        Call it only after the wallet is debited, and never for more than was taken.
        """
        ...

    def find_refund(self, request: RefundRequest) -> RefundSnapshot | None:
        """Return the refund that was made with this request, None if there is none. Used when its answer was lost.

        It must not rely on idempotency keys, which gateways forget after a day. Raises GatewayError.
        """
        ...

    def fetch_refund(self, gateway_id: str) -> RefundSnapshot:
        """Return the current state of a refund. Raises GatewayError, `permanent` for an unknown id."""
        ...

    def fetch_dispute(self, gateway_id: str) -> DisputeSnapshot:
        """Return the current state of a dispute. Raises GatewayError, `permanent` for an unknown id."""
        ...

    def fetch_method(self, gateway_id: str) -> Method:
        """Return a payment method that the gateway keeps or kept. Raises GatewayError, `permanent` if unknown."""
        ...

    def remove_method(self, gateway_id: str) -> None:
        """Stop keeping a method, if it still does. Raises GatewayError, `permanent` if unknown, or if it cannot."""
        ...

    def fetch_payout(self, gateway_id: str) -> PayoutSnapshot | None:
        """Return a payout, None while it is on its way. Raises GatewayError, `permanent` for an unknown id."""
        ...

    def list_payments(self, *, since: datetime, until: datetime) -> Iterator[Snapshot]:
        """Yield the payments made in [since, until), those without money too, page by page. Raises GatewayError."""
        ...

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[RefundSnapshot]:
        """Yield the refunds made in [since, until), ours and those made by hand at the gateway. Raises GatewayError."""
        ...

    def list_disputes(self, *, since: datetime, until: datetime) -> Iterator[DisputeSnapshot]:
        """Yield the disputes opened in [since, until), none if the gateway has no disputes. Raises GatewayError."""
        ...

    def list_payouts(self, *, since: datetime, until: datetime) -> Iterator[PayoutSnapshot]:
        """Yield the payouts that arrived in [since, until), none if the gateway does not tell. Raises GatewayError."""
        ...

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], *, address: str) -> Notification:
        """Verify the raw `body` and return its content. `headers` have lower-case names; `address` is the sender's IP.

        Called before anything is stored. A signature is compared in constant time, and a timestamp more than 300 s
        away from now is refused. No look-up and no network. Raises BadWebhook, ForeignWebhook.
        """
        ...
