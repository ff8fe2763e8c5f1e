"""Every integrity check of fees and payouts finds the error planted for it, and no other check does."""

import pytest
from django.utils import timezone

import ledger
from payments import checkout, confirmation, payouts
from payments.gateways.aftermath import PayoutSnapshot
from payments.gateways.sessions import Snapshot, State
from payments.models import Payment
from tests.ledger.plant import plant
from tests.ledger.snapshot import found

pytestmark = pytest.mark.django_db
CLEARING = "gateway_clearing:sandbox"
PAYMENT, PAYOUT = "payments_payment", "payments_payout"


@pytest.fixture(autouse=True)
def paid(alice) -> Payment:
    """A payment of 500.00 roubles with a fee of 14.50, of which 485.50 was paid out."""
    now = timezone.now()
    payment = checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="sandbox")
    answer = Snapshot(
        gateway_id=payment.gateway_id or "", state=State.SUCCEEDED, amount=500_00, currency="RUB", fee=14_50,
        fee_currency="RUB",
    )  # fmt: skip
    payment = confirmation.apply(payment.pk, answer, now=now)
    sent = PayoutSnapshot(gateway_id="po_1", amount=485_50, currency="RUB", arrived_at=now)
    payouts.record("sandbox", sent, now=now)
    assert found() == {}
    return payment


def post(key: str, debit: str, credit: str, reason: str) -> None:
    ledger.post([ledger.Entry(key, debit, credit, 1, "RUB", reason, timezone.now())])


@pytest.mark.parametrize("change", ["fee = 1451", "fee = NULL, fee_currency = ''", "fee_currency = 'EUR'"])
def test_a_fee_that_differs_from_what_was_posted_is_found(change):
    plant(PAYMENT, f"UPDATE {PAYMENT} SET {change}")
    assert found() == {"fees_are_posted_once": 1}


def test_a_fee_that_was_not_posted_is_found(alice):
    payment = checkout.start(alice, now=timezone.now(), amount=501_00, currency="RUB", gateway="sandbox")
    plant(PAYMENT, f"UPDATE {PAYMENT} SET fee = 1, fee_currency = 'RUB' WHERE id = %s", payment.pk)
    assert found() == {"fees_are_posted_once": 1}


def test_a_fee_of_a_payment_that_does_not_exist_is_found():
    post("fee:pay_nobody", "gateway_fees", CLEARING, "fee")
    assert found() == {"fees_are_posted_once": 1}


@pytest.mark.parametrize(
    "change", ["amount = 48551", "amount = -amount", "gateway = 'stripe'", "currency = 'EUR'", "returned_at = now()"]
)
def test_a_payout_that_differs_from_what_was_posted_is_found(change):
    plant(PAYOUT, f"UPDATE {PAYOUT} SET {change}")
    assert found() == {"payouts_are_posted_once": 1}


def test_a_posted_payout_without_its_row_is_found():
    post("payout:2", "bank", CLEARING, "payout")
    assert found() == {"payouts_are_posted_once": 1}


def test_a_payout_that_was_not_posted_is_found():
    plant(
        PAYOUT,
        f"INSERT INTO {PAYOUT} (public_id, gateway, gateway_id, amount, currency, arrived_at, is_by_hand, created_at)"
        " VALUES ('payout_x', 'sandbox', 'po_2', 1, 'RUB', now(), false, now())",
    )
    assert found() == {"payouts_are_posted_once": 1}
