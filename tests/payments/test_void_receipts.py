"""Receipts of bank transfers that staff void after the transfer was complete: the money is taken back, once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event
from ledger.money import Money
from payments import bank_transfers, comparison, mismatches, refunds
from payments.bank_transfers import Arrival, Done
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer
from payments.gateways.manual.transfers import TransferRefused
from payments.mails import refunds as refund_mails
from payments.models import Payment, Refund
from payments.refunds import RefundRefused
from subscriptions import overview
from subscriptions.models import Subscription
from subscriptions.refusals import Refused
from tests.concurrency.sessions import at_once
from tests.ledger.snapshot import found
from tests.payments.bank_account import bank, clearing, pay_in
from tests.payments.checkouts import start
from tests.payments.gateways.visitors import manual
from tests.payments.rows import balance
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _transfers_only(settings: Any) -> Iterator[None]:
    """Offer transfers only. At the end every rule of the books must hold."""
    settings.PAYMENT_GATEWAYS = ["manual"]
    with manual.visit(settings):
        yield
    assert found() == {}


def void(staff: User, reference: str = "B-1") -> Done:
    receipt = ManualReceipt.objects.get(bank_reference=reference)
    return bank_transfers.void(receipt, reason="Another customer's", by=staff, now=timezone.now())


def debt(customer: User) -> int:
    return overview.peek(customer, "RUB", now=timezone.now()).debt


@pytest.fixture
def top_up(alice: User) -> Payment:
    """Alice's open top-up of 1000.00 roubles."""
    return start(alice, amount=1000_00, currency="RUB")


@pytest.fixture
def receive(top_up: Payment, staff: User) -> Callable[..., Done]:
    """Return a function that records money for the top-up, or for another payment."""

    def receive(amount: int, bank_reference: str = "B-1", payment: Payment = top_up) -> Done:
        transfer = ManualTransfer.objects.get(transfer_id=payment.gateway_id)
        arrival = Arrival(Money(amount, "RUB"), timezone.now().date(), bank_reference)
        return bank_transfers.record(transfer, arrival, by=staff, now=timezone.now())

    return receive


def test_money_of_a_void_receipt_is_taken_back_once(
    top_up: Payment, receive: Callable[..., Done], staff: User, alice: User
):
    receive(1000_00)
    assert [void(staff).is_news for _ in range(2)] == [True, False]
    refund = Refund.objects.get()
    assert (refund.status, refund.amount, refund.is_void, refund.author) == ("succeeded", 1000_00, True, staff)
    assert refund.reason == "A bank transfer was recorded by mistake, so its money was taken back"
    top_up.refresh_from_db()
    assert (top_up.status, top_up.refundable) == ("confirmed", 0)
    assert (balance(alice), debt(alice), clearing(), bank()) == (0, 0, 0, 0)
    assert ManualRefund.objects.count() == 0


def test_the_customer_reads_that_it_was_a_mistake(
    top_up: Payment, receive: Callable[..., Done], staff: User, alice: User, client: Client
):
    receive(1000_00)
    void(staff)
    client.force_login(alice)
    page = " ".join(client.get(f"/pay/{top_up.public_id}/").content.decode().split())
    assert "was recorded by mistake, so we have taken it back from your balance." in page
    assert "to the card or account you paid from" not in page
    told = Event.objects.get(subject=Refund.objects.get().public_id, type="refund.succeeded")
    mail = refund_mails.refunded([told], alice, timezone.now())
    assert mail is not None
    assert mail.title == "₽1,000.00 is taken back from your balance"


def test_what_is_spent_of_a_void_receipt_is_a_debt(receive: Callable[..., Done], staff: User, alice: User):
    """It paid for a month that has just begun: its unused time pays the debt but for the seconds that were served."""
    sell("basic", RUB=990_00)
    receive(990_00, payment=start(alice, plan="basic"))
    void(staff)
    assert Subscription.objects.get().status == "suspended"
    assert (balance(alice), 0 <= debt(alice) < 100) == (0, True)
    assert (clearing(), bank()) == (0, 0)


def test_one_of_two_receipts_is_taken_back(receive: Callable[..., Done], staff: User, alice: User):
    receive(400_00)
    receive(600_00, "B-2")
    void(staff, "B-2")
    assert (balance(alice), clearing(), bank()) == (400_00, 0, 400_00)
    # Its bank reference can be used again.
    receive(600_00, "B-2", payment=start(alice, amount=600_00, currency="RUB"))
    assert (balance(alice), bank()) == (1000_00, 1000_00)


def test_no_more_is_taken_back_than_was_not_refunded(
    top_up: Payment, receive: Callable[..., Done], staff: User, alice: User
):
    receive(1000_00)
    top_up.refresh_from_db()
    refunds.issue(top_up, amount=400_00, now=timezone.now())
    with pytest.raises(TransferRefused, match=r"Only 600\.00 RUB of this payment has not been refunded"):
        void(staff)
    assert (balance(alice), bank(), ManualReceipt.objects.get().voided_at) == (600_00, 1000_00, None)


def test_what_was_taken_back_is_not_refunded_as_well(
    top_up: Payment, receive: Callable[..., Done], staff: User, alice: User
):
    receive(1000_00)
    void(staff)
    pay_in(alice, 5000_00)
    top_up.refresh_from_db()
    with pytest.raises(RefundRefused):
        refunds.issue(top_up, amount=1, now=timezone.now())
    assert ManualRefund.objects.count() == 0


def test_a_mistyped_sum_that_waits_for_a_decision_is_recorded_anew(
    top_up: Payment, receive: Callable[..., Done], staff: User, alice: User
):
    receive(10_000_00)
    top_up.refresh_from_db()
    assert top_up.parked_reason == "manual took 10000.00 RUB, we requested 1000.00 RUB"
    void(staff)
    top_up.refresh_from_db()
    assert (top_up.status, top_up.parked_reason, top_up.received) == ("pending", "", None)
    assert (balance(alice), clearing(), bank(), Refund.objects.count()) == (0, 0, 0, 0)
    receive(1000_00)
    top_up.refresh_from_db()
    assert (top_up.status, balance(alice), bank()) == ("confirmed", 1000_00, 1000_00)


def test_what_is_being_sent_back_cannot_be_voided(top_up: Payment, receive: Callable[..., Done], staff: User):
    receive(1100_00)
    top_up.refresh_from_db()
    mismatches.send_back(top_up, author=staff, now=timezone.now())
    with pytest.raises(TransferRefused, match=r"Only 0\.00 RUB"):
        void(staff)


def test_the_comparison_agrees_with_what_was_taken_back(receive: Callable[..., Done], staff: User):
    receive(400_00)
    receive(600_00, "B-2")
    void(staff)
    [run] = comparison.compare_all(now=timezone.now() + timedelta(seconds=5), only="manual")
    assert (run.report.is_complete, run.found, run.report.refunds_there, run.report.refunds_here) == (True, [], 1, 1)


def test_two_people_at_once_void_it_once(receive: Callable[..., Done], staff: User, alice: User):
    receive(1000_00)
    results = at_once([lambda: void(staff)] * 2)
    assert sorted(done.is_news for done in results) == [False, True]
    assert (Refund.objects.count(), balance(alice), bank()) == (1, 0, 0)


def test_a_refund_and_a_void_at_once_never_both_pay_out(
    top_up: Payment, receive: Callable[..., Done], staff: User, alice: User
):
    receive(1000_00)
    top_up.refresh_from_db()

    def refused(act: Callable[[], object]) -> Callable[[], Done]:
        def run() -> Done:
            try:
                act()
            except (TransferRefused, RefundRefused, Refused):
                return Done(None, False)
            return Done(None, True)

        return run

    results = at_once([refused(lambda: void(staff)), refused(lambda: refunds.issue(top_up, now=timezone.now()))])
    assert sorted(done.is_news for done in results) == [False, True]
    assert (balance(alice), Refund.objects.exclude(status="failed").count()) == (0, 1)
