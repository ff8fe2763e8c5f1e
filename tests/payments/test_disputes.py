"""Disputes: up to the balance, the rest a debt; a won one comes back; a refund and a dispute never both pay out."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from payments import confirmation, disputes, refunds
from payments.disputes import UnknownPayment
from payments.gateways.aftermath import DisputeSnapshot, DisputeState
from payments.models import Dispute, Payment
from payments.refunds import RefundRefused
from subscriptions import overview
from subscriptions.models import Price, Subscription
from tests.ledger.snapshot import found
from tests.payments.checkouts import start, top_up
from tests.payments.rows import balance, events

pytestmark = pytest.mark.django_db
# Another dispute of the same payment, with an amount and a status.
COPY = (
    "INSERT INTO payments_dispute (public_id, payment_id, gateway, gateway_id, amount, currency, status, reason,"
    " created_at, updated_at, checks) SELECT 'dsp_2', payment_id, gateway, 'dp_2', %s, currency, '%s', '', now(),"
    " now(), 0 FROM payments_dispute"
)


def told(payment: Payment, state: DisputeState, *, now: datetime | None = None, **more: Any) -> Dispute:
    """Apply what the gateway says of the dispute `dp_1` of the payment."""
    assert payment.gateway_id
    fields: dict[str, Any] = {"amount": 1000_00, "currency": "RUB", "reason": "fraudulent"} | more
    snapshot = DisputeSnapshot(gateway_id="dp_1", payment=payment.gateway_id, state=state, **fields)
    return disputes.apply("sandbox", snapshot, now=now or timezone.now())


def debt(customer: User) -> int:
    return overview.peek(customer, "RUB", now=timezone.now()).debt


def test_an_open_dispute_takes_the_money_and_a_won_one_brings_it_back(paid: Payment, alice: User) -> None:
    for _ in range(2):
        dispute = told(paid, DisputeState.OPEN)
    assert (dispute.status, balance(alice), debt(alice)) == ("open", 0, 0)
    for _ in range(2):
        dispute = told(paid, DisputeState.WON)
    assert (dispute.status, balance(alice), dispute.check_at) == ("won", 1000_00, None)
    assert events(dispute) == ["dispute.opened", "dispute.withdrawn", "dispute.won", "dispute.returned"]
    assert found() == {}


def test_what_is_spent_is_a_debt_and_what_is_not_paid_is_not_served(
    alice: User, basic: Price, choose: Callable[..., Any]
) -> None:
    payment = start(alice, plan="basic")
    choose(payment, "succeeds")
    payment = confirmation.confirm(payment.pk, now=timezone.now())
    told(payment, DisputeState.LOST, amount=990_00)
    assert Subscription.objects.get().status == "suspended"
    # Its unused time has paid the debt but for the seconds that were served.
    assert 0 <= debt(alice) < 100
    top_up(alice, 100_00)
    assert debt(alice) == 0
    assert found() == {}


def test_a_debt_is_paid_by_a_dispute_that_is_won_after_all(paid: Payment, alice: User) -> None:
    refunds.issue(paid, now=timezone.now(), amount=400_00)
    told(paid, DisputeState.LOST)
    assert (balance(alice), debt(alice)) == (0, 400_00)
    told(paid, DisputeState.WON)
    assert (balance(alice), debt(alice)) == (600_00, 0)
    assert found() == {}


def test_a_won_dispute_that_is_lost_later_is_left_to_staff(paid: Payment, alice: User) -> None:
    """`won` is final here, so nothing is booked a second time without staff."""
    for state in (DisputeState.OPEN, DisputeState.WON, DisputeState.LOST):
        dispute = told(paid, state)
    assert (dispute.status, balance(alice), found()) == ("won", 1000_00, {})
    assert dispute.parked_reason == (
        "sandbox calls it lost after it was won. Take 1000.00 RUB from the wallet by hand."
    )


def test_a_warning_takes_nothing_until_it_is_lost(paid: Payment, alice: User) -> None:
    told(paid, DisputeState.OPEN, is_withdrawn=False)
    assert balance(alice) == 1000_00
    told(paid, DisputeState.OPEN, is_withdrawn=True)
    assert balance(alice) == 0


def test_a_warning_that_comes_to_nothing_moves_nothing(paid: Payment, alice: User) -> None:
    told(paid, DisputeState.OPEN, is_withdrawn=False)
    told(paid, DisputeState.WON, is_withdrawn=False)
    assert balance(alice) == 1000_00
    assert found() == {}


@pytest.mark.parametrize("state", [DisputeState.OPEN, DisputeState.LOST])
def test_a_disputed_payment_is_not_refunded_as_well(paid: Payment, alice: User, state: DisputeState) -> None:
    told(paid, state)
    top_up(alice, 1000_00)
    with pytest.raises(RefundRefused, match="bank"):
        refunds.issue(paid, now=timezone.now())
    told(paid, DisputeState.WON)
    assert refunds.issue(paid, now=timezone.now()).status == "succeeded"


def test_a_dispute_of_a_payment_that_we_do_not_have_raises(alice: User) -> None:
    unpaid = start(alice, amount=1000_00, currency="RUB")
    with pytest.raises(UnknownPayment):
        told(unpaid, DisputeState.LOST)
    unpaid.gateway_id = "none_such"
    with pytest.raises(UnknownPayment):
        told(unpaid, DisputeState.LOST)
    assert not Dispute.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_dispute SET amount = 2",
        "UPDATE payments_dispute SET status = 'won', gateway_id = 'dp_2'",
        "UPDATE payments_dispute SET withdrawn_at = NULL",
        "UPDATE payments_dispute SET returned_at = now(), withdrawn_at = NULL",
        "DELETE FROM payments_dispute",
        COPY % ("1", "won"),
        COPY % ("0", "open"),
    ],
)
def test_the_database_refuses_to_rewrite_a_dispute(paid: Payment, statement: str) -> None:
    told(paid, DisputeState.OPEN)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
