"""What goes wrong on the way to Stripe (faults C12 to C16): nothing is done twice or wrongly called failed."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from django.core.cache import cache

from billing_site.local.fakes.faults import Fault
from payments.gateways import guard
from payments.gateways.aftermath import DisputeState, RefundState
from payments.gateways.errors import GatewayError
from payments.gateways.guard import guarded
from payments.gateways.sessions import State
from payments.gateways.stripe import gateway as stripe_gateway

LOST = [
    Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.RATE_LIMITED, Fault.ERROR_BEFORE, Fault.ERROR_AFTER,
    Fault.ERROR_SAVED, Fault.RESET_AFTER, Fault.TRUNCATED, Fault.HTML,
]  # fmt: skip


def fails(call, *args):
    """Return the error of a call that has 0.4 seconds."""
    with guard.within(0.4), pytest.raises(GatewayError) as caught:
        call(*args)
    return caught.value


def answer_of(gateway, gateway_id):
    """Return the snapshot or the error of a payment."""
    try:
        return gateway.fetch(gateway_id)
    except GatewayError as error:
        return error


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=9)], ids=["same_end", "later_end"])
def test_a_page_whose_answer_is_lost_is_found_with_the_same_key(fake, gateway, make, kind, later):
    fake.fault(kind, path="/v1/checkout/sessions", seconds=3)
    request = make()
    assert not fails(gateway.create_session, request).permanent
    session = gateway.create_session(make(expires_at=request.expires_at + later))
    (only,) = fake.account.all("checkout.session")
    assert (session.gateway_id, session.confirmation_url) == (only["id"], only["url"])


@pytest.mark.parametrize("kind", LOST)
def test_a_refund_whose_answer_is_lost_happens_once(fake, gateway, refund_request, kind):
    fake.fault(kind, path="/v1/refunds", method="POST", seconds=3)
    assert not fails(gateway.refund, refund_request).permanent
    refund = gateway.refund(refund_request)
    assert (refund.state, len(fake.account.all("refund"))) == (RefundState.SUCCEEDED, 1)
    assert fake.account.money()["eur"]["refund"] == -500


def test_a_refund_whose_key_is_forgotten_is_found_by_our_id(fake, gateway, refund_request):
    assert gateway.find_refund(refund_request) is None
    fake.fault(Fault.TIMEOUT_AFTER, path="/v1/refunds", seconds=3)
    assert not fails(gateway.refund, refund_request).permanent
    fake.forget_keys()
    found = gateway.find_refund(refund_request)
    assert (found.idempotency_key, found.amount) == ("ref_1", 500)
    assert len(fake.account.all("refund")) == 1


def test_a_refused_look_up_leaves_a_refund_open_whose_error_was_saved(fake, gateway, refund_request, monkeypatch):
    """The refund was made. Stripe repeats its error 500, and refuses the list in which it would be found."""
    fake.fault(Fault.ERROR_SAVED, path="/v1/refunds", method="POST")
    assert not fails(gateway.refund, refund_request).permanent

    def refuse(_intent, _request):
        raise stripe.InvalidRequestError("No such payment_intent", param="payment_intent")

    monkeypatch.setattr(stripe_gateway, "_find_refund", refuse)
    error = fails(gateway.refund, refund_request)
    assert (error.permanent, len(fake.account.all("refund"))) == (False, 1)


@pytest.mark.parametrize("kind", [each for each in LOST if each is not Fault.ERROR_SAVED])
def test_a_question_without_an_answer_is_not_permanent(fake, gateway, paid, kind):
    fake.fault(kind, seconds=3)
    assert not fails(gateway.fetch, paid).permanent
    assert gateway.fetch(paid).state is State.SUCCEEDED


@pytest.mark.parametrize("kind", LOST)
def test_a_page_whose_closing_gave_no_answer_is_closed_at_the_next_try(fake, gateway, make, kind):
    session = gateway.create_session(make())
    fake.fault(kind, path="/expire", seconds=3)
    assert not fails(gateway.cancel, session.gateway_id).permanent
    assert gateway.cancel(session.gateway_id).state is State.CANCELLED


def test_a_key_in_use_is_not_permanent_and_makes_no_second_page(fake, gateway, make):
    request = make()
    fake.fault(Fault.SLOW, path="/v1/checkout/sessions", seconds=1)
    answers = []
    first = threading.Thread(target=lambda: answers.append(gateway.create_session(request)))
    first.start()
    while not fake.requests:
        time.sleep(0.01)
    time.sleep(0.1)
    error = fails(gateway.create_session, request)
    first.join()
    assert (error.permanent, error.code) == (False, "idempotency_key_in_use")
    assert gateway.create_session(request) == answers[0]
    assert len(fake.account.all("checkout.session")) == 1


def test_words_that_nobody_knows_are_waited_for(fake, gateway, paid, refund_request):
    refund = gateway.refund(refund_request)
    dispute = fake.account.open_dispute(paid)
    fake.fault(Fault.UNKNOWN_STATUS, times=10)
    assert gateway.fetch(paid).state is State.UNRECOGNISED
    assert gateway.fetch_refund(refund.gateway_id).state is RefundState.PENDING
    assert gateway.fetch_dispute(dispute).state is DisputeState.OPEN


def test_fields_that_nobody_knows_are_ignored(fake, gateway, paid):
    fake.account.objects[paid]["brand_new"] = {"a": [None]}
    assert gateway.fetch(paid).state is State.SUCCEEDED


def test_a_hanging_gateway_is_left_at_the_deadline(fake, gateway, paid, refund_request):
    fake.fault(Fault.TIMEOUT_BEFORE, times=3, seconds=8)
    for call, argument in ((gateway.fetch, paid), (gateway.cancel, paid), (gateway.refund, refund_request)):
        began = time.monotonic()
        assert fails(call, argument).code == "APIConnectionError"
        assert time.monotonic() - began < 5


def test_a_body_that_drips_in_is_left_at_the_deadline(settings, gateway, paid, dripping):
    """Each byte comes in time, and the body would take a minute."""
    settings.STRIPE_API_BASE = dripping
    began = time.monotonic()
    assert fails(gateway.fetch, paid).code == "APIConnectionError"
    assert time.monotonic() - began < 5


def test_several_calls_share_one_deadline(fake, gateway, refund_request):
    """A refund asks for the session first. Each call takes 0.25 s here, so the second one has 0.15 s left of 0.4."""
    fake.fault(Fault.SLOW, times=2, seconds=0.25)
    assert not fails(gateway.refund, refund_request).permanent


def test_a_gateway_that_is_down_is_not_permanent(settings, gateway, paid):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    assert not fails(gateway.fetch, paid).permanent


def test_a_search_through_a_long_list_ends_at_the_deadline(fake, gateway, make):
    """Each page of the list takes 0.15 s, and the session of our key is on the eleventh."""
    gateway.create_session(make())
    for _ in range(1001):
        fake.account.open_session(
            {"mode": "payment", "line_items": [{"price_data": {"unit_amount": 100, "currency": "eur"}}]}, page=""
        )
    later = make(expires_at=datetime.now(UTC) + timedelta(hours=1))
    fake.fault(Fault.SLOW, method="GET", times=11, seconds=0.15)
    assert not fails(gateway.create_session, later).permanent
    # Within its 0.4 seconds it has not asked for all eleven pages.
    assert fake._faults
    fake.clear_faults()
    assert gateway.create_session(later).gateway_id == fake.account.all("checkout.session")[0]["id"]


@pytest.mark.parametrize("kind", ["checkout.session", "payment_intent", "charge", "balance_transaction"])
@pytest.mark.parametrize("value", [None, "", {}, []], ids=repr)
def test_a_field_without_sense_never_fails_or_invents_a_payment(fake, gateway, make, kind, value):
    session = gateway.create_session(make())
    fake.account.decline(session.gateway_id)
    for thing in fake.account.all(kind):
        # The fake itself needs `expires_at`.
        for name in thing.keys() - {"id", "object", "expires_at"}:
            kept, thing[name] = thing[name], value
            answer = answer_of(guarded(gateway), session.gateway_id)
            if isinstance(answer, GatewayError):
                assert not answer.permanent, name
            else:
                assert answer.state in (State.OPEN, State.UNRECOGNISED), name
                assert answer.amount is None
            thing[name] = kept
            cache.clear()


def test_a_list_that_breaks_off_raises(fake, gateway, paid):
    fake.fault(Fault.ERROR_BEFORE)
    now = datetime.now(UTC)
    with pytest.raises(GatewayError) as caught:
        list(gateway.list_payments(since=now - timedelta(days=1), until=now + timedelta(days=1)))
    assert not caught.value.permanent


class TestRefusedKey:
    """A key that was revoked says nothing about a payment: it must not be marked as failed."""

    @pytest.fixture(autouse=True)
    def _revoked(self, fake, paid, settings):
        settings.STRIPE_SECRET_KEY = "sk_test_" + "revoked" * 3

    def test_existing_payments_wait(self, gateway, paid, refund_request):
        for call, argument in (
            (gateway.fetch, paid), (gateway.cancel, paid), (gateway.refund, refund_request),
            (gateway.find_refund, refund_request), (gateway.fetch_method, "pm_1"),
        ):  # fmt: skip
            assert not fails(call, argument).permanent

    def test_a_new_payment_fails_at_once(self, gateway, make):
        assert fails(gateway.create_session, make(idempotency_key="pay_2")).permanent
