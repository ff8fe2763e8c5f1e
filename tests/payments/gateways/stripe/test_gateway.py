"""Every method of the gateway, in each state that Stripe can be in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from payments.gateways import deadline
from payments.gateways.base import (
    DisputeState,
    GatewayError,
    RefundRequest,
    RefundState,
    State,
)

DAY = timedelta(days=1)


def now():
    return datetime.now(UTC)


class TestPage:
    def test_a_new_page_is_open_and_nothing_is_taken(self, gateway, make):
        session = gateway.create_session(make())
        snapshot = gateway.fetch(session.gateway_id)
        assert (snapshot.gateway_id, snapshot.state) == (session.gateway_id, State.OPEN)
        assert (snapshot.amount, snapshot.currency, snapshot.fee, snapshot.method) == (None, None, None, None)
        assert session.gateway_id.startswith("cs_test_")

    def test_it_carries_our_ids_and_never_converts_the_price(self, fake, gateway, make):
        session = fake.account.objects[gateway.create_session(make(email="a@shop.example")).gateway_id]
        assert (session["client_reference_id"], session["metadata"]["payment"]) == ("pay_1", "pay_1")
        assert session["metadata"]["customer"] == "usr_1"
        assert session["customer_email"] == "a@shop.example"
        assert session["adaptive_pricing"] == {"enabled": False}
        assert (session["amount_total"], session["currency"], session["locale"]) == (1999, "eur", "ru")

    @pytest.mark.parametrize(("language", "locale"), [("en", "en"), ("eo", "auto"), ("", "auto")])
    def test_a_language_that_stripe_does_not_speak_is_left_to_the_browser(self, fake, gateway, make, language, locale):
        session = gateway.create_session(make(language=language))
        assert fake.account.objects[session.gateway_id]["locale"] == locale

    @pytest.mark.parametrize("minutes", [-60, 0, 29, 30, 32, 60, 24 * 60, 100 * 60])
    def test_its_end_is_moved_into_what_stripe_takes(self, gateway, make, minutes):
        session = gateway.create_session(make(expires_at=now() + timedelta(minutes=minutes)))
        assert timedelta(minutes=30) < session.expires_at - now() < timedelta(hours=24)

    def test_the_shortest_and_the_longest_page_are_kept_as_asked(self, gateway, make):
        for length in (gateway.can.shortest_page, gateway.can.longest_page):
            end = now() + length
            session = gateway.create_session(make(idempotency_key=f"pay_{length}", expires_at=end))
            assert abs(session.expires_at - end) < timedelta(seconds=2)

    def test_the_same_key_gives_the_same_page(self, fake, gateway, make):
        request = make()
        assert gateway.create_session(request) == gateway.create_session(request)
        assert len(fake.account.all("checkout.session")) == 1

    def test_the_same_key_with_a_later_end_gives_the_same_page(self, fake, gateway, make):
        first = gateway.create_session(make())
        assert gateway.create_session(make(expires_at=now() + timedelta(minutes=55))) == first
        assert len(fake.account.all("checkout.session")) == 1

    def test_a_key_reused_for_another_amount_is_a_permanent_error(self, fake, gateway, make):
        gateway.create_session(make())
        with pytest.raises(GatewayError) as caught:
            gateway.create_session(make(amount=1))
        assert caught.value.permanent
        assert len(fake.account.all("checkout.session")) == 1

    def test_an_address_that_stripe_refuses_stops_nobody(self, fake, gateway, make):
        session = gateway.create_session(make(email="anna@localhost"))
        assert fake.account.objects[session.gateway_id]["customer_email"] is None
        assert gateway.create_session(make(email="anna@localhost")) == session

    def test_an_amount_that_stripe_refuses_is_a_permanent_error(self, gateway, make):
        with pytest.raises(GatewayError) as caught:
            gateway.create_session(make(amount=49))
        assert (caught.value.permanent, caught.value.code) == (True, "amount_too_small")


class TestState:
    def test_paid(self, gateway, paid):
        snapshot = gateway.fetch(paid)
        assert (snapshot.state, snapshot.amount, snapshot.currency) == (State.SUCCEEDED, 1999, "EUR")
        # 2.9 % of 1999 is 57.97, so 57, and 30.
        assert (snapshot.fee, snapshot.fee_currency) == (87, "EUR")
        assert snapshot.idempotency_key == "pay_1"
        assert snapshot.method is None

    def test_the_fee_is_not_known_at_once(self, fake, gateway, paid):
        (charge,) = fake.account.all("charge")
        charge["balance_transaction"] = None
        snapshot = gateway.fetch(paid)
        assert (snapshot.state, snapshot.fee, snapshot.fee_currency) == (State.SUCCEEDED, None, "")

    def test_another_amount_taken(self, fake, gateway, make):
        session = gateway.create_session(make())
        fake.account.pay(session.gateway_id, amount=1000)
        assert gateway.fetch(session.gateway_id).amount == 1000

    def test_a_declined_card_leaves_the_page_open_and_names_the_reason(self, fake, gateway, make):
        session = gateway.create_session(make())
        fake.account.decline(session.gateway_id)
        snapshot = gateway.fetch(session.gateway_id)
        assert (snapshot.state, snapshot.failure_code) == (State.OPEN, "insufficient_funds")
        fake.account.pay(session.gateway_id)
        snapshot = gateway.fetch(session.gateway_id)
        assert (snapshot.state, snapshot.failure_code) == (State.SUCCEEDED, "")

    def test_three_d_secure(self, fake, gateway, make):
        session = gateway.create_session(make())
        fake.account.ask_bank(session.gateway_id)
        assert gateway.fetch(session.gateway_id).state is State.REQUIRES_ACTION

    def test_a_bank_debit_takes_days_and_then_succeeds(self, fake, gateway, make):
        session = gateway.create_session(make())
        fake.account.pay_later(session.gateway_id)
        assert gateway.fetch(session.gateway_id).state is State.PROCESSING
        fake.account.settle(session.gateway_id)
        assert gateway.fetch(session.gateway_id).state is State.SUCCEEDED

    def test_a_bank_debit_that_fails_has_failed_for_good(self, fake, gateway, make):
        session = gateway.create_session(make())
        fake.account.pay_later(session.gateway_id)
        fake.account.settle(session.gateway_id, succeeds=False)
        snapshot = gateway.fetch(session.gateway_id)
        assert (snapshot.state, snapshot.failure_code) == (State.FAILED, "generic_decline")

    def test_a_page_left_alone_expires(self, gateway, make):
        session = gateway.create_session(make())
        with time_machine.travel(now() + timedelta(minutes=41)):
            assert gateway.fetch(session.gateway_id).state is State.EXPIRED

    @pytest.mark.parametrize("name", ["cs_none", "pi_none"])
    def test_an_unknown_id_is_a_permanent_error(self, gateway, name):
        for call in (gateway.fetch, gateway.cancel):
            with pytest.raises(GatewayError) as caught:
                call(name)
            assert (caught.value.permanent, caught.value.code) == (True, "resource_missing")


class TestCancel:
    def test_it_closes_the_page(self, fake, gateway, make):
        session = gateway.create_session(make())
        assert gateway.cancel(session.gateway_id).state is State.CANCELLED
        assert gateway.cancel(session.gateway_id).state is State.CANCELLED
        assert gateway.fetch(session.gateway_id).state is State.CANCELLED
        assert fake.account.objects[session.gateway_id]["status"] == "expired"

    def test_a_paid_payment_stays_paid(self, gateway, paid):
        assert gateway.cancel(paid).state is State.SUCCEEDED

    def test_a_page_that_expired_is_reported_as_such(self, gateway, make):
        session = gateway.create_session(make())
        with time_machine.travel(now() + timedelta(minutes=41)):
            assert gateway.cancel(session.gateway_id).state is State.EXPIRED


class TestSavedMethod:
    def test_it_is_kept_if_the_customer_agreed(self, fake, gateway, make):
        session = gateway.create_session(make(save_method=True))
        fake.account.pay(session.gateway_id)
        method = gateway.fetch(session.gateway_id).method
        assert (method.brand, method.last4, method.expires_on.date().isoformat()) == ("Visa", "4242", "2032-02-29")
        assert method.owner.startswith("cus_")
        assert gateway.fetch_method(method.gateway_id) == method

    def test_it_is_not_kept_any_more_once_detached(self, fake, gateway, make):
        session = gateway.create_session(make(save_method=True))
        fake.account.pay(session.gateway_id)
        method = gateway.fetch(session.gateway_id).method
        fake.account.detach(method.gateway_id)
        assert gateway.fetch_method(method.gateway_id) == replace(method, is_kept=False, owner="")

    def test_no_customer_is_made_without_need(self, fake, paid):
        assert fake.account.all("customer") == []

    def test_an_unknown_method_is_a_permanent_error(self, gateway):
        with pytest.raises(GatewayError) as caught:
            gateway.fetch_method("pm_none")
        assert caught.value.permanent


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

    def test_won_brings_it_back_and_lost_does_not(self, fake, gateway, make):
        for status, state, is_withdrawn in (("won", DisputeState.WON, False), ("lost", DisputeState.LOST, True)):
            session = gateway.create_session(make(idempotency_key=f"pay_{status}"))
            fake.account.pay(session.gateway_id)
            name = fake.account.open_dispute(session.gateway_id)
            fake.account.close_dispute(name, status=status)
            dispute = gateway.fetch_dispute(name)
            assert (dispute.state, dispute.is_withdrawn) == (state, is_withdrawn)

    def test_a_warning_has_taken_nothing_until_it_becomes_a_dispute(self, fake, gateway, paid):
        name = fake.account.open_dispute(paid, status="warning_needs_response")
        dispute = gateway.fetch_dispute(name)
        assert (dispute.state, dispute.is_withdrawn) == (DisputeState.OPEN, False)
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
        with deadline.within(5):
            for _ in gateway.list_payments(since=now() - DAY, until=now() + DAY):
                assert deadline.left() > 4


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
    # The dispute costs 1500 besides.
    assert money["fees"] == sum(each.fee for each in snapshots) + 1500
    assert money["balance"] + money["fees"] == sum(each.amount for each in snapshots) - refund.amount - dispute.amount
