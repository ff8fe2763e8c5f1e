from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from payments.gateways.aftermath import RefundState
from payments.gateways.errors import GatewayError
from payments.gateways.manual import refunds
from payments.gateways.manual.models import ManualRefund
from payments.gateways.manual.transfers import TransferRefused
from tests.payments.gateways.requests import refund_request


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def wanted(session, record):
    """A request to refund 342.00 of the 1342.00 roubles that arrived."""
    record()
    return refund_request(session.gateway_id)


@pytest.fixture
def refund(gateway, wanted):
    """The refund of that request, which staff must send."""
    return ManualRefund.objects.get(refund_id=gateway.refund(wanted).gateway_id)


def test_a_refund_waits_for_staff(gateway, wanted, session):
    snapshot = gateway.refund(wanted)
    assert (snapshot.state, snapshot.amount, snapshot.currency) == (RefundState.PENDING, 342_00, "RUB")
    assert (snapshot.payment, snapshot.idempotency_key) == (session.gateway_id, wanted.idempotency_key)
    assert gateway.fetch_refund(snapshot.gateway_id) == gateway.find_refund(wanted) == snapshot
    assert gateway.find_refund(refund_request(session.gateway_id)) is None


def test_it_succeeds_when_staff_have_sent_it(gateway, refund, staff, now):
    refunds.mark_sent(refund, bank_reference="out 7", by=staff, now=now)
    assert gateway.fetch_refund(refund.refund_id).state is RefundState.SUCCEEDED
    refund.refresh_from_db()
    assert (refund.bank_reference, refund.closed_by, refund.closed_at) == ("OUT7", staff, now)


def test_it_fails_when_staff_cannot_send_it(gateway, refund, wanted, staff, now):
    refunds.mark_failed(refund, reason="The account is closed", by=staff, now=now)
    snapshot = gateway.fetch_refund(refund.refund_id)
    assert (snapshot.state, snapshot.failure_code) == (RefundState.FAILED, "not_sent")
    # What was not sent can be refunded again.
    assert gateway.refund(refund_request(wanted.gateway_id, amount=1342_00)).state is RefundState.PENDING


def test_it_is_closed_once(refund, staff, superuser, now):
    sent = refunds.mark_sent(refund, bank_reference="OUT7", by=staff, now=now)
    assert refunds.mark_sent(refund, bank_reference="out7", by=superuser, now=now) == sent
    with pytest.raises(TransferRefused):
        refunds.mark_sent(refund, bank_reference="OUT8", by=staff, now=now)
    with pytest.raises(TransferRefused):
        refunds.mark_failed(refund, reason="No", by=staff, now=now)
    refund.refresh_from_db()
    assert (refund.status, refund.bank_reference, refund.closed_by) == ("sent", "OUT7", staff)


def test_sending_needs_a_bank_reference_and_failing_a_reason(refund, staff, now):
    for reference in ("", " ", "x" * 65, "\x00"):
        with pytest.raises(TransferRefused):
            refunds.mark_sent(refund, bank_reference=reference, by=staff, now=now)
    with pytest.raises(TransferRefused):
        refunds.mark_failed(refund, reason=" ", by=staff, now=now)


def test_the_same_key_refunds_once(gateway, wanted):
    assert gateway.refund(wanted) == gateway.refund(wanted)
    assert ManualRefund.objects.count() == 1
    with pytest.raises(GatewayError) as caught:
        gateway.refund(replace(wanted, amount=1))
    assert caught.value.permanent


def test_never_more_than_arrived_is_refunded(gateway, wanted):
    gateway.refund(wanted)
    gateway.refund(refund_request(wanted.gateway_id, amount=1000_00))
    with pytest.raises(GatewayError) as caught:
        gateway.refund(refund_request(wanted.gateway_id, amount=1))
    assert (caught.value.permanent, caught.value.code) == (True, "refund_exceeds_payment")


@pytest.mark.parametrize("change", [{"currency": "EUR"}, {"amount": 0}, {"amount": -1}])
def test_a_refund_that_makes_no_sense_is_refused_for_good(gateway, wanted, change):
    with pytest.raises(GatewayError) as caught:
        gateway.refund(replace(wanted, **change))
    assert caught.value.permanent


def test_a_transfer_that_is_not_complete_is_not_refunded(gateway, session, record):
    record(1000_00)
    with pytest.raises(GatewayError) as caught:
        gateway.refund(refund_request(session.gateway_id))
    assert (caught.value.permanent, caught.value.code) == (True, "nothing_to_refund")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"amount": 0}, "manual_refund_is_more_than_zero"),
        ({"status": "failed"}, "a_closed_manual_refund_names_who_closed_it"),
        ({"closed_at": datetime.now(UTC)}, "a_closed_manual_refund_names_who_closed_it"),
    ],
)
def test_the_database_refuses_a_refund_that_makes_no_sense(refund, change, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ManualRefund.objects.filter(pk=refund.pk).update(**change)


def test_the_database_refuses_a_sent_refund_without_a_bank_reference(refund, staff, now):
    refunds.mark_sent(refund, bank_reference="OUT7", by=staff, now=now)
    rule = "a_sent_manual_refund_has_a_bank_reference"
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ManualRefund.objects.filter(pk=refund.pk).update(bank_reference="")
