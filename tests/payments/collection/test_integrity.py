"""The integrity checks of collections find the errors planted for them."""

import pytest

from payments.models import Collection, Payment
from tests.ledger.plant import plant
from tests.ledger.snapshot import found
from tests.payments.collection.story import Story

pytestmark = pytest.mark.django_db
COLLECTION, PAYMENT = "payments_collection", "payments_payment"


class Planted(Story):
    def close(self) -> None:
        """The errors stay."""


@pytest.fixture
def collected(story: Story, monkeypatch: pytest.MonkeyPatch) -> Payment:
    """A renewal that was collected."""
    subscription = story.buy()
    story.agree()
    story.run()
    story.travel_ahead_of(subscription)
    story.run()
    assert found() == {}
    monkeypatch.setattr(Story, "close", Planted.close)
    return story.attempts[0]


def test_a_cause_collected_twice_is_found(story: Story, collected: Payment) -> None:
    other = Payment.objects.exclude(pk=collected.pk).get()
    plant(PAYMENT, f"UPDATE {PAYMENT} SET collection_id = %s, method_id = %s, subscription_id = NULL, plan_id = NULL"
                   " WHERE id = %s", collected.collection_id, collected.method_id, other.pk)  # fmt: skip
    # It was made before the customer agreed, too.
    assert found() == {"causes_are_collected_once": 1}


@pytest.mark.parametrize("status", ["collected"])
def test_a_collection_that_says_so_without_money_is_found(story: Story, collected: Payment, status: str) -> None:
    plant(PAYMENT, f"UPDATE {PAYMENT} SET collection_id = NULL, method_id = NULL WHERE id = %s", collected.pk)
    assert found() == {"causes_are_collected_once": 1}


def test_a_charge_credited_to_another_wallet_is_found(story: Story, collected: Payment) -> None:
    plant(COLLECTION, f"UPDATE {COLLECTION} SET wallet_id = (SELECT max(id) FROM ledger_account"
                      " WHERE kind <> 'wallet')")  # fmt: skip
    assert found() == {"causes_are_collected_once": 1}


@pytest.mark.parametrize(
    "change",
    [
        "given_at = (SELECT max(created_at) + interval '1 s' FROM payments_payment)",
        "withdrawn_at = given_at",
    ],
)
def test_a_charge_without_consent_is_found(story: Story, collected: Payment, change: str) -> None:
    plant("payments_consent", f"UPDATE payments_consent SET {change}")
    assert found() == {"charges_were_agreed_to": 1}


def test_a_charge_of_a_removed_method_is_found(story: Story, collected: Payment) -> None:
    plant("payments_paymentmethod", "UPDATE payments_paymentmethod SET removed_at = created_at")
    assert found() == {"charges_were_agreed_to": 1}


def test_a_charge_of_another_customers_method_is_found(story: Story, collected: Payment, mallory) -> None:
    plant("payments_paymentmethod", "UPDATE payments_paymentmethod SET customer_id = %s", mallory.pk)
    assert found() == {"charges_were_agreed_to": 1}


def test_nothing_false_is_found_between_payment_and_collection(story: Story, collected: Payment) -> None:
    """A payment is confirmed a moment before its collection follows."""
    plant(COLLECTION, f"UPDATE {COLLECTION} SET status = 'charging', ended_at = NULL")
    assert found() == {}
    assert Collection.objects.get().status == "charging"
