from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from payments.gateways.errors import BadWebhook, GatewayError
from payments.gateways.manual import receipts, references
from payments.gateways.manual.gateway import Manual
from payments.gateways.manual.models import ManualTransfer
from payments.gateways.sessions import State
from tests.payments.gateways.requests import refund_request, session_request


def test_a_transfer_is_opened_on_a_page_of_ours_for_two_weeks(gateway, session, settings):
    transfer = ManualTransfer.objects.get()
    assert session.confirmation_url == f"{settings.SITE_URL}/ru/transfer/{transfer.transfer_id}/"
    assert references.parse(transfer.reference) == transfer.reference
    assert (transfer.amount, transfer.currency, transfer.customer) == (1342_00, "RUB", "cus_1")
    assert timedelta(days=13) < session.expires_at - datetime.now(UTC) < timedelta(days=15)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.amount, snapshot.currency, snapshot.fee) == (State.OPEN, None, None, None)
    assert (snapshot.idempotency_key, snapshot.created_at) == (transfer.idempotency_key, transfer.created_at)


def test_an_english_page_has_no_prefix(gateway, settings):
    session = gateway.create_session(session_request(language="en"))
    assert session.confirmation_url == f"{settings.SITE_URL}/transfer/{session.gateway_id}/"


def test_the_same_key_gives_the_same_transfer(gateway):
    request = session_request()
    first = gateway.create_session(request)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3)):
        assert gateway.create_session(request) == first
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(replace(request, amount=1_00))
    assert caught.value.permanent
    assert ManualTransfer.objects.count() == 1


def test_a_reference_that_is_taken_is_drawn_again(gateway, transfer, monkeypatch):
    drawn = iter([transfer.reference, transfer.reference, "4821093767"])
    monkeypatch.setattr(references, "new", lambda: next(drawn))
    session = gateway.create_session(session_request())
    assert ManualTransfer.objects.get(transfer_id=session.gateway_id).reference == "4821093767"


@pytest.mark.parametrize("change", [{"currency": "EUR"}, {"amount": 99}, {"amount": 10_000_000_01}])
def test_what_is_not_taken_is_refused_for_good(gateway, change):
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(session_request(**change))
    assert (caught.value.permanent, caught.value.code) == (True, "amount_not_taken")


def test_the_whole_sum_makes_it_succeed(gateway, session, record):
    record()
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.amount, snapshot.currency) == (State.SUCCEEDED, 1342_00, "RUB")
    assert (snapshot.fee, snapshot.fee_currency) == (0, "RUB")


def test_a_part_is_processing_until_staff_say_that_it_is_all(gateway, session, transfer, record, staff):
    record(1000_00)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.amount) == (State.PROCESSING, None)
    receipts.complete(transfer, by=staff, now=datetime.now(UTC))
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.amount) == (State.SUCCEEDED, 1000_00)


def test_more_than_asked_for_is_reported_as_it_is(gateway, session, record):
    record(2000_00)
    assert gateway.fetch(session.gateway_id).amount == 2000_00


def test_it_can_be_cancelled_while_nothing_has_arrived(gateway, session):
    assert gateway.can.cancels_pages
    assert gateway.cancel(session.gateway_id).state is State.CANCELLED
    assert gateway.cancel(session.gateway_id).state is State.CANCELLED
    assert gateway.fetch(session.gateway_id).state is State.CANCELLED


@pytest.mark.parametrize(("amount", "state"), [(1342_00, State.SUCCEEDED), (1_00, State.PROCESSING)])
def test_money_that_has_arrived_cannot_be_cancelled(gateway, session, record, amount, state):
    record(amount)
    assert gateway.cancel(session.gateway_id).state is state


def test_it_expires_and_money_that_comes_later_counts(gateway, session, record):
    with time_machine.travel(session.expires_at + timedelta(seconds=1)):
        assert gateway.fetch(session.gateway_id).state is State.EXPIRED
        assert gateway.cancel(session.gateway_id).state is State.EXPIRED
        record()
        assert gateway.fetch(session.gateway_id).state is State.SUCCEEDED


def test_the_days_are_a_setting(gateway, settings):
    settings.MANUAL_PAGE_DAYS = 30
    session = gateway.create_session(session_request())
    assert timedelta(days=29) < session.expires_at - datetime.now(UTC) < timedelta(days=31)


def test_transfers_of_a_span_are_listed(gateway, record, session):
    record()
    other = gateway.create_session(session_request())
    begin = ManualTransfer.objects.get(transfer_id=session.gateway_id).created_at
    end = ManualTransfer.objects.get(transfer_id=other.gateway_id).created_at
    listed = list(gateway.list_payments(since=begin, until=end))
    assert [(each.gateway_id, each.amount) for each in listed] == [(session.gateway_id, 1342_00)]
    both = gateway.list_payments(since=begin, until=end + timedelta(seconds=1))
    assert [each.state for each in both] == [State.SUCCEEDED, State.OPEN]
    assert list(gateway.list_payouts(since=begin, until=end)) == []


def test_what_it_does_not_know_or_have_is_refused_for_good(gateway):
    calls = [gateway.fetch, gateway.cancel, gateway.fetch_refund, gateway.fetch_dispute, gateway.fetch_method]
    for call in calls:
        with pytest.raises(GatewayError) as caught:
            call("none_such")
        assert caught.value.permanent
    with pytest.raises(GatewayError) as caught:
        gateway.refund(refund_request("none_such"))
    assert caught.value.permanent


def test_it_has_no_webhooks():
    assert not Manual().can.signs_webhooks
    with pytest.raises(BadWebhook):
        Manual().parse_webhook(b"{}", {}, address="127.0.0.1")
