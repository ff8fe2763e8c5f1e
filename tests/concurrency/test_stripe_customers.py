"""Pages that are opened at once, before the first card is saved, make one customer at Stripe for one of ours."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from billing_site.local.fakes.faults import Fault
from payments import confirmation
from payments.gateways.stripe.models import StripeCustomer
from payments.models import Payment, PaymentMethod
from tests.concurrency.sessions import at_once
from tests.payments.checkouts import start
from tests.payments.gateways.visitors import stripe
from tests.payments.gateways.visitors.stripe import StripeVisitor

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = 6


@pytest.fixture
def visitor(settings: Any) -> Iterator[StripeVisitor]:
    settings.PAYMENT_GATEWAYS = ["stripe"]
    with stripe.visit(settings) as visitor:
        yield visitor


def pages(customer: User, *, first: int = 1000) -> list[Payment]:
    """Let a customer who agrees to save the card open pages in several tabs at the same time, each of another sum."""
    terms: dict[str, Any] = {"currency": "RUB", "gateway": "stripe", "save_method": True}
    return at_once([partial(start, customer, amount=(first + n) * 100, **terms) for n in range(PAGES)])


@pytest.mark.parametrize("slow", [0, PAGES], ids=["quick", "slow"])
def test_pages_opened_at_once_have_one_customer(visitor: StripeVisitor, alice: User, slow: int) -> None:
    if slow:
        # The key is in use while the first of them waits.
        visitor.fake.fault(Fault.SLOW, path="/v1/customers", times=slow, seconds=0.3)
    payments = pages(alice)
    account = visitor.fake.account
    [customer] = account.all("customer")
    assert {account.objects[str(payment.gateway_id)]["customer"] for payment in payments} == {customer["id"]}
    for payment in payments:
        visitor.pay(payment.gateway_id or "")
        confirmation.confirm(payment.pk, now=timezone.now())
    owners = PaymentMethod.objects.filter(customer=alice).values_list("gateway_owner", flat=True)
    assert list(owners) == [customer["id"]] * PAGES


def test_a_customer_deleted_at_stripe_is_replaced_once(visitor: StripeVisitor, alice: User) -> None:
    pages(alice)
    account = visitor.fake.account
    [gone] = account.all("customer")
    account.forget_customer(gone["id"])
    again = pages(alice, first=2000)
    [customer] = account.all("customer")
    assert {account.objects[str(payment.gateway_id)]["customer"] for payment in again} == {customer["id"]}
    assert StripeCustomer.objects.get().customer_id == customer["id"]
