"""A customer's story with a bank transfer, through our API and page; staff record what arrives and what goes back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from payments import mismatches, reconciliation, refunds
from payments.gateways.aftermath import RefundState
from payments.gateways.manual.models import ManualTransfer
from payments.models import Payment
from subscriptions.models import Subscription
from tests.ledger import snapshot
from tests.payments.gateways.visitors import manual
from tests.payments.gateways.visitors.manual import ManualVisitor
from tests.payments.rows import balance, times_credited
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cashier(settings: Any) -> Iterator[ManualVisitor]:
    """Staff who record transfers. At the end the ledger must be right."""
    sell("basic", RUB=990_00)
    settings.PAYMENT_GATEWAYS = ["manual"]
    with manual.visit(settings) as visitor:
        yield visitor
    assert snapshot.found() == {}


@pytest.fixture
def order(alice: User, cashier: ManualVisitor) -> Callable[..., Payment]:
    """Return a function that starts Alice's payment through the API, by default a checkout of the plan."""
    api = APIClient()
    api.force_authenticate(alice)

    def order(path: str = "create-checkout-session", **body: Any) -> Payment:
        answer = api.post(f"/api/payments/{path}", body or {"plan": "basic"}, format="json")
        assert answer.status_code == 201, answer.json()
        return Payment.objects.get(public_id=answer.json()["id"])

    return order


def ask() -> None:
    """Let the sweep ask about what is due an hour later."""
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        reconciliation.check_gateway("manual", now=timezone.now())


def test_a_whole_transfer_starts_the_plan(
    alice: User, client: Client, cashier: ManualVisitor, order: Callable[..., Payment]
) -> None:
    payment = order()
    client.force_login(alice)
    page = client.get(urlsplit(str(payment.confirmation_url)).path)
    assert page.status_code == 200
    assert "40702810900000000001" in page.content.decode()
    cashier.pay(str(payment.gateway_id))
    ask()
    payment.refresh_from_db()
    assert (payment.status, times_credited(payment), Subscription.objects.get().status) == ("confirmed", 1, "active")


@pytest.mark.parametrize("arrived", [400_00, 1000_00], ids=["part", "more"])
def test_another_sum_is_held_until_staff_accept_it(
    alice: User, staff: User, cashier: ManualVisitor, order: Callable[..., Payment], arrived: int
) -> None:
    payment = order()
    cashier.pay(str(payment.gateway_id), amount=arrived)
    ask()
    payment.refresh_from_db()
    assert (payment.status, payment.amount_received, balance(alice)) == ("unknown", arrived, 0)
    assert payment.parked_reason
    mismatches.accept(payment, author=staff, now=timezone.now())
    # A top-up: the order waits on.
    assert (Subscription.objects.get().status, balance(alice)) == ("pending", arrived)


@pytest.mark.parametrize("end", [RefundState.SUCCEEDED, RefundState.FAILED])
def test_a_refund_waits_until_staff_have_sent_it(
    alice: User, cashier: ManualVisitor, order: Callable[..., Payment], end: RefundState
) -> None:
    payment = order("", value="990.00", currency="RUB")
    cashier.pay(ManualTransfer.objects.get().transfer_id)
    ask()
    payment.refresh_from_db()
    refund = refunds.issue(payment, now=timezone.now(), amount=100_00)
    assert (refund.status, balance(alice)) == ("pending", 890_00)
    cashier.settle_refund(str(refund.gateway_id), end)
    ask()
    refund.refresh_from_db()
    assert (refund.status, balance(alice)) == (end.value, 890_00 if end is RefundState.SUCCEEDED else 990_00)
