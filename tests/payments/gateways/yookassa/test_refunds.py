import json
from dataclasses import replace

import pytest

from payments.gateways.aftermath import RefundState
from payments.gateways.errors import GatewayError


def test_a_part_is_refunded_with_our_id_where_both_we_and_staff_find_it(gateway, fake, paid, refund_of):
    request = refund_of()
    refund = gateway.refund(request)
    assert json.loads(fake.requests[-1].body) == {
        "payment_id": paid.gateway_id,
        "amount": {"value": "342.00", "currency": "RUB"},
        "description": f"Unused time ({request.idempotency_key})",
        "metadata": {"refund_id": request.idempotency_key},
    }
    assert fake.requests[-1].headers["idempotence-key"] == request.idempotency_key
    assert (refund.state, refund.amount, refund.currency) == (RefundState.SUCCEEDED, 342_00, "RUB")
    assert (refund.payment, refund.idempotency_key) == (paid.gateway_id, request.idempotency_key)
    assert gateway.fetch_refund(refund.gateway_id) == refund


def test_the_whole_is_refunded_and_not_a_kopeck_more(gateway, refund_of):
    gateway.refund(refund_of(amount=1000_00))
    gateway.refund(refund_of(amount=342_00))
    with pytest.raises(GatewayError) as caught:
        gateway.refund(refund_of(amount=1))
    assert (caught.value.permanent, caught.value.code) == (True, "invalid_request")


def test_the_same_key_refunds_once(gateway, fake, refund_of):
    request = refund_of()
    assert gateway.refund(request) == gateway.refund(request)
    assert len(fake.shop.refunds) == 1
    with pytest.raises(GatewayError) as caught:
        gateway.refund(replace(request, amount=1))
    assert caught.value.permanent


def test_a_refund_may_take_time_and_may_fail(gateway, fake, refund_of):
    fake.shop.refunds_wait = True
    first, second = gateway.refund(refund_of()), gateway.refund(refund_of())
    assert {first.state, second.state} == {RefundState.PENDING}
    fake.end_refund(first.gateway_id)
    fake.end_refund(second.gateway_id, reason="insufficient_funds")
    assert gateway.fetch_refund(first.gateway_id).state is RefundState.SUCCEEDED
    failed = gateway.fetch_refund(second.gateway_id)
    assert (failed.state, failed.failure_code) == (RefundState.FAILED, "insufficient_funds")
    # What failed was not refunded, so it can be refunded again.
    assert gateway.refund(refund_of(amount=1000_00)).state is RefundState.PENDING


def test_a_payment_without_money_is_not_refunded(gateway, wanted, refund_of):
    session = gateway.create_session(wanted())
    with pytest.raises(GatewayError) as caught:
        gateway.refund(refund_of(gateway_id=session.gateway_id))
    assert caught.value.permanent


def test_a_refund_is_found_among_many(gateway, refund_of):
    """The payment of 1342.00 has 130 refunds of 1.00, more than a page of the list."""
    requests = [refund_of(amount=1_00) for _ in range(130)]
    made = [gateway.refund(request) for request in requests]
    assert gateway.find_refund(requests[0]) == made[0]
    assert gateway.find_refund(requests[-1]) == made[-1]
    assert gateway.find_refund(refund_of()) is None


def test_a_refund_is_found_by_its_description_too(gateway, fake, refund_of):
    request = refund_of(description="т" * 300)
    made = gateway.refund(request)
    assert len(fake.shop.refunds[made.gateway_id]["description"]) == 250
    del fake.shop.refunds[made.gateway_id]["metadata"]
    found = gateway.find_refund(request)
    assert found is not None
    assert found.gateway_id == made.gateway_id
    assert gateway.find_refund(refund_of(description="т" * 300)) is None
