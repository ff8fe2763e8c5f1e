from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from payments.gateways.aftermath import RefundState
from payments.gateways.errors import GatewayError
from payments.gateways.manual import receipts, transfers
from payments.gateways.manual.models import ManualReceipt, ManualTransfer
from payments.gateways.manual.receipts import Voiding
from payments.gateways.manual.transfers import TransferRefused
from payments.gateways.sessions import State
from tests.payments.gateways.requests import refund_request, session_request


def state(transfer):
    transfer.refresh_from_db()
    return transfers.state_at(transfer, datetime.now(UTC))


def test_a_receipt_says_what_arrived_when_and_who_recorded_it(record, staff, transfer):
    receipt = record()
    assert (receipt.amount, receipt.received_on, receipt.bank_reference) == (1342_00, date(2026, 11, 2), "B-1")
    assert (receipt.recorded_by, receipt.voided_at) == (staff, None)
    transfer.refresh_from_db()
    assert (transfer.status, transfer.completed_by) == ("received", staff)


def test_parts_add_up_until_the_sum_is_complete(record, transfer):
    record(1000_00)
    assert state(transfer) is State.PROCESSING
    record(341_99, "B-2")
    assert state(transfer) is State.PROCESSING
    record(1, "B-3")
    assert state(transfer) is State.SUCCEEDED
    assert transfers.arrived(transfer) == 1342_00


def test_staff_may_say_that_a_part_is_all_or_that_the_sum_is_not(record, transfer):
    record(1342_00, is_complete=False)
    assert state(transfer) is State.PROCESSING
    record(1, "B-2", is_complete=True)
    assert (state(transfer), transfers.arrived(transfer)) == (State.SUCCEEDED, 1342_01)


@pytest.mark.parametrize("again", ["B-1", " b-1 ", "B -1", "Ｂ-1"])
def test_the_same_receipt_recorded_again_is_one(record, transfer, again):
    first = record(1000_00)
    assert record(1000_00, again) == first
    assert transfers.arrived(transfer) == 1000_00


def test_a_bank_reference_is_recorded_once(record, gateway, staff):
    record(1000_00)
    with pytest.raises(TransferRefused) as caught:
        record(342_00)
    assert caught.value.param == "bank_reference"
    other = ManualTransfer.objects.get(transfer_id=gateway.create_session(session_request()).gateway_id)
    with pytest.raises(TransferRefused, match=r"B-1 is recorded already: 1000\.00 RUB for the transfer \d"):
        receipts.record(
            other, amount=1000_00, received_on=date(2026, 11, 2), bank_reference="b-1", by=staff, now=datetime.now(UTC)
        )
    assert transfers.arrived(other) == 0


def test_a_complete_transfer_takes_no_more(record, transfer):
    first = record()
    with pytest.raises(TransferRefused, match="complete already"):
        record(1_00, "B-2")
    # The same click sent again is no error.
    assert record() == first


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 10**13}, "amount"),
        ({"bank_reference": " "}, "bank_reference"),
        ({"bank_reference": "x" * 65}, "bank_reference"),
        ({"bank_reference": "B\x00"}, "bank_reference"),
        ({"received_on": (datetime.now(UTC) + timedelta(days=3)).date()}, "received_on"),
    ],
)
def test_what_cannot_be_true_is_refused(record, change, param):
    with pytest.raises(TransferRefused) as caught:
        record(**change)
    assert caught.value.param == param
    assert not ManualReceipt.objects.exists()


def test_money_for_a_cancelled_transfer_opens_it_again(record, transfer):
    transfers.cancel(transfer.transfer_id, now=datetime.now(UTC))
    record(1000_00)
    assert state(transfer) is State.PROCESSING
    record(342_00, "B-2")
    assert state(transfer) is State.SUCCEEDED


def test_a_mistake_is_voided_and_its_bank_reference_is_free_again(record, transfer, staff):
    wrong = record(134_20)
    now = datetime.now(UTC)
    voided = receipts.void(wrong, reason="A digit is missing", by=staff, now=now)
    assert (voided.voided_by, voided.voided_at, voided.void_reason) == (staff, now, "A digit is missing")
    assert state(transfer) is State.OPEN
    record()
    assert (state(transfer), transfers.arrived(transfer)) == (State.SUCCEEDED, 1342_00)


def test_a_receipt_of_a_complete_transfer_is_not_voided(record, staff):
    receipt = record()
    with pytest.raises(TransferRefused):
        receipts.void(receipt, reason="Oops", by=staff, now=datetime.now(UTC))


def test_a_complete_transfer_can_be_opened_again(record, transfer, staff):
    receipts.void(record(), reason="Typo", by=staff, now=datetime.now(UTC), once_complete=Voiding.REOPENS)
    assert (state(transfer), transfers.arrived(transfer)) == (State.OPEN, 0)
    record(1_00)
    assert state(transfer) is State.PROCESSING


def test_what_is_taken_back_goes_on_counting_and_is_reported_as_a_refund(gateway, session, record, transfer, staff):
    kept, wrong, now = record(342_00), record(1000_00, "B-2"), datetime.now(UTC)
    voided = receipts.void(wrong, reason="Not ours", by=staff, now=now, once_complete=Voiding.TAKES_BACK)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.amount, transfers.arrived(transfer)) == (State.SUCCEEDED, 1342_00, kept.amount)
    [refund] = gateway.list_refunds(since=now, until=now + timedelta(seconds=1))
    assert (refund.state, refund.amount, refund.currency, refund.payment, refund.idempotency_key) == (
        RefundState.SUCCEEDED, 1000_00, "RUB", session.gateway_id, "",
    )  # fmt: skip
    assert gateway.fetch_refund(refund.gateway_id) == refund
    with pytest.raises(GatewayError, match="no such refund"):
        gateway.fetch_refund(f"void_{kept.pk}")
    # No more can be sent back than has really arrived.
    with pytest.raises(GatewayError, match="More than is left"):
        gateway.refund(refund_request(session.gateway_id, amount=342_01))
    assert receipts.void(voided, reason="Again", by=staff, now=datetime.now(UTC)).void_reason == "Not ours"


def test_voiding_needs_a_reason(record, staff):
    with pytest.raises(TransferRefused) as caught:
        receipts.void(record(1_00), reason=" ", by=staff, now=datetime.now(UTC))
    assert caught.value.param == "reason"


def test_nothing_is_completed_without_money(transfer, staff):
    with pytest.raises(TransferRefused, match="Nothing has arrived"):
        receipts.complete(transfer, by=staff, now=datetime.now(UTC))


def test_completing_again_changes_nothing(record, transfer, staff, superuser):
    record()
    assert receipts.complete(transfer, by=superuser, now=datetime.now(UTC)).completed_by == staff


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"amount": 0}, "manual_receipt_is_more_than_zero"),
        ({"bank_reference": ""}, "manual_receipt_has_a_bank_reference"),
        ({"voided_at": datetime.now(UTC)}, "a_void_manual_receipt_names_who_voided_it"),
    ],
)
def test_the_database_refuses_a_receipt_that_makes_no_sense(record, change, rule):
    receipt = record(1_00)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ManualReceipt.objects.filter(pk=receipt.pk).update(**change)


def test_the_database_keeps_a_bank_reference_once(record):
    receipt = record(1_00)
    receipt.pk = None
    with pytest.raises(IntegrityError, match="manual_bank_reference_is_recorded_once"), transaction.atomic():
        receipt.save()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"amount": 0}, "manual_transfer_is_more_than_zero"),
        ({"status": "cancelled"}, "an_open_manual_transfer_is_not_closed"),
        ({"status": "received", "closed_at": datetime.now(UTC)}, "a_received_manual_transfer_names_who_completed_it"),
    ],
)
def test_the_database_refuses_a_transfer_that_makes_no_sense(transfer, change, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ManualTransfer.objects.filter(pk=transfer.pk).update(**change)
