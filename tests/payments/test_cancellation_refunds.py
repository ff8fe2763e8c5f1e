"""Unused time refunded to the card: from the newest payments, never more than came back and is left after debts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from payments import cancellation_refunds, confirmation, disputes
from payments.gateways.aftermath import DisputeSnapshot, DisputeState
from payments.models import Payment, Refund
from subscriptions.models import Price, Subscription
from tests.ledger.snapshot import found
from tests.payments.api.calls import problem
from tests.payments.checkouts import start
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db
URL = "/api/payments/cancel-subscription"


@pytest.fixture
def bought(alice: User, basic: Price, choose: Callable[..., Any]) -> Subscription:
    """A month of Basic for 990.00 roubles, bought by card this moment: nearly all of it is unused."""
    payment = paid(start(alice, plan="basic"), choose)
    assert payment.subscription is not None
    payment.subscription.refresh_from_db()
    assert payment.subscription.status == "active"
    return payment.subscription


def paid(payment: Payment, choose: Callable[..., Any]) -> Payment:
    choose(payment, "succeeds")
    return confirmation.confirm(payment.pk, now=timezone.now())


def test_unused_time_goes_to_the_card_by_which_it_was_paid(bought: Subscription, alice: User) -> None:
    done = cancellation_refunds.cancel(bought, now=timezone.now())
    bought.refresh_from_db()
    assert bought.status == "cancelled"
    assert done.to_card == done.came_back
    assert 989_00 < done.to_card.amount <= 990_00
    assert [(each.payment.subscription, each.status) for each in done.refunds] == [(bought, "succeeded")]
    assert balance(alice) == 0
    assert found() == {}


def test_a_second_call_refunds_nothing_more(bought: Subscription) -> None:
    first = cancellation_refunds.cancel(bought, now=timezone.now())
    again = cancellation_refunds.cancel(bought, now=timezone.now())
    assert again.refunds == first.refunds
    assert Refund.objects.count() == 1


def test_other_payments_take_what_the_subscriptions_own_cannot(
    bought: Subscription, alice: User, choose: Callable[..., Any]
) -> None:
    other = paid(start(alice, amount=600_00, currency="RUB"), choose)
    own = Payment.objects.get(subscription=bought)
    disputes.apply("sandbox", lost(own), now=timezone.now())
    done = cancellation_refunds.cancel(bought, now=timezone.now())
    assert {each.payment_id for each in done.refunds} <= {other.pk}
    assert done.to_card.amount <= 600_00
    assert found() == {}


def lost(payment: Payment) -> DisputeSnapshot:
    assert payment.gateway_id is not None
    return DisputeSnapshot(
        gateway_id="dp_1", payment=payment.gateway_id, state=DisputeState.LOST, amount=100_00, currency="RUB"
    )


def test_only_unused_time_is_refunded(bought: Subscription) -> None:
    done = cancellation_refunds.cancel(bought, now=timezone.now() + timedelta(days=1))
    # A day of 30 or 31 (28 or 29 in February) is used: 990.00 less 31.93 to 35.36.
    assert 954_00 < done.to_card.amount < 959_00


def test_what_the_check_raises_undoes_all(bought: Subscription) -> None:
    def refuse(came_back: int) -> None:
        raise ValueError(came_back)

    with pytest.raises(ValueError, match=r"^9[89]\d{3}$"):
        cancellation_refunds.cancel(bought, now=timezone.now(), check=refuse)
    bought.refresh_from_db()
    assert (bought.status, Refund.objects.count()) == ("active", 0)


def test_the_api_cancels_and_refunds(api: APIClient, bought: Subscription) -> None:
    answer = api.post(URL, {"subscription": bought.public_id})
    body = answer.json()
    assert (answer.status_code, body["subscription"], len(body["refunds"])) == (200, bought.public_id, 1)
    assert body["to_card"] == body["came_back"] == body["refunds"][0]["amount"]


def test_anothers_subscription_is_not_found(mallory_api: APIClient, bought: Subscription) -> None:
    assert problem(mallory_api.post(URL, {"subscription": bought.public_id}))[:2] == (404, "not_found")


def test_without_a_refund_the_end_is_final(api: APIClient, alice: User, basic: Price) -> None:
    payment = start(alice, plan="basic")
    assert payment.subscription is not None
    api.delete(f"/api/subscriptions/{payment.subscription.public_id}")
    answer = api.post(URL, {"subscription": payment.subscription.public_id})
    assert problem(answer)[:2] == (409, "subscription_is_final")
