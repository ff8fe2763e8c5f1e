"""Pages, payments and saved methods, in each state that Stripe can be in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import stripe
import time_machine

from billing_site.local.fakes.faults import Fault
from payments.gateways import guard
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import State
from payments.gateways.stripe import amounts

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
        # As long as Stripe's own: 66 characters, and an address of more than 500.
        assert (len(session.gateway_id), len(session.confirmation_url) > 500) == (66, True)

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

    def test_an_amount_that_stripe_refuses_is_a_permanent_error(self, gateway, make, monkeypatch):
        # Stripe has raised its least amount since our table was written.
        monkeypatch.setitem(amounts.LEAST, "EUR", 49)
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


@pytest.mark.django_db
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

    def test_a_customer_of_stripes_is_used_again(self, fake, gateway, make):
        first = gateway.create_session(make(save_method=True, email="a@shop.example"))
        fake.account.pay(first.gateway_id)
        owner = gateway.fetch(first.gateway_id).method.owner
        second = gateway.create_session(
            make(idempotency_key="pay_2", save_method=True, email="a@shop.example", owner=owner)
        )
        fake.account.pay(second.gateway_id)
        method = gateway.fetch(second.gateway_id).method
        assert (method.owner, len(fake.account.all("customer"))) == (owner, 1)

    def test_a_customer_that_was_deleted_at_stripe_is_replaced(self, fake, gateway, make):
        first = gateway.create_session(make(save_method=True))
        fake.account.pay(first.gateway_id)
        owner = gateway.fetch(first.gateway_id).method.owner
        fake.account.forget_customer(owner)
        again = make(idempotency_key="pay_2", save_method=True, owner=owner, email="anna@localhost")
        second = gateway.create_session(again)
        assert gateway.create_session(again) == second
        fake.account.pay(second.gateway_id)
        method = gateway.fetch(second.gateway_id).method
        assert method.owner not in ("", owner)

    def test_two_pages_before_the_first_saved_card_have_one_customer(self, fake, gateway, make):
        asked = [make(idempotency_key=f"pay_{n}", save_method=True, email=f"a{n}@shop.example") for n in range(2)]
        sessions = [fake.account.objects[gateway.create_session(each).gateway_id] for each in asked]
        [customer] = fake.account.all("customer")
        assert [each["customer"] for each in sessions] == [customer["id"]] * 2
        assert (customer["email"], customer["metadata"]) == ("a0@shop.example", {"customer": "usr_1"})

    def test_another_customer_of_ours_is_another_one_of_stripes(self, fake, gateway, make):
        for n in range(2):
            gateway.create_session(make(idempotency_key=f"pay_{n}", save_method=True, customer=f"usr_{n}"))
        assert [each["metadata"]["customer"] for each in fake.account.all("customer")] == ["usr_0", "usr_1"]

    @pytest.mark.parametrize("kind", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TRUNCATED])
    def test_a_customer_whose_answer_is_lost_is_made_once(self, fake, gateway, make, kind):
        fake.fault(kind, path="/v1/customers", seconds=0.2)
        with guard.within(1.0), pytest.raises(GatewayError) as caught:
            gateway.create_session(make(save_method=True))
        assert not caught.value.permanent
        gateway.create_session(make(save_method=True))
        assert len(fake.account.all("customer")) == 1

    def test_a_customer_whose_key_is_spent_is_made_with_another_one(self, fake, gateway, make):
        fake.fault(Fault.ERROR_SAVED, path="/v1/customers")
        with pytest.raises(GatewayError):
            gateway.create_session(make(save_method=True))
        session = fake.account.objects[gateway.create_session(make(save_method=True)).gateway_id]
        assert session["customer"] == fake.account.all("customer")[-1]["id"]

    def test_a_key_that_may_not_make_customers_leaves_it_to_the_payment(self, fake, gateway, make, monkeypatch):
        def refuse(*_args, **_named):
            raise stripe.PermissionError("This key may not.", http_status=403)

        monkeypatch.setattr(stripe.CustomerService, "create", refuse)
        session = gateway.create_session(make(save_method=True, email="a@shop.example"))
        fake.account.pay(session.gateway_id)
        assert gateway.fetch(session.gateway_id).method.owner.startswith("cus_")

    def test_a_customer_is_named_only_for_a_method_to_keep(self, fake, gateway, make):
        session = gateway.create_session(make(owner="cus_1", email="a@shop.example"))
        stored = fake.account.objects[session.gateway_id]
        assert (stored["customer"], stored["customer_email"]) == (None, "a@shop.example")

    def test_no_customer_is_made_without_need(self, fake, paid):
        assert fake.account.all("customer") == []

    def test_an_unknown_method_is_a_permanent_error(self, gateway):
        with pytest.raises(GatewayError) as caught:
            gateway.fetch_method("pm_none")
        assert caught.value.permanent
