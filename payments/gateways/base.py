"""The protocol that every payment gateway implements: what it can do, its calls, and its webhooks.

The frozen data that goes in and out is in sessions.py, charges.py, methods.py and aftermath.py. Never here or in a
gateway: our tables, a Django request, HTML, a decision about money. A gateway reports the state on its side;
payments.confirmation, payments.refunds and payments.disputes decide what to do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from payments.gateways.aftermath import DisputeSnapshot, PayoutSnapshot, RefundRequest, RefundSnapshot
from payments.gateways.charges import ChargeRequest
from payments.gateways.methods import Method, SetupRequest, SetupSnapshot
from payments.gateways.sessions import Session, SessionRequest, Snapshot


class Subject(StrEnum):
    """What a webhook is about."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    METHOD = "method"
    # A page that saves a method without a payment, where its id is not that of the method.
    SETUP = "setup"
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
    # Whether it has a page on which a method is saved without a payment.
    adds_methods: bool = False
    # Whether it can be told to keep a method no longer. If not, we stop using the method, and that is all.
    removes_methods: bool = True
    charges_off_session: bool = False
    # Whether webhooks carry a signature. If not, they are hints from a listed address, and the gateway has no secret.
    signs_webhooks: bool = True
    # Whether it can tell how its webhooks to us are set up (KnowsItsWebhooks).
    knows_its_webhooks: bool = False
    # Whether staff record what arrived, as with bank transfers. Then the site itself shows the page.
    is_manual: bool = False
    # Where a form may lead, for the CSP: origins such as https://checkout.stripe.com.
    form_targets: tuple[str, ...] = ()

    def takes(self, currency: str, amount: int | None = None) -> bool:
        """Tell whether it takes this currency, and the amount (minor units) if one is given."""
        limits, step = self.currencies.get(currency), self.steps.get(currency, 1)
        return limits is not None and (amount is None or (limits[0] <= amount <= limits[1] and amount % step == 0))


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

    def create_setup(self, request: SetupRequest) -> Session:
        """Open a hosted page on which the customer saves a method without paying. Takes no money.

        Called after our row is committed, and again with the same key if the first call got no answer. Must not open a
        second page for a key. Raises GatewayError.
        """
        ...

    def fetch_setup(self, gateway_id: str) -> SetupSnapshot:
        """Return the current state of such a page. Raises GatewayError, `permanent` for an unknown id."""
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


class KnowsItsWebhooks(Protocol):
    """A gateway that `knows_its_webhooks`: how those to us are set up. `manage.py doctor` asks it."""

    def webhook_problems(self, url: str) -> list[str]:
        """Return what is wrong with the set-up of webhooks to this address, a line each. Raises GatewayError."""
        ...
