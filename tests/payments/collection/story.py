"""A customer with a plan and a saved card at the sandbox, and a clock that a test puts forward. No test lives here."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from core.integrity import Check
from events.models import Event
from ledger.models import Account
from payments import checkout, confirmation, disputes, integrity_collections, reconciliation
from payments.collection import consents, plans
from payments.gateways.aftermath import DisputeSnapshot, DisputeState
from payments.gateways.sandbox import methods, outcomes, sessions
from payments.models import Collection, CollectionDecision, Payment, PaymentMethod
from subscriptions import billing_run, books
from subscriptions.models import Subscription
from tests.ledger import snapshot
from tests.payments.rows import balance

CHECKS: tuple[Check, ...] = integrity_collections.CHECKS
ADDRESS = "203.0.113.7"
# When a month that was bought at the story's beginning is renewed, and when that is charged.
RENEWAL = datetime(2026, 4, 2, 12, tzinfo=UTC)
AHEAD = RENEWAL - timedelta(days=1)
MAY = datetime(2026, 5, 2, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


class Story:
    """Everything happens by the clock of `time_machine`, which the test moves by `travel`."""

    def __init__(self, customer: User, traveller: Any) -> None:
        self.customer, self.traveller = customer, traveller

    @property
    def now(self) -> datetime:
        return timezone.now()

    def travel(self, to: datetime) -> None:
        self.traveller.move_to(to, tick=False)

    def later(self, **by: float) -> None:
        self.travel(self.now + timedelta(**by))

    def buy(self, plan: str = "basic", **terms: Any) -> Subscription:
        """Buy a plan with a card that the sandbox keeps, and return the running subscription."""
        payment = checkout.start(self.customer, now=self.now, plan=plan, save_method=True, **terms)
        self.choose(payment, "succeeds")
        payment = confirmation.confirm(payment.pk, now=self.now)
        assert payment.status == "confirmed"
        assert payment.subscription is not None
        payment.subscription.refresh_from_db()
        return payment.subscription

    def top_up(self, amount: int) -> Payment:
        """Top up with a card that the sandbox keeps, and return the payment."""
        payment = checkout.start(self.customer, now=self.now, amount=amount, currency="RUB", save_method=True)
        self.choose(payment, "succeeds")
        return confirmation.confirm(payment.pk, now=self.now)

    def book(self) -> AbstractContextManager[books.OpenBook]:
        return books.open(self.customer, "RUB", now=self.now)

    def travel_ahead_of(self, subscription: Subscription) -> None:
        """Put the clock to a day before the renewal."""
        assert subscription.period_end is not None
        self.travel(subscription.period_end - timedelta(days=1))

    def choose(self, payment: Payment, outcome: str) -> None:
        chosen = outcomes.ON_THE_PAGE[outcome]
        assert sessions.choose(str(payment.gateway_id), chosen, expected=sessions.Status.OPEN, now=self.now)

    @property
    def card(self) -> PaymentMethod:
        """The card that was saved last."""
        return PaymentMethod.objects.filter(customer=self.customer).latest("id")

    def agree(self) -> Any:
        return consents.agree_to_renewals(self.card, address=ADDRESS, now=self.now)

    def answer(self, code: str) -> None:
        """Let the bank of the card answer the next charges with a code of outcomes.CHARGES."""
        methods.answer(self.card.gateway_id, code)

    def run(self) -> None:
        """Run what the scheduler runs: billing, then reconciliation, then collection."""
        billing_run.run_due(now=self.now)
        reconciliation.check_all(now=self.now)
        plans.check_due(now=self.now)

    def run_until(self, end: datetime, *, every: timedelta = timedelta(hours=1)) -> None:
        while self.now < end:
            self.travel(min(end, self.now + every))
            self.run()

    @property
    def collection(self) -> Collection:
        return Collection.objects.get()

    @property
    def attempts(self) -> list[Payment]:
        return list(Payment.objects.filter(collection__isnull=False).order_by("id"))

    @property
    def balance(self) -> int:
        return balance(self.customer)

    def events(self, prefix: str = "collection.") -> list[str]:
        rows = Event.objects.filter(customer=self.customer, type__startswith=prefix).order_by("id")
        return [kind.removeprefix(prefix) for kind in rows.values_list("type", flat=True)]

    def event(self, kind: str) -> dict[str, Any]:
        """Return the data of the last event of a kind."""
        data: dict[str, Any] = Event.objects.filter(customer=self.customer, type=kind).latest("id").data
        return data

    def decisions(self) -> list[str]:
        return list(CollectionDecision.objects.order_by("id").values_list("outcome", flat=True))

    def status(self, subscription: Subscription) -> str:
        subscription.refresh_from_db()
        return subscription.status

    def wallet(self) -> Account:
        return Account.objects.get(owner=self.customer, kind="wallet")

    def close(self) -> None:
        """At the end of every story the books must be right."""
        assert snapshot.found() == {}


def dispute(payment: Payment, *, now: datetime) -> None:
    """Let the customer's bank take a payment back."""
    opened = DisputeSnapshot(
        gateway_id="dp_1", payment=str(payment.gateway_id), state=DisputeState.OPEN, amount=payment.amount,
        currency="RUB",
    )  # fmt: skip
    disputes.apply("sandbox", opened, now=now)
