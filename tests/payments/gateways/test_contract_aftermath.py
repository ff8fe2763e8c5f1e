"""The contract of every gateway for what comes after a payment: refunds, disputes, kept methods and payouts.

What a gateway says that it can is tested, and what it cannot must be refused for good.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from payments.gateways.aftermath import DisputeState, RefundState
from payments.gateways.base import Gateway, Subject
from payments.gateways.sessions import SessionRequest, Snapshot, State
from tests.payments.gateways.requests import refund_of, refused
from tests.payments.gateways.visitors.visitor import Visitor

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def test_a_whole_payment_is_refunded_once_per_key(
    gateway: Gateway, visitor: Visitor, asked: SessionRequest, paid: str
) -> None:
    request = refund_of(paid, asked)
    if not gateway.can.refunds:
        assert refused(gateway.refund, request)
        return
    first = gateway.refund(request)
    assert (first.amount, first.currency, first.payment) == (asked.amount, asked.currency, paid)
    assert gateway.refund(request).gateway_id == first.gateway_id
    visitor.settle_refund(first.gateway_id, RefundState.SUCCEEDED)
    assert gateway.fetch_refund(first.gateway_id).state is RefundState.SUCCEEDED
    assert refused(gateway.refund, refund_of(paid, asked, idempotency_key="ref_2"))


def test_parts_are_refunded_and_never_more_than_was_paid(gateway: Gateway, asked: SessionRequest, paid: str) -> None:
    if not gateway.can.refunds:
        return
    part = asked.amount * 3 // 4
    first = refund_of(paid, asked, amount=part)
    if not gateway.can.refunds_parts:
        assert refused(gateway.refund, first)
        return
    gateway.refund(first)
    # Three quarters are refunded: one unit more than the rest is too much.
    rest = asked.amount - part
    assert refused(gateway.refund, refund_of(paid, asked, idempotency_key="ref_2", amount=rest + 1))
    assert gateway.refund(refund_of(paid, asked, idempotency_key="ref_3", amount=rest)).amount == rest


def test_an_unpaid_payment_is_not_refunded(gateway: Gateway, asked: SessionRequest) -> None:
    assert refused(gateway.refund, refund_of(gateway.create_session(asked).gateway_id, asked))


def test_a_refund_is_found_again_by_its_own_request(gateway: Gateway, asked: SessionRequest, paid: str) -> None:
    request = refund_of(paid, asked)
    if not gateway.can.refunds:
        return
    if gateway.can.refunds_parts:
        request = replace(request, amount=asked.amount // 3)
    assert gateway.find_refund(request) is None
    made = gateway.refund(request)
    found = gateway.find_refund(request)
    assert found is not None
    assert (found.gateway_id, found.amount, found.idempotency_key) == (made.gateway_id, request.amount, "ref_1")
    # A refund of the same amount for another reason is not it.
    assert gateway.find_refund(replace(request, idempotency_key="ref_2")) is None


def test_the_money_of_a_failed_refund_can_be_refunded_again(
    gateway: Gateway, visitor: Visitor, asked: SessionRequest, paid: str
) -> None:
    if not gateway.can.refunds:
        return
    made = gateway.refund(refund_of(paid, asked))
    if made.state is not RefundState.PENDING:
        return
    visitor.settle_refund(made.gateway_id, RefundState.FAILED)
    assert gateway.fetch_refund(made.gateway_id).state is RefundState.FAILED
    again = gateway.refund(refund_of(paid, asked, idempotency_key="ref_2"))
    assert again.gateway_id != made.gateway_id


@pytest.mark.parametrize("end", [DisputeState.WON, DisputeState.LOST])
def test_a_dispute_is_open_until_somebody_decides(
    gateway: Gateway, visitor: Visitor, asked: SessionRequest, paid: str, end: DisputeState
) -> None:
    if Subject.DISPUTE not in visitor.tells:
        assert refused(gateway.fetch_dispute, paid)
        return
    dispute_id = visitor.open_dispute(paid)
    dispute = gateway.fetch_dispute(dispute_id)
    assert (dispute.gateway_id, dispute.payment, dispute.state) == (dispute_id, paid, DisputeState.OPEN)
    assert (dispute.amount, dispute.currency) == (asked.amount, asked.currency)
    assert dispute.answer_by is None or dispute.answer_by > timezone.now()
    visitor.decide_dispute(dispute_id, end)
    assert gateway.fetch_dispute(dispute_id).state is end
    # The payment itself is what it was.
    assert gateway.fetch(paid).state is State.SUCCEEDED


def paid_with_consent(gateway: Gateway, visitor: Visitor, asked: SessionRequest) -> Snapshot:
    """Pay with the consent to keep the method, and return the payment."""
    agreed = replace(asked, idempotency_key="pay_2", save_method=True)
    gateway_id = gateway.create_session(agreed).gateway_id
    assert gateway.fetch(gateway_id).method is None
    visitor.pay(gateway_id)
    return gateway.fetch(gateway_id)


def test_a_method_is_kept_only_if_the_customer_agreed(
    gateway: Gateway, visitor: Visitor, asked: SessionRequest, paid: str
) -> None:
    assert gateway.fetch(paid).method is None
    if not gateway.can.saves_methods:
        assert refused(gateway.fetch_method, paid)
        # The payment is made all the same.
        assert paid_with_consent(gateway, visitor, asked).method is None
        return
    method = paid_with_consent(gateway, visitor, asked).method
    assert method is not None
    assert method.is_kept
    assert gateway.fetch_method(method.gateway_id) == method
    visitor.forget_method(method.gateway_id)
    assert not gateway.fetch_method(method.gateway_id).is_kept


def test_a_removed_method_is_not_kept(gateway: Gateway, visitor: Visitor, asked: SessionRequest) -> None:
    if not gateway.can.saves_methods:
        return
    method = paid_with_consent(gateway, visitor, asked).method
    assert method is not None
    if not gateway.can.removes_methods:
        assert refused(gateway.remove_method, method.gateway_id)
        return
    # Again and again.
    for _ in range(2):
        gateway.remove_method(method.gateway_id)
        assert not gateway.fetch_method(method.gateway_id).is_kept


def test_the_list_has_our_refunds_and_those_made_by_hand(
    gateway: Gateway, visitor: Visitor, asked: SessionRequest, paid: str
) -> None:
    now = timezone.now()
    span = {"since": now - 60 * SECOND, "until": now + 60 * SECOND}
    assert list(gateway.list_refunds(**span)) == []
    if not gateway.can.refunds:
        return
    ours = gateway.refund(refund_of(paid, asked))
    made = {ours.gateway_id: ("ref_1", asked.amount)}
    other = ""
    if not gateway.can.is_manual:
        other = gateway.create_session(replace(asked, idempotency_key="pay_2")).gateway_id
        visitor.pay(other)
        by_hand = visitor.refund_by_hand(other)
        made[by_hand] = (gateway.fetch_refund(by_hand).idempotency_key, asked.amount)
        assert made[by_hand][0] != "ref_1"
    listed = {each.gateway_id: each for each in gateway.list_refunds(**span)}
    assert {name: (each.idempotency_key, each.amount) for name, each in listed.items()} == made
    assert {each.currency for each in listed.values()} == {asked.currency}
    assert listed[ours.gateway_id].payment in ("", paid)
    # Without our id the payment is all that we know it by.
    assert [each.payment for each in listed.values() if each.idempotency_key != "ref_1"] == ([other] if other else [])
    assert all(each.created_at and abs(each.created_at - now) < 60 * SECOND for each in listed.values())
    assert list(gateway.list_refunds(since=now - 120 * SECOND, until=now - 60 * SECOND)) == []


def test_the_list_has_the_disputes_of_the_span(gateway: Gateway, visitor: Visitor, paid: str) -> None:
    now = timezone.now()
    span = {"since": now - 60 * SECOND, "until": now + 60 * SECOND}
    assert list(gateway.list_disputes(**span)) == []
    if Subject.DISPUTE not in visitor.tells:
        return
    dispute_id = visitor.open_dispute(paid)
    [listed] = gateway.list_disputes(**span)
    assert listed == gateway.fetch_dispute(dispute_id)
    assert listed.payment == paid
    assert listed.created_at is not None
    assert list(gateway.list_disputes(since=now - 120 * SECOND, until=now - 60 * SECOND)) == []


def test_a_payout_is_fetched_as_it_is_listed(gateway: Gateway, visitor: Visitor, asked: SessionRequest) -> None:
    if Subject.PAYOUT not in visitor.tells:
        return
    gateway_id = gateway.create_session(asked).gateway_id
    visitor.pay(gateway_id)
    fee = gateway.fetch(gateway_id).fee
    payout_id = visitor.pay_out(gateway_id)
    payout = gateway.fetch_payout(payout_id)
    assert payout is not None
    assert fee is not None
    assert (payout.gateway_id, payout.amount, payout.currency) == (payout_id, asked.amount - fee, asked.currency)
    now = timezone.now()
    assert payout in list(gateway.list_payouts(since=now - timedelta(days=7), until=now + SECOND))
    # `until` is not of the span.
    assert list(gateway.list_payouts(since=now - timedelta(days=7), until=payout.arrived_at)) == []
    assert list(gateway.list_payouts(since=payout.arrived_at + SECOND, until=now + timedelta(days=1))) == []


def test_what_is_listed_as_paid_out_is_of_the_span(gateway: Gateway, paid: str) -> None:
    now = timezone.now()
    for payout in gateway.list_payouts(since=now - timedelta(days=7), until=now):
        assert now - timedelta(days=7) <= payout.arrived_at < now
