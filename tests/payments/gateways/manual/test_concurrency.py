"""Two at once, on real connections: one receipt, one state, never more refunded than arrived."""

import threading
from datetime import UTC, date, datetime

import pytest
from django.db import connections

from payments.gateways.errors import GatewayError
from payments.gateways.manual import receipts, transfers
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer
from payments.gateways.manual.transfers import TransferRefused
from payments.gateways.sessions import State
from tests.payments.gateways.requests import refund_request, session_request

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    """Run the acts in threads that start together; return what each returned or raised."""
    barrier, results = threading.Barrier(len(acts)), {}

    def run(number, act):
        try:
            barrier.wait(timeout=10)
            results[number] = act()
        except (TransferRefused, GatewayError) as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return [results[number] for number in range(len(acts))]


def test_the_same_request_twice_opens_one_transfer(gateway):
    request = session_request()
    first, second = at_once(lambda: gateway.create_session(request), lambda: gateway.create_session(request))
    assert first == second
    assert ManualTransfer.objects.count() == 1


def test_a_bank_reference_recorded_for_two_transfers_at_once_counts_for_one(gateway, staff):
    ids = [gateway.create_session(session_request()).gateway_id for _ in range(2)]
    both = [ManualTransfer.objects.get(transfer_id=each) for each in ids]

    def record(transfer):
        return receipts.record(
            transfer,
            amount=1342_00,
            received_on=date(2026, 11, 2),
            bank_reference="B-1",
            by=staff,
            now=datetime.now(UTC),
        )

    results = at_once(*(lambda transfer=transfer: record(transfer) for transfer in both))
    assert sorted(type(each).__name__ for each in results) == ["ManualReceipt", "TransferRefused"]
    assert ManualReceipt.objects.count() == 1


def test_cancelling_while_money_is_recorded_loses_neither(gateway, transfer, record):
    cancelled, _ = at_once(lambda: gateway.cancel(transfer.transfer_id), record)
    assert cancelled.state in (State.CANCELLED, State.SUCCEEDED)
    transfer.refresh_from_db()
    assert transfers.state_at(transfer, datetime.now(UTC)) is State.SUCCEEDED


def test_refunds_at_once_never_exceed_what_arrived(gateway, transfer, record):
    record()
    wanted = [refund_request(transfer.transfer_id, amount=1000_00) for _ in range(3)]
    results = at_once(*(lambda each=each: gateway.refund(each) for each in wanted))
    assert sum(isinstance(each, GatewayError) for each in results) == 2
    assert ManualRefund.objects.count() == 1
