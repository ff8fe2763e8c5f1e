"""A customer's story at Stripe and YooKassa, through our API and pages, the gateway's page, and real webhooks.

The gateway is a fake that listens on 127.0.0.1; it sends its webhooks to a live server of this process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from billing_site.local.fakes.faults import Fault
from payments import comparison, mismatches, reconciliation, refunds
from payments.gateways.aftermath import DisputeState, RefundState
from payments.models import Dispute, Payment, Payout, WebhookEvent
from payments.webhooks import process
from subscriptions.models import Subscription
from tests.ledger import snapshot
from tests.payments.gateways.visitors import visitor as visitors
from tests.payments.rows import balance, times_credited
from tests.subscriptions.shop import sell
from tests.web import button_address

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "long-enough-and-not-common"
GATEWAYS = ("stripe", "yookassa")
# How each fake shows 990.00 roubles on its page.
AMOUNT = {"stripe": "99000 RUB", "yookassa": "990.00 RUB"}
# Where each gateway creates payments.
CREATION = {"stripe": "/v1/checkout/sessions", "yookassa": "/v3/payments"}


class Story:
    """A customer who is registered, the gateway's visitor and fake, and our site."""

    def __init__(self, gateway: str, visitor: Any, url: str) -> None:
        self.gateway, self.visitor, self.fake, self.url = gateway, visitor, visitor.fake, url
        self.session = requests.Session()
        self.call("auth/register", 201, username="olga", email="olga@example.com", password=PASSWORD)
        pair = self.call("auth/token", 200, username="olga", password=PASSWORD)
        self.session.headers["Authorization"] = f"Bearer {pair['access']}"
        self.customer = User.objects.get(username="olga")

    def call(self, path: str, expected: int, **body: Any) -> Any:
        answer = self.session.request(
            "POST" if body else "GET", f"{self.url}/api/{path}", json=body or None, timeout=30
        )
        assert answer.status_code == expected, answer.text
        return answer.json()

    def check_out(self, **terms: Any) -> Payment:
        """Start the checkout of the plan, which costs 990.00 roubles."""
        made = self.call("payments/create-checkout-session", 201, plan="basic", gateway=self.gateway, **terms)
        return Payment.objects.get(public_id=made["id"])

    def paid(self) -> Payment:
        """Return a payment that was paid, of which a webhook has told us."""
        payment = self.check_out()
        self.visitor.pay(str(payment.gateway_id))
        self.hear()
        payment.refresh_from_db()
        assert payment.status == "confirmed"
        return payment

    def hear(self) -> None:
        """Wait until the gateway's webhooks have arrived, and process them."""
        self.fake.webhooks.settle()
        assert {tried for each in self.fake.webhooks.deliveries for tried in each.tries} <= {"200"}
        process.sweep(now=timezone.now())

    def ask(self, *, after: timedelta) -> None:
        """Let the sweep ask the gateway about what is due after so long."""
        with time_machine.travel(timezone.now() + after, tick=False):
            reconciliation.check_gateway(self.gateway, now=timezone.now())

    def listed(self) -> list[tuple[str, str]]:
        """Return the status and the amount of the customer's payments, as our API lists them."""
        rows = self.call("payments/", 200)["results"]
        return [(row["status"], row["amount"]["value"]) for row in rows]


@contextmanager
def telling(story: Story) -> Iterator[None]:
    story.fake.webhooks.url = f"{story.url}/webhooks/{story.gateway}/"
    yield
    assert snapshot.found() == {}


@pytest.fixture(params=GATEWAYS)
def story(request: pytest.FixtureRequest, settings: Any, live_server: LiveServer) -> Iterator[Story]:
    """The story of one gateway. At its end the ledger must be right."""
    sell("basic", RUB=990_00)
    settings.SITE_URL, settings.PAYMENT_GATEWAYS = live_server.url, [request.param]
    # The fake YooKassa sends from this machine.
    settings.YOOKASSA_NETWORKS = ["127.0.0.1/32"]
    with visitors.visit(request.param, settings) as visitor:
        story = Story(request.param, visitor, live_server.url)
        with telling(story):
            yield story


def test_a_plan_is_paid_on_the_gateways_page(story: Story) -> None:
    payment = story.check_out()
    assert payment.confirmation_url.startswith(story.fake.url)
    page = requests.get(payment.confirmation_url, timeout=30)
    assert page.status_code == 200
    assert AMOUNT[story.gateway] in page.text
    sent = requests.post(button_address(payment.confirmation_url, "pay"), timeout=30, allow_redirects=False)
    # The customer is sent back to our page of this payment.
    assert sent.status_code == 303
    assert sent.headers["Location"].startswith(f"{story.url}/")
    assert payment.public_id in sent.headers["Location"]
    story.hear()
    payment.refresh_from_db()
    assert (payment.status, times_credited(payment)) == ("confirmed", 1)
    assert (Subscription.objects.get().status, balance(story.customer)) == ("active", 0)
    assert story.listed() == [("confirmed", "990.00")]
    assert WebhookEvent.objects.filter(status="processed").exists()


def test_a_declined_card_starts_nothing(story: Story) -> None:
    payment = story.check_out()
    story.visitor.be_declined(payment.gateway_id)
    story.hear()
    payment.refresh_from_db()
    # Stripe's page stays open for another card.
    assert payment.status == ("pending" if story.visitor.may_try_again else "failed")
    assert (Subscription.objects.get().status, times_credited(payment)) == ("pending", 0)


def test_a_page_expires_and_the_order_waits(story: Story) -> None:
    payment = story.check_out()
    story.fake.advance(seconds=25 * 3600)
    story.ask(after=timedelta(hours=25))
    payment.refresh_from_db()
    assert (payment.status, Subscription.objects.get().status) == ("expired", "pending")


@pytest.mark.parametrize("amount", [990_00, 100_00])
def test_a_refund_of_a_top_up(story: Story, amount: int) -> None:
    made = story.call("payments/", 201, value="990.00", currency="RUB", gateway=story.gateway)
    payment = Payment.objects.get(public_id=made["id"])
    story.visitor.pay(payment.gateway_id)
    story.hear()
    assert balance(story.customer) == 990_00
    payment.refresh_from_db()
    refund = refunds.issue(payment, now=timezone.now(), amount=amount)
    assert (refund.status, balance(story.customer)) == ("pending", 990_00 - amount)
    story.visitor.settle_refund(refund.gateway_id, RefundState.SUCCEEDED)
    story.hear()
    refund.refresh_from_db()
    assert (refund.status, balance(story.customer)) == ("succeeded", 990_00 - amount)
    # The bank may still send it back.
    story.visitor.settle_refund(refund.gateway_id, RefundState.FAILED)
    story.ask(after=timedelta(days=1))
    refund.refresh_from_db()
    assert (refund.status, balance(story.customer)) == ("failed", 990_00)


def test_a_refund_made_on_the_gateways_own_pages(story: Story) -> None:
    """The month of Basic is paid and begun. Its price goes back, so Basic stops and its unused time pays for that."""
    payment = story.paid()
    assert Subscription.objects.get().status == "active"
    made = story.visitor.refund_by_hand(str(payment.gateway_id))
    story.visitor.settle_refund(made, RefundState.SUCCEEDED)
    story.hear()
    refund = payment.refunds.get()
    assert (refund.gateway_id, refund.status, refund.amount, refund.is_made_at_gateway) == (
        made, "succeeded", 990_00, True,
    )  # fmt: skip
    assert (Subscription.objects.get().status, balance(story.customer)) == ("suspended", 0)
    # Once, also when the webhooks come again and the list is read.
    WebhookEvent.objects.update(next_try_at=timezone.now())
    process.sweep(now=timezone.now())
    [result] = comparison.compare_all(now=timezone.now() + timedelta(seconds=5), only=story.gateway)
    assert (result.found, payment.refunds.count()) == ([], 1)


def test_a_payout_of_stripe(story: Story) -> None:
    if story.gateway != "stripe":
        return
    story.paid()
    payout_id = story.visitor.pay_out(str(Payment.objects.get().gateway_id))
    story.hear()
    # 990.00 less 2.9 % and 0.30.
    assert [(row.gateway_id, row.amount, row.is_paid) for row in Payout.objects.all()] == [(payout_id, 960_99, True)]
    story.fake.account.fail_payout(payout_id)
    story.hear()
    assert not Payout.objects.get().is_paid


def test_an_answer_lost_at_creation_makes_no_second_page(story: Story, settings: Any) -> None:
    settings.GATEWAY_TIMEOUT_WEB = 1.0
    story.fake.fault(Fault.TIMEOUT_AFTER, path=CREATION[story.gateway], method="POST", seconds=2)
    story.call("payments/create-checkout-session", 503, plan="basic", gateway=story.gateway)
    payment = Payment.objects.get()
    assert (payment.status, payment.gateway_id) == ("unknown", None)
    story.ask(after=timedelta(seconds=40))
    payment.refresh_from_db()
    assert payment.gateway_id is not None
    made = story.fake.shop.payments if story.gateway == "yookassa" else story.fake.account.all("checkout.session")
    assert len(made) == 1


@pytest.mark.parametrize("end", [DisputeState.WON, DisputeState.LOST])
@pytest.mark.parametrize("story", ["stripe"], indirect=True)
def test_a_dispute_at_stripe(story: Story, end: DisputeState) -> None:
    payment = story.paid()
    dispute_id = story.visitor.open_dispute(payment.gateway_id)
    story.hear()
    # The month is paid for, so what the bank takes back is a debt.
    assert (Dispute.objects.get().status, balance(story.customer)) == ("open", 0)
    story.visitor.decide_dispute(dispute_id, end)
    story.hear()
    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.withdrawn_at is not None) == (end.value, True)
    assert (dispute.returned_at is not None) == (end is DisputeState.WON)


def test_another_amount_is_held_until_staff_accept_it(story: Story, staff: User) -> None:
    payment = story.check_out()
    story.visitor.pay(payment.gateway_id, amount=100_00)
    story.hear()
    payment.refresh_from_db()
    assert (payment.status, payment.amount_received, balance(story.customer)) == ("unknown", 100_00, 0)
    mismatches.accept(payment, author=staff, now=timezone.now())
    # A top-up: the order waits on.
    assert (Subscription.objects.get().status, balance(story.customer)) == ("pending", 100_00)
