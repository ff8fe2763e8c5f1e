"""A gateway that is down, has no keys any more or those of the other mode: the customer pays at another one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import User
from core.errors import Unavailable
from payments import checkout, confirmation, reconciliation
from payments.gateways.errors import OTHER_MODE, GatewayError
from payments.gateways.sessions import Snapshot
from payments.models import Payment
from subscriptions.models import Price, Subscription
from tests.payments.checkouts import start
from tests.payments.faulty_gateway import CARD, Card
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db

DOWN = GatewayError("No answer.", permanent=False, code="timeout")
MODE = GatewayError("No such session; a similar object exists in test mode.", permanent=False, code=OTHER_MODE)
UNKNOWN = GatewayError("No such session.", permanent=True, code="not_found")
NO_KEY = GatewayError("The key is blank.", permanent=False, code="not_configured")


@pytest.fixture(autouse=True)
def _two_gateways(settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["card", "sandbox"]
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"card": CARD}


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch) -> Callable[[GatewayError], None]:
    """Return a function that makes the gateway `card` answer with an error only."""

    def lose(error: GatewayError) -> None:
        def fail(_self: Card, _id: str) -> Snapshot:
            raise error

        monkeypatch.setattr(Card, "fetch", fail)
        monkeypatch.setattr(Card, "cancel", fail)
        monkeypatch.setattr(Card, "is_configured", lambda _self: error is not NO_KEY)

    return lose


@pytest.mark.parametrize("error", [MODE, UNKNOWN, NO_KEY])
def test_one_that_cannot_be_asked_stands_in_nobodys_way(
    alice: User, basic: Price, lose: Callable[[GatewayError], None], error: GatewayError
) -> None:
    first = start(alice, plan="basic")
    lose(error)
    second = start(alice, plan="basic", gateway="sandbox")
    first.refresh_from_db()
    assert (second.gateway, second.status, second.subscription) == ("sandbox", "pending", first.subscription)
    assert (first.closing_at is not None, first.confirmation_url) == (True, "")
    assert start(alice, plan="basic", gateway="sandbox") == second


def test_one_that_is_down_does_so_as_long_as_its_page_lives(
    alice: User, basic: Price, lose: Callable[[GatewayError], None]
) -> None:
    first = start(alice, plan="basic")
    lose(DOWN)
    with pytest.raises(Unavailable):
        start(alice, plan="basic", gateway="sandbox")
    cache.clear()
    second = checkout.start(alice, now=first.expires_at, plan="basic", gateway="sandbox")
    assert (second.gateway, second.subscription) == ("sandbox", first.subscription)


def test_late_money_is_credited_all_the_same(
    alice: User, basic: Price, choose: Callable[..., Any], lose: Callable[[GatewayError], None]
) -> None:
    first = start(alice, plan="basic")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Card, "is_configured", lambda _self: False)
        patch.setattr(Card, "cancel", lambda _self, _id: (_ for _ in ()).throw(NO_KEY))
        start(alice, plan="basic", gateway="sandbox")
    choose(first, "webhook_lost")
    # 990.00 starts the plan that it was for.
    assert confirmation.confirm(first.pk, now=timezone.now()).status == "confirmed"
    assert (Subscription.objects.get().status, balance(alice)) == ("active", 0)


@pytest.mark.parametrize("error", [MODE, NO_KEY])
def test_its_open_payments_wait_for_staff_once_they_have_expired(
    alice: User, basic: Price, lose: Callable[[GatewayError], None], error: GatewayError
) -> None:
    payment = start(alice, plan="basic")
    lose(error)
    reconciliation.check(payment, now=payment.expires_at - timedelta(seconds=1))
    payment.refresh_from_db()
    assert (payment.status, payment.parked_reason) == ("unknown", "")
    reconciliation.expire(payment, now=payment.expires_at)
    payment.refresh_from_db()
    assert (payment.status, payment.parked_reason) == ("unknown", f"card cannot be asked: {error.detail}")
    assert payment.check_at is None
    # The same order is gone on with at the other gateway.
    second = checkout.start(alice, now=payment.expires_at, plan="basic", gateway="sandbox")
    assert (second.subscription, Subscription.objects.count()) == (payment.subscription, 1)


def test_payments_of_one_that_is_only_down_are_asked_about_for_ever(
    alice: User, lose: Callable[[GatewayError], None]
) -> None:
    payment = start(alice, amount=500_00, currency="RUB")
    lose(DOWN)
    reconciliation.expire(payment, now=payment.expires_at + timedelta(days=30))
    payment = Payment.objects.get()
    assert (payment.status, payment.parked_reason, payment.check_at is not None) == ("unknown", "", True)
