"""What comes after a payment at Stripe: refunds, disputes, and the lists of payments and payouts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
import stripe

from payments.gateways import guard
from payments.gateways.aftermath import DisputeState, RefundRequest, RefundState
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import State
from payments.gateways.stripe import snapshots

DAY = timedelta(days=1)


def now():
    return datetime.now(UTC)


class TestRefund:
    def test_a_part(self, fake, gateway, paid, refund_request):
        refund = gateway.refund(refund_request)
        assert (refund.state, refund.amount, refund.currency) == (RefundState.SUCCEEDED, 500, "EUR")
        assert (refund.payment, refund.idempotency_key) == (paid, "ref_1")
        assert fake.account.money()["eur"]["refund"] == -500
        assert gateway.fetch_refund(refund.gateway_id) == refund
        assert gateway.find_refund(refund_request) == refund

    def test_once_per_key_and_never_more_than_was_paid(self, fake, gateway, refund_request):
        whole = replace(refund_request, amount=1999)
        assert gateway.refund(refund_request) == gateway.refund(refund_request)
        for key, amount in (("ref_2", 1500), ("ref_3", 1999)):
            with pytest.raises(GatewayError) as caught:
                gateway.refund(replace(whole, idempotency_key=key, amount=amount))
            assert caught.value.permanent
        gateway.refund(replace(whole, idempotency_key="ref_4", amount=1499))
        assert fake.account.money()["eur"]["refund"] == -1999

    def test_pending_and_then_failed_brings_the_money_back(self, fake, gateway, refund_request):
        fake.account.refund_status = "pending"
        refund = gateway.refund(refund_request)
        assert refund.state is RefundState.PENDING
        fake.account.finish_refund(refund.gateway_id, status="failed")
        failed = gateway.fetch_refund(refund.gateway_id)
        assert (failed.state, failed.failure_code) == (RefundState.FAILED, "lost_or_stolen_card")
        assert fake.account.money()["eur"]["refund"] == 0

    def test_one_that_was_cancelled_has_failed(self, fake, gateway, refund_request):
        refund = gateway.refund(refund_request)
        fake.account.finish_refund(refund.gateway_id, status="canceled")
        assert gateway.fetch_refund(refund.gateway_id).state is RefundState.FAILED

    def test_an_unpaid_payment_is_not_refunded(self, fake, gateway, make):
        session = gateway.create_session(make())
        request = RefundRequest(idempotency_key="ref_1", gateway_id=session.gateway_id, amount=1, currency="EUR")
        assert gateway.find_refund(request) is None
        with pytest.raises(GatewayError) as caught:
            gateway.refund(request)
        assert caught.value.permanent
        fake.account.decline(session.gateway_id)
        with pytest.raises(GatewayError) as caught:
            gateway.refund(request)
        assert caught.value.permanent

    def test_it_is_found_after_the_first_hundred(self, fake, gateway, make):
        session = gateway.create_session(make(amount=99_999))
        fake.account.pay(session.gateway_id)
        requests = [
            RefundRequest(idempotency_key=f"ref_{n}", gateway_id=session.gateway_id, amount=1, currency="EUR")
            for n in range(103)
        ]
        for request in requests:
            fake.account.refund(
                {
                    "payment_intent": fake.account.objects[session.gateway_id]["payment_intent"],
                    "amount": 1,
                    "metadata": {"refund": request.idempotency_key},
                }
            )
        assert gateway.find_refund(requests[0]).idempotency_key == "ref_0"

    def test_an_unknown_refund_is_a_permanent_error(self, gateway):
        with pytest.raises(GatewayError) as caught:
            gateway.fetch_refund("re_none")
        assert caught.value.permanent

    def test_a_refund_from_the_dashboard_names_its_payment_and_no_id_of_ours(self, fake, gateway, paid):
        made = fake.account.refund({"payment_intent": fake.account.objects[paid]["payment_intent"], "amount": 100})
        refund = gateway.fetch_refund(made["id"])
        assert (refund.payment, refund.idempotency_key, refund.amount) == (paid, "", 100)


class TestDispute:
    def test_it_takes_the_money_and_names_the_payment(self, fake, gateway, paid):
        dispute = gateway.fetch_dispute(fake.account.open_dispute(paid, amount=1000))
        assert (dispute.payment, dispute.state, dispute.is_withdrawn) == (paid, DisputeState.OPEN, True)
        assert (dispute.amount, dispute.currency, dispute.reason) == (1000, "EUR", "fraudulent")
        assert timedelta(days=6) < dispute.answer_by - now() <= timedelta(days=7)
        assert fake.account.money()["eur"]["adjustment"] == -1000
        # The fake takes 15.00 for a dispute, but no more than its amount.
        assert (dispute.fee, dispute.fee_currency) == (1000, "EUR")

    def test_won_brings_it_back_and_lost_does_not(self, fake, gateway, make):
        for status, state, is_withdrawn in (("won", DisputeState.WON, False), ("lost", DisputeState.LOST, True)):
            session = gateway.create_session(make(idempotency_key=f"pay_{status}"))
            fake.account.pay(session.gateway_id)
            name = fake.account.open_dispute(session.gateway_id)
            fake.account.close_dispute(name, status=status)
            dispute = gateway.fetch_dispute(name)
            assert (dispute.state, dispute.is_withdrawn, dispute.fee) == (state, is_withdrawn, 1500)

    def test_won_may_bring_the_fee_back_too(self, fake, gateway, paid):
        name = fake.account.open_dispute(paid)
        fake.account.close_dispute(name, status="won", returns_fee=True)
        dispute = gateway.fetch_dispute(name)
        assert (dispute.fee, dispute.fee_currency, fake.account.money()["eur"]["fees"]) == (0, "EUR", 87)

    def test_a_warning_has_taken_nothing_until_it_becomes_a_dispute(self, fake, gateway, paid):
        name = fake.account.open_dispute(paid, status="warning_needs_response")
        dispute = gateway.fetch_dispute(name)
        assert (dispute.state, dispute.is_withdrawn, dispute.fee) == (DisputeState.OPEN, False, None)
        fake.account.escalate_dispute(name)
        dispute = gateway.fetch_dispute(name)
        assert (dispute.state, dispute.is_withdrawn) == (DisputeState.OPEN, True)

    def test_a_warning_that_is_closed_took_nothing(self, fake, gateway, paid):
        name = fake.account.open_dispute(paid, status="warning_needs_response")
        fake.account.close_dispute(name, status="warning_closed")
        dispute = gateway.fetch_dispute(name)
        assert (dispute.state, dispute.is_withdrawn) == (DisputeState.WON, False)

    def test_a_disputed_payment_is_not_refunded_too(self, fake, gateway, paid, refund_request):
        fake.account.open_dispute(paid)
        with pytest.raises(GatewayError) as caught:
            gateway.refund(refund_request)
        assert (caught.value.permanent, caught.value.code) == (True, "charge_disputed")


class TestLists:
    def test_payments_of_the_span_with_and_without_money(self, fake, gateway, paid, make):
        unpaid = gateway.create_session(make(idempotency_key="pay_2"))
        listed = {each.gateway_id: each for each in gateway.list_payments(since=now() - DAY, until=now() + DAY)}
        assert listed.keys() == {paid, unpaid.gateway_id}
        assert listed[paid] == gateway.fetch(paid)
        assert listed[unpaid.gateway_id].state is State.OPEN
        assert listed[unpaid.gateway_id].idempotency_key == "pay_2"
        assert list(gateway.list_payments(since=now() + DAY, until=now() + 2 * DAY)) == []

    def test_more_than_one_page(self, fake, gateway, make):
        made = {gateway.create_session(make(idempotency_key=f"pay_{n}")).gateway_id for n in range(3)}
        for n in range(120):
            fake.account.open_session(
                {"mode": "payment", "line_items": [{"price_data": {"unit_amount": 100 + n, "currency": "usd"}}]},
                page="https://elsewhere.example/",
            )
        listed = [each.gateway_id for each in gateway.list_payments(since=now() - DAY, until=now() + DAY)]
        assert len(listed) == len(set(listed)) == 123
        assert made <= set(listed)

    def test_payments_that_our_site_did_not_make(self, fake, gateway, paid):
        intent = fake.account.charge_elsewhere(amount=700, currency="usd")
        listed = {each.gateway_id: each for each in gateway.list_payments(since=now() - DAY, until=now() + DAY)}
        assert listed.keys() == {paid, intent}
        assert (listed[intent].state, listed[intent].amount, listed[intent].currency) == (State.SUCCEEDED, 700, "USD")
        assert listed[intent] == gateway.fetch(intent)
        assert gateway.cancel(intent).state is State.SUCCEEDED
        name = fake.account.open_dispute(intent)
        assert gateway.fetch_dispute(name).payment == intent

    def test_payouts_that_arrived_and_those_sent_back(self, fake, gateway, paid):
        sent = fake.account.pay_out("eur")
        (payout,) = gateway.list_payouts(since=now() - DAY, until=now() + DAY)
        # 1999 less the fee of 87.
        assert (payout.gateway_id, payout.amount, payout.currency, payout.is_paid) == (sent, 1912, "EUR", True)
        fake.account.fail_payout(sent)
        (payout,) = gateway.list_payouts(since=now() - DAY, until=now() + DAY)
        assert not payout.is_paid
        assert list(gateway.list_payouts(since=now() - 2 * DAY, until=now() - DAY)) == []

    def test_a_list_leaves_the_callers_deadline_alone(self, gateway, paid):
        with guard.within(5):
            for _ in gateway.list_payments(since=now() - DAY, until=now() + DAY):
                assert guard.time_left() > 4


def test_the_money_of_both_sides_is_the_same(fake, gateway, make):
    """Paid 3 x 1999, refunded 500, disputed 1999: what the snapshots say adds up to the fake's balance."""
    snapshots = []
    for n in range(3):
        session = gateway.create_session(make(idempotency_key=f"pay_{n}"))
        fake.account.pay(session.gateway_id)
        snapshots.append(gateway.fetch(session.gateway_id))
    refund = gateway.refund(
        RefundRequest(idempotency_key="ref_1", gateway_id=snapshots[0].gateway_id, amount=500, currency="EUR")
    )
    dispute = gateway.fetch_dispute(fake.account.open_dispute(snapshots[1].gateway_id))
    money = fake.account.money()["eur"]
    assert (money["fees"], dispute.fee) == (sum(each.fee for each in snapshots) + dispute.fee, 1500)
    assert money["balance"] + money["fees"] == sum(each.amount for each in snapshots) - refund.amount - dispute.amount


def words_of_a_dispute():
    """Return the statuses of a dispute that the SDK knows."""
    known, _text = get_args(stripe.Dispute.__annotations__["status"])
    return get_args(known)


def test_every_status_of_a_dispute_is_known():
    assert len(words_of_a_dispute()) >= 10
    assert set(words_of_a_dispute()) == set(snapshots.DISPUTE_STATES)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("warning_needs_response", DisputeState.OPEN),
        ("warning_under_review", DisputeState.OPEN),
        ("warning_closed", DisputeState.WON),
        ("needs_response", DisputeState.OPEN),
        ("under_review", DisputeState.OPEN),
        ("appeal_needs_response", DisputeState.OPEN),
        ("appeal_under_review", DisputeState.OPEN),
        ("prevented", DisputeState.WON),
        ("won", DisputeState.WON),
        ("lost", DisputeState.LOST),
    ],
)
def test_a_status_of_a_dispute(fake, gateway, paid, word, state):
    name = fake.account.open_dispute(paid)
    fake.account.objects[name]["status"] = word
    assert gateway.fetch_dispute(name).state is state


class TestPayout:
    def test_on_its_way_it_is_not_there_yet(self, fake, gateway, paid):
        name = fake.account.pay_out("eur")
        for status in ("pending", "in_transit", "canceled"):
            fake.account.objects[name]["status"] = status
            assert gateway.fetch_payout(name) is None

    def test_paid_and_sent_back(self, fake, gateway, paid):
        name = fake.account.pay_out("eur")
        # 19.99 less the fee of 0.87.
        assert (gateway.fetch_payout(name).amount, gateway.fetch_payout(name).is_paid) == (1912, True)
        fake.account.fail_payout(name)
        assert not gateway.fetch_payout(name).is_paid
