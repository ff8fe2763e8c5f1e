"""The contract that every gateway must fulfil, run against each in settings.GATEWAY_CLASSES and the example.

What a gateway says that it can is tested, and what it cannot must be refused for good. A new gateway adds a visitor,
visitors/<name>.py, and no test. What comes after a payment is in test_contract_aftermath.py, webhooks are in
test_contract_webhooks.py. The fixtures are in conftest.py.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ledger.money import EXPONENTS
from payments.gateways import guard, registry
from payments.gateways.base import Gateway
from payments.gateways.sessions import SessionRequest, State
from tests.payments.gateways.requests import refund_of, refused
from tests.payments.gateways.visitors import visitor as visitors
from tests.payments.gateways.visitors.visitor import Visitor

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def test_its_settings_are_complete(gateway: Gateway, name: str) -> None:
    assert gateway.name == name
    assert gateway.is_configured()
    assert gateway.problems() == []


def test_it_takes_only_currencies_that_we_know(gateway: Gateway) -> None:
    can = gateway.can
    assert can.currencies
    assert set(can.currencies) <= set(EXPONENTS)
    assert all(0 < least <= most for least, most in can.currencies.values())
    assert can.longest_page is None or can.longest_page > can.shortest_page


def test_form_targets_are_https_origins(name: str) -> None:
    # Without a visitor, so not the address of a fake.
    for target in registry.get(name).can.form_targets:
        assert target.startswith("https://")
        assert target.count("/") == 2


def test_a_new_page_is_open_and_nothing_is_taken(gateway: Gateway, asked: SessionRequest) -> None:
    session = gateway.create_session(asked)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.gateway_id, snapshot.state) == (session.gateway_id, State.OPEN)
    assert (snapshot.amount, snapshot.currency, snapshot.fee, snapshot.method) == (None, None, None, None)
    assert session.confirmation_url.startswith(("http://", "https://"))
    assert session.expires_at > timezone.now()


def test_the_same_key_gives_the_same_page(gateway: Gateway, asked: SessionRequest) -> None:
    assert gateway.create_session(asked) == gateway.create_session(asked)


def test_another_key_gives_another_page(gateway: Gateway, asked: SessionRequest) -> None:
    first, second = gateway.create_session(asked), gateway.create_session(replace(asked, idempotency_key="pay_2"))
    assert first.gateway_id != second.gateway_id


def test_a_key_reused_for_another_amount_is_refused(gateway: Gateway, asked: SessionRequest) -> None:
    gateway.create_session(asked)
    assert refused(gateway.create_session, replace(asked, amount=asked.amount + 1))


def test_an_amount_or_a_currency_that_it_does_not_take_is_refused(gateway: Gateway, asked: SessionRequest) -> None:
    least, most = gateway.can.currencies[asked.currency]
    assert refused(gateway.create_session, replace(asked, amount=most + 1))
    assert refused(gateway.create_session, replace(asked, amount=least - 1))
    for currency in sorted(EXPONENTS.keys() - gateway.can.currencies.keys())[:1]:
        assert refused(gateway.create_session, replace(asked, currency=currency))


def test_a_paid_snapshot_has_the_amount_the_fee_and_our_key(gateway: Gateway, asked: SessionRequest, paid: str) -> None:
    snapshot = gateway.fetch(paid)
    assert (snapshot.state, snapshot.amount, snapshot.currency) == (State.SUCCEEDED, asked.amount, asked.currency)
    assert snapshot.idempotency_key == asked.idempotency_key
    if not gateway.can.is_manual:
        assert snapshot.fee is not None
        assert 0 <= snapshot.fee < asked.amount
        assert len(snapshot.fee_currency) == 3


def test_what_was_taken_is_reported_not_what_was_asked(
    gateway: Gateway, visitor: Visitor, asked: SessionRequest
) -> None:
    gateway_id = gateway.create_session(asked).gateway_id
    visitor.pay(gateway_id, amount=asked.amount - 1)
    snapshot = gateway.fetch(gateway_id)
    assert (snapshot.state, snapshot.amount) == (State.SUCCEEDED, asked.amount - 1)


def test_a_declined_snapshot_has_the_failure_code(gateway: Gateway, visitor: Visitor, asked: SessionRequest) -> None:
    if gateway.can.is_manual:
        # Nobody declines a bank transfer.
        return
    gateway_id = gateway.create_session(asked).gateway_id
    visitor.be_declined(gateway_id)
    snapshot = gateway.fetch(gateway_id)
    expected = State.OPEN if visitor.may_try_again else State.FAILED
    assert (snapshot.state, snapshot.failure_code) == (expected, "insufficient_funds")
    assert (snapshot.amount, snapshot.currency) == (None, None)
    if visitor.may_try_again:
        visitor.pay(gateway_id)
        snapshot = gateway.fetch(gateway_id)
        assert (snapshot.state, snapshot.amount, snapshot.failure_code) == (State.SUCCEEDED, asked.amount, "")


def test_cancelling_closes_the_page_or_leaves_it_as_it_is(gateway: Gateway, asked: SessionRequest) -> None:
    gateway_id = gateway.create_session(asked).gateway_id
    expected = State.CANCELLED if gateway.can.cancels_pages else State.OPEN
    # Again and again, with the same answer.
    assert [gateway.cancel(gateway_id).state for _ in range(2)] == [expected, expected]
    assert gateway.fetch(gateway_id).state is expected


def test_cancelling_a_paid_payment_returns_succeeded(gateway: Gateway, asked: SessionRequest, paid: str) -> None:
    snapshot = gateway.cancel(paid)
    assert (snapshot.state, snapshot.amount) == (State.SUCCEEDED, asked.amount)


def test_an_unknown_id_is_a_permanent_error(gateway: Gateway, asked: SessionRequest) -> None:
    calls: tuple[Callable[[str], Any], ...] = (
        gateway.fetch, gateway.cancel, gateway.fetch_refund, gateway.fetch_dispute, gateway.fetch_method,
        gateway.remove_method, gateway.fetch_payout,
    )  # fmt: skip
    assert [refused(call, "none_such") for call in calls] == [True] * len(calls)
    assert refused(gateway.refund, refund_of("none_such", asked))


def test_the_list_has_the_payments_of_the_span_and_no_others(
    gateway: Gateway, asked: SessionRequest, paid: str
) -> None:
    unpaid = gateway.create_session(replace(asked, idempotency_key="pay_2")).gateway_id
    made = [gateway.fetch(each).created_at for each in (paid, unpaid)]
    assert None not in made
    first, last = min(filter(None, made)), max(filter(None, made))
    listed = {each.gateway_id: each for each in gateway.list_payments(since=first, until=last + SECOND)}
    assert listed.keys() == {paid, unpaid}
    assert (listed[paid].state, listed[paid].amount) == (State.SUCCEEDED, asked.amount)
    assert (listed[unpaid].state, listed[unpaid].amount) == (State.OPEN, None)
    assert [listed[each].idempotency_key for each in (paid, unpaid)] == [asked.idempotency_key, "pay_2"]
    # `until` is not of the span, `since` is.
    assert paid not in [snapshot.gateway_id for snapshot in gateway.list_payments(since=first - SECOND, until=first)]
    assert list(gateway.list_payments(since=last + SECOND, until=last + 2 * SECOND)) == []


def test_a_gateway_that_hangs_keeps_nobody_waiting(gateway: Gateway, visitor: Visitor, asked: SessionRequest) -> None:
    if gateway.can.is_manual:
        return
    gateway_id = gateway.create_session(asked).gateway_id
    started = time.monotonic()
    with visitor.hanging(gateway_id), guard.within(1):
        assert not refused(gateway.fetch, gateway_id)
    assert time.monotonic() - started < 5
    assert gateway.fetch(gateway_id).state is State.OPEN


def test_a_gateway_without_a_visitor_fails(settings: Any) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"write tests/payments/gateways/visitors/acme\.py"):
        visitors.visit("acme", settings)
