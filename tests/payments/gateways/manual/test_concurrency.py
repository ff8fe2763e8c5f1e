"""Two at once, on real connections: one receipt, one state, never more refunded than arrived."""

from datetime import UTC, date, datetime
from functools import partial

import pytest

from payments.gateways.errors import GatewayError
from payments.gateways.manual import receipts, transfers
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer
from payments.gateways.manual.transfers import TransferRefused
from payments.gateways.sessions import State
from tests.concurrency.sessions import at_once
from tests.payments.gateways.requests import refund_request, session_request

pytestmark = pytest.mark.django_db(transaction=True)


def race(*acts):
    """Run the acts in threads that start together; return what each returned or raised."""

    def outcome(act):
        try:
            return act()
        except (TransferRefused, GatewayError) as error:
            return error

    return at_once([partial(outcome, act) for act in acts])


def test_the_same_request_twice_opens_one_transfer(gateway):
    request = session_request()
    first, second = race(lambda: gateway.create_session(request), lambda: gateway.create_session(request))
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

    results = race(*(lambda transfer=transfer: record(transfer) for transfer in both))
    assert sorted(type(each).__name__ for each in results) == ["ManualReceipt", "TransferRefused"]
    assert ManualReceipt.objects.count() == 1


def test_cancelling_while_money_is_recorded_loses_neither(gateway, transfer, record):
    cancelled, _ = race(lambda: gateway.cancel(transfer.transfer_id), record)
    assert cancelled.state in (State.CANCELLED, State.SUCCEEDED)
    transfer.refresh_from_db()
    assert transfers.state_at(transfer, datetime.now(UTC)) is State.SUCCEEDED


def test_refunds_at_once_never_exceed_what_arrived(gateway, transfer, record):
    record()
    wanted = [refund_request(transfer.transfer_id, amount=1000_00) for _ in range(3)]
    results = race(*(lambda each=each: gateway.refund(each) for each in wanted))
    assert sum(isinstance(each, GatewayError) for each in results) == 2
    assert ManualRefund.objects.count() == 1
