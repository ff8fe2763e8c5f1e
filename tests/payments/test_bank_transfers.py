"""What staff record about bank transfers: the payment follows at once, and clearing comes back to zero."""

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from core.errors import Unavailable
from ledger.models import Transaction
from ledger.money import Money
from payments import bank_transfers, comparison, mismatches, payouts, refunds
from payments.bank_transfers import Arrival, Done
from payments.gateways.manual.gateway import Manual
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer
from payments.gateways.manual.transfers import TransferChanged, TransferRefused
from payments.models import Payment, Payout
from subscriptions.models import Subscription
from tests.concurrency.sessions import at_once
from tests.ledger.snapshot import found
from tests.payments.bank_account import bank, clearing, pay_in
from tests.payments.checkouts import start
from tests.payments.faulty_gateway import lose_answer
from tests.payments.gateways.visitors import manual
from tests.payments.rows import balance, times_credited
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _transfers_only(settings: Any) -> Iterator[None]:
    """Offer transfers only. At the end every rule of the books must hold."""
    settings.PAYMENT_GATEWAYS = ["manual"]
    with manual.visit(settings):
        yield
    assert found() == {}


@pytest.fixture
def order(alice: User) -> Payment:
    """Alice's open payment of 990.00 roubles for a plan."""
    sell("basic", RUB=990_00)
    return start(alice, plan="basic")


@pytest.fixture
def transfer(order: Payment) -> ManualTransfer:
    return ManualTransfer.objects.get(transfer_id=order.gateway_id)


@pytest.fixture
def record(transfer: ManualTransfer, staff: User) -> Callable[..., Done]:
    """Return a function that records money in roubles under the bank reference B-1."""

    def record(
        amount: int, bank_reference: str = "B-1", *, currency: str = "RUB", on: date = date(2026, 11, 2), **terms: Any
    ) -> Done:
        arrival = Arrival(Money(amount, currency), on, bank_reference)
        return bank_transfers.record(transfer, arrival, by=staff, now=timezone.now(), **terms)

    return record


def test_the_whole_sum_pays_at_once(order: Payment, record: Callable[..., Done], alice: User):
    done = record(990_00)
    order.refresh_from_db()
    assert (done.row, done.is_news, order.status, times_credited(order)) == (order, True, "confirmed", 1)
    assert (Subscription.objects.get().status, balance(alice)) == ("active", 0)
    assert (clearing(), bank()) == (0, 990_00)


def test_a_part_waits_and_the_rest_pays(order: Payment, record: Callable[..., Done]):
    record(400_00)
    order.refresh_from_db()
    assert (order.status, order.gateway_state) == ("pending", "processing")
    # On the bank account, but not credited yet: we owe it.
    assert (clearing(), bank()) == (-400_00, 400_00)
    record(590_00, "B-2")
    order.refresh_from_db()
    assert (order.status, clearing(), bank()) == ("confirmed", 0, 990_00)


def test_more_waits_for_a_decision(order: Payment, record: Callable[..., Done], staff: User, alice: User):
    record(1000_00)
    order.refresh_from_db()
    assert (order.parked_reason, balance(alice)) == ("manual took 1000.00 RUB, we requested 990.00 RUB", 0)
    mismatches.accept(order, author=staff, now=timezone.now())
    assert (balance(alice), clearing()) == (1000_00, 0)


def test_another_sum_is_accepted_with_its_receipt(order: Payment, record: Callable[..., Done], alice: User):
    record(1000_00, accepts=True, reason="Ten roubles more")
    order.refresh_from_db()
    assert (order.status, balance(alice), clearing()) == ("confirmed", 1000_00, 0)
    credit = Transaction.objects.get(key=f"payment:{order.public_id}")
    assert credit.description == "Ten roubles more"
    # A top-up: the order waits for its own payment.
    assert Subscription.objects.get().status == "pending"


@pytest.mark.parametrize(("accepts", "status", "credited"), [(True, "confirmed", 400_00), (False, "unknown", 0)])
def test_a_part_paid_transfer_is_completed(
    order: Payment, record: Callable[..., Done], transfer: ManualTransfer, staff: User, alice: User, accepts: bool,
    status: str, credited: int,
):  # fmt: skip
    record(400_00)
    for is_news in (True, False):
        done = bank_transfers.complete(transfer, by=staff, now=timezone.now(), accepts=accepts, reason="Paid in part")
        assert done.is_news is is_news
    order.refresh_from_db()
    assert (order.status, bool(order.parked_reason), balance(alice)) == (status, not accepts, credited)


def test_a_parked_part_is_sent_back_and_clearing_is_zero(
    order: Payment, record: Callable[..., Done], transfer: ManualTransfer, staff: User, alice: User
):
    record(400_00)
    bank_transfers.complete(transfer, by=staff, now=timezone.now(), accepts=False, reason="")
    order.refresh_from_db()
    mismatches.send_back(order, author=staff, reason="Asked for", now=timezone.now())
    row = ManualRefund.objects.get()
    bank_transfers.mark_sent(row, bank_reference="S-1", by=staff, now=timezone.now())
    order.refresh_from_db()
    assert (order.status, balance(alice), clearing(), bank()) == ("cancelled", 0, 0, 0)


def test_recorded_twice_counts_once(order: Payment, record: Callable[..., Done], alice: User):
    assert [record(990_00).is_news, record(990_00, " b-1 ").is_news] == [True, False]
    assert (times_credited(order), Payout.objects.count(), bank()) == (1, 1, 990_00)


def test_what_staff_saw_must_still_be_so(record: Callable[..., Done]):
    record(400_00, seen=0)
    with pytest.raises(TransferChanged):
        record(590_00, "B-2", seen=0)
    # The same click again finds its receipt, whatever has changed since.
    assert not record(400_00, seen=0).is_news
    assert record(590_00, "B-2", seen=400_00).is_news


def test_two_people_at_once_record_it_once(order: Payment, record: Callable[..., Done], alice: User):
    results = at_once([partial(record, 990_00, seen=0)] * 2)
    assert sorted(done.is_news for done in results) == [False, True]
    assert (ManualReceipt.objects.count(), times_credited(order), bank()) == (1, 1, 990_00)


def test_a_void_receipt_leaves_the_bank_account(order: Payment, record: Callable[..., Done], staff: User):
    record(400_00)
    receipt = ManualReceipt.objects.get()
    results = [bank_transfers.void(receipt, reason="Typo", by=staff, now=timezone.now()) for _ in range(2)]
    order.refresh_from_db()
    assert [done.is_news for done in results] == [True, False]
    assert (order.status, order.gateway_state, clearing(), bank()) == ("pending", "open", 0, 0)
    record(990_00)
    order.refresh_from_db()
    assert (order.status, clearing(), bank()) == ("confirmed", 0, 990_00)


def test_a_refund_that_is_sent_succeeds_at_once(order: Payment, record: Callable[..., Done], staff: User, alice: User):
    record(990_00)
    order.refresh_from_db()
    pay_in(alice, 200_00)
    refund = refunds.issue(order, amount=150_00, now=timezone.now())
    assert (refund.status, balance(alice), clearing()) == ("pending", 50_00, -150_00)
    row = ManualRefund.objects.get()
    results = [bank_transfers.mark_sent(row, bank_reference="S-1", by=staff, now=timezone.now()) for _ in range(2)]
    refund.refresh_from_db()
    assert [done.is_news for done in results] == [True, False]
    assert (refund.status, balance(alice), clearing(), bank()) == ("succeeded", 50_00, 0, 840_00)


def test_a_refund_that_failed_is_back_on_the_balance(
    order: Payment, record: Callable[..., Done], staff: User, alice: User
):
    record(990_00)
    order.refresh_from_db()
    pay_in(alice, 200_00)
    refund = refunds.issue(order, amount=150_00, now=timezone.now())
    bank_transfers.mark_failed(ManualRefund.objects.get(), reason="Closed account", by=staff, now=timezone.now())
    refund.refresh_from_db()
    assert (refund.status, balance(alice), clearing(), bank()) == ("failed", 200_00, 0, 990_00)


def test_money_in_another_currency_is_refused(record: Callable[..., Done]):
    with pytest.raises(TransferRefused, match=r"in RUB\. Money in EUR cannot") as caught:
        record(990_00, currency="EUR")
    assert (caught.value.param, ManualReceipt.objects.count()) == ("currency", 0)


def test_a_payment_that_lost_its_answer_is_found(alice: User, staff: User, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        lose_answer(patch, Manual, "create_session")
        with pytest.raises(Unavailable):
            start(alice, amount=500_00, currency="RUB")
    payment, transfer = Payment.objects.get(), ManualTransfer.objects.get()
    assert (payment.status, payment.gateway_id) == ("unknown", None)
    arrival = Arrival(Money(500_00, "RUB"), date(2026, 11, 2), "B-1")
    assert bank_transfers.record(transfer, arrival, by=staff, now=timezone.now()).row == payment
    payment.refresh_from_db()
    assert (payment.status, payment.gateway_id, balance(alice)) == ("confirmed", transfer.transfer_id, 500_00)


def test_the_comparison_posts_what_was_left_out_and_nothing_twice(
    order: Payment, record: Callable[..., Done], staff: User, monkeypatch: pytest.MonkeyPatch
):
    today = timezone.now().date()
    record(400_00, on=today)
    with monkeypatch.context() as patch:
        patch.setattr(payouts, "record", lambda *_args, **_terms: None)
        record(590_00, "B-2", on=today)
    assert bank() == 400_00
    for posted in (1, 0):
        [run] = comparison.compare_all(now=timezone.now(), only="manual")
        assert (run.report.payouts_posted, run.report.is_complete, run.found) == (posted, True, [])
    assert (clearing(), bank()) == (0, 990_00)
