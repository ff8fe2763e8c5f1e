"""Money that comes by itself at the sandbox, Stripe and YooKassa: consent, charges while the customer is away, dunning.

Stripe and YooKassa are fakes on 127.0.0.1, spoken to over HTTP.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from payments import checkout, confirmation, reconciliation
from payments.collection import attempts, causes, plans, states, top_ups
from payments.models import Collection, CollectionPlan, Payment, PaymentMethod
from subscriptions import billing_run, books, overview
from subscriptions.models import Subscription
from tests.ledger import snapshot
from tests.payments.gateways.visitors import visitor as visitors
from tests.payments.rows import balance
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/account/automatic-payments/"


class Story:
    """A customer who has bought a plan for 990.00 roubles a month with a saved method, and has agreed on our page."""

    def __init__(self, gateway: str, visitor: Any, traveller: Any, customer: User) -> None:
        self.gateway, self.visitor, self.traveller, self.customer = gateway, visitor, traveller, customer
        self.client = Client()
        self.client.force_login(customer)
        payment = checkout.start(customer, now=timezone.now(), plan="basic", gateway=gateway, save_method=True)
        visitor.pay(payment.gateway_id)
        assert confirmation.confirm(payment.pk, now=timezone.now()).status == "confirmed"
        self.method = PaymentMethod.objects.get()
        answer = self.client.post(PAGE, {"method": self.method.public_id, "agree": "1"})
        assert answer.status_code == 303
        self.subscription = Subscription.objects.get()
        self.renewal: datetime = self.subscription.period_end or timezone.now()
        self.run()

    def travel(self, to: datetime) -> None:
        self.traveller.move_to(to, tick=False)
        # The session of weeks ago is over.
        self.client.force_login(self.customer)

    def run(self) -> None:
        billing_run.run_due(now=timezone.now())
        reconciliation.check_gateway(self.gateway, now=timezone.now())
        plans.check_due(now=timezone.now())

    def due(self) -> None:
        """Put the clock to where the renewal is charged, and run."""
        self.travel(self.renewal - timedelta(days=1))
        self.run()

    @property
    def attempts(self) -> list[Payment]:
        return list(Payment.objects.filter(collection__isnull=False).order_by("id"))

    @property
    def status(self) -> str:
        self.subscription.refresh_from_db()
        return self.subscription.status


@pytest.fixture(params=["sandbox", "stripe", "yookassa"])
def story(request: pytest.FixtureRequest, settings: Any, alice: User) -> Iterator[Story]:
    """The story of one gateway. At its end the books must be right."""
    sell("basic", RUB=990_00)
    settings.PAYMENT_GATEWAYS = [request.param]
    with (
        visitors.visit(request.param, settings) as visitor,
        time_machine.travel(timezone.now(), tick=False) as traveller,
    ):
        yield Story(request.param, visitor, traveller, alice)
        assert snapshot.found() == {}


def test_a_renewal_is_paid_while_the_customer_is_away(story: Story) -> None:
    story.due()
    [attempt] = story.attempts
    assert (attempt.status, attempt.amount, attempt.method) == ("confirmed", 990_00, story.method)
    assert (Collection.objects.get().status, balance(story.customer)) == ("collected", 990_00)
    story.travel(story.renewal)
    story.run()
    assert (story.status, balance(story.customer)) == ("active", 0)


def test_the_bank_asks_the_customer(story: Story) -> None:
    story.visitor.answer_charges(story.method.gateway_id, "asks")
    story.due()
    [attempt] = story.attempts
    if not story.visitor.has_bank_page:
        assert (attempt.status, attempt.decline, Collection.objects.get().status) == (
            "failed", "authentication", "waiting",
        )  # fmt: skip
        return
    assert (attempt.status, Collection.objects.get().status) == ("pending", "action_required")
    page = story.client.get(f"/pay/{attempt.public_id}/")
    assert attempt.confirmation_url in page.content.decode()
    assert f"/pay/{attempt.public_id}/" in story.client.get(PAGE).content.decode()
    story.visitor.approve(attempt.gateway_id)
    # The customer comes back to our page of the payment, which asks the gateway.
    story.client.get(f"/pay/{attempt.public_id}/")
    story.run()
    assert (Collection.objects.get().status, balance(story.customer)) == ("collected", 990_00)


def test_declines_to_the_end_of_dunning(story: Story) -> None:
    story.visitor.answer_charges(story.method.gateway_id, "soft")
    story.due()
    for number in range(1, 5):
        collection = Collection.objects.get()
        assert (collection.status, collection.declines, len(story.attempts)) == ("waiting", number, number)
        assert collection.next_at is not None
        story.travel(collection.next_at)
        story.run()
    assert (Collection.objects.get().status, len(story.attempts), story.status) == ("given_up", 5, "suspended")
    assert {attempt.status for attempt in story.attempts} == {"failed"}


def test_a_method_that_is_refused_for_good_is_charged_once(story: Story) -> None:
    story.visitor.answer_charges(story.method.gateway_id, "hard")
    story.due()
    story.method.refresh_from_db()
    assert story.method.refused_at is not None
    story.travel(story.renewal + timedelta(days=3))
    story.run()
    assert (len(story.attempts), story.status) == (1, "suspended")


def test_a_method_removed_in_the_middle_is_not_charged(story: Story) -> None:
    story.travel(story.renewal - timedelta(days=1))
    plan = CollectionPlan.objects.get()
    view = overview.peek(story.customer, "RUB", now=timezone.now())
    [cause] = causes.renewal_causes(view, plan.pk, now=timezone.now())
    collection = states.begin(plan, "RUB", cause, now=timezone.now())
    assert collection is not None
    attempt = attempts.begin(collection.pk, now=timezone.now())
    assert isinstance(attempt, Payment)
    PaymentMethod.objects.update(removed_at=timezone.now())
    assert attempts.send(attempt, now=timezone.now()).status == "cancelled"
    story.run()
    assert (Collection.objects.get().status, balance(story.customer)) == ("stopped", 0)


def test_who_withdraws_is_not_charged(story: Story) -> None:
    assert story.client.post(f"{PAGE}withdraw/").status_code == 303
    story.due()
    story.travel(story.renewal)
    story.run()
    assert (story.attempts, story.status) == ([], "suspended")


def test_a_server_goes_on_that_would_run_dry_while_the_workers_are_down(story: Story) -> None:
    """54.00 roubles at 3.60 an hour last 15 hours. The workers come back half an hour before that."""
    hourly = sell("hourly", RUB=3_60, interval="hour", metered=True)["RUB"]
    begun = timezone.now()
    pay_in(story.customer, 54_00, at=begun)
    with books.open(story.customer, "RUB", now=begun) as book:
        server = book.subscribe(hourly)
    top_ups.turn_on(story.method, "RUB", threshold=20_00, amount=500_00, cap=5000_00, address=None, now=begun)
    story.run()
    # 34.00 above the threshold last 34,000 seconds.
    assert CollectionPlan.objects.get().check_at == begun + timedelta(seconds=34_000)
    story.travel(begun + timedelta(hours=14, minutes=30))
    story.run()
    assert [(attempt.status, attempt.amount) for attempt in story.attempts] == [("confirmed", 500_00)]
    story.travel(begun + timedelta(hours=16))
    story.run()
    server.refresh_from_db()
    # 554.00 less 16 hours.
    assert (server.status, balance(story.customer)) == ("active", 554_00 - 57_60)
