"""What goes wrong on the way to YooKassa and back, C12 to C16: nothing is paid or refunded twice, nothing hangs."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import structlog
import time_machine

from billing_site.local.fakes.faults import Fault
from billing_site.local.fakes.harness import Refused
from billing_site.local.fakes.server import as_json
from payments.gateways import guard
from payments.gateways.aftermath import RefundState
from payments.gateways.errors import GatewayError
from payments.gateways.guard import guarded
from payments.gateways.sessions import State

# The request has its effect, and its answer is lost or unreadable.
LOST = [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TRUNCATED, Fault.HTML]
# It has none.
REFUSED = [Fault.TIMEOUT_BEFORE, Fault.ERROR_BEFORE, Fault.RATE_LIMITED]


@pytest.fixture(autouse=True)
def _short_patience():
    with guard.within(1.5):
        yield


@pytest.mark.parametrize("fault", [*LOST, *REFUSED])
def test_a_page_whose_answer_was_lost_is_opened_once(gateway, fake, wanted, fault):
    request = wanted()
    fake.fault(fault, path="/v3/payments", method="POST", seconds=3)
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(request)
    assert not caught.value.permanent
    assert len(fake.shop.payments) == (fault in LOST)
    session = gateway.create_session(request)
    assert list(fake.shop.payments) == [session.gateway_id]


@pytest.mark.parametrize("fault", [*LOST, *REFUSED])
def test_a_refund_whose_answer_was_lost_is_found_after_its_key_is_forgotten(gateway, fake, refund_of, fault):
    request = refund_of()
    other = gateway.refund(refund_of(amount=1_00))
    fake.fault(fault, path="/v3/refunds", method="POST", seconds=3)
    with pytest.raises(GatewayError) as caught:
        gateway.refund(request)
    assert not caught.value.permanent
    fake.forget_keys()
    found = gateway.find_refund(request)
    if fault in LOST:
        assert found is not None
        assert (found.state, found.amount, found.idempotency_key) == (
            RefundState.SUCCEEDED, 342_00, request.idempotency_key,
        )  # fmt: skip
        assert found.gateway_id != other.gateway_id
    else:
        assert found is None


def test_a_request_in_progress_is_asked_again_with_the_same_key(gateway, fake, wanted):
    """YooKassa answers 202 while the first request with this key still runs."""
    request = wanted()
    fake.fault(Fault.SLOW, method="POST", seconds=1)
    with guard.within(0.3), pytest.raises(GatewayError, match="in time"):
        gateway.create_session(request)
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(request)
    assert (caught.value.permanent, caught.value.code) == (False, "processing")
    time.sleep(1)
    session = gateway.create_session(request)
    assert list(fake.shop.payments) == [session.gateway_id]


def test_a_payment_older_than_keys_live_is_looked_for_before_it_is_made_again(gateway, fake, wanted):
    request = wanted()
    fake.fault(Fault.ERROR_AFTER, method="POST")
    with pytest.raises(GatewayError):
        gateway.create_session(request)
    gateway.create_session(wanted())
    fake.forget_keys()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        session = gateway.create_session(request)
        assert fake.shop.payments[session.gateway_id]["metadata"] == {"payment_id": request.idempotency_key}
        assert len(fake.shop.payments) == 2
        # Its page is closed, so the customer goes to our own page of the payment.
        assert session.confirmation_url == request.return_url
        # One that was never made is made now.
        new = wanted()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=50)):
        gateway.create_session(new)
    assert len(fake.shop.payments) == 3


def test_a_saved_error_is_repeated_and_nothing_is_made_twice(gateway, fake, wanted):
    request = wanted()
    fake.fault(Fault.ERROR_SAVED, method="POST")
    for _ in range(2):
        with pytest.raises(GatewayError) as caught:
            gateway.create_session(request)
        assert not caught.value.permanent
    assert len(fake.shop.payments) == 1


def test_an_unknown_status_is_neither_success_nor_failure(gateway, fake, paid, refund_of):
    fake.fault(Fault.UNKNOWN_STATUS)
    with structlog.testing.capture_logs() as logs:
        snapshot = gateway.fetch(paid.gateway_id)
    assert (snapshot.state, snapshot.amount) == (State.UNRECOGNISED, None)
    assert logs[0]["event"] == "yookassa_status_unknown"
    refund = gateway.refund(refund_of())
    fake.fault(Fault.UNKNOWN_STATUS)
    assert gateway.fetch_refund(refund.gateway_id).state is RefundState.PENDING


@pytest.mark.parametrize(
    "change",
    [
        {"amount": None}, {"amount": {"value": 1342, "currency": "RUB"}},
        {"amount": {"value": "1e3", "currency": "RUB"}}, {"amount": {"value": "10.001", "currency": "RUB"}},
        {"amount": {"value": "1.00", "currency": "XXX"}},
        {"amount": ["1.00"]}, {"status": None}, {"status": 7}, {"id": "another"}, {"id": None},
    ],
)  # fmt: skip
def test_an_object_that_makes_no_sense_leaves_the_outcome_open(gateway, fake, paid, change):
    fake.shop.payments[paid.gateway_id] |= change
    with pytest.raises(GatewayError) as caught:
        gateway.fetch(paid.gateway_id)
    assert (caught.value.permanent, caught.value.code) == (False, "unreadable")


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": None}, {"metadata": "x"}, {"payment_method": {"saved": True}}, {"income_amount": "x"},
        {"income_amount": {"value": "NaN", "currency": "RUB"}}, {"income_amount": {"value": "1.00", "currency": "EUR"}},
        {"payment_method": None}, {"payment_method": {"saved": True, "id": "m"}},
        {"cancellation_details": None}, {"created_at": "yesterday"}, {"created_at": None}, {"new_field": {"a": [1]}},
    ],
)  # fmt: skip
def test_what_is_missing_or_new_elsewhere_does_not_matter(gateway, fake, paid, change):
    fake.shop.payments[paid.gateway_id] |= change
    assert gateway.fetch(paid.gateway_id).amount == 1342_00


@pytest.mark.parametrize("items", [None, {}, ["x"], [None]])
def test_a_list_without_items_is_no_empty_list(gateway, fake, monkeypatch, items):
    monkeypatch.setattr(fake, "_list", lambda name, request: as_json({"type": "list", "items": items}))
    now = datetime.now(UTC)
    with pytest.raises(GatewayError, match="list without items"):
        list(gateway.list_payments(since=now, until=now))


def test_a_list_that_begins_again_ends(gateway, fake, monkeypatch):
    monkeypatch.setattr(fake, "_list", lambda name, request: as_json({"items": [], "next_cursor": "a"}))
    now = datetime.now(UTC)
    with pytest.raises(GatewayError, match="begins again"):
        list(gateway.list_payments(since=now, until=now))


def test_wrong_keys_are_loud_but_not_the_payments_fault(gateway, wanted, settings):
    settings.YOOKASSA_SECRET_KEY = "test_another"
    with structlog.testing.capture_logs() as logs, pytest.raises(GatewayError) as caught:
        gateway.create_session(wanted())
    assert (caught.value.permanent, caught.value.code) == (False, "invalid_credentials")
    assert [(each["event"], each["log_level"]) for each in logs] == [("yookassa_refused_our_key", "error")]
    assert "test_another" not in str(logs) + caught.value.detail


def test_a_key_without_a_right_says_nothing_about_what_was_asked_for(gateway, fake, paid, refund_of, monkeypatch):
    """A forbidden question is asked again. What a forbidden request should have made does not exist."""
    made = gateway.refund(refund_of())

    def forbid(_request):
        raise Refused(as_json({"type": "error", "code": "forbidden", "description": "No right"}, status=403))

    monkeypatch.setattr(fake, "_check_credentials", forbid)
    now = datetime.now(UTC)
    for ask in (
        lambda: gateway.fetch(paid.gateway_id), lambda: gateway.fetch_refund(made.gateway_id),
        lambda: gateway.find_refund(refund_of()), lambda: list(gateway.list_payments(since=now, until=now)),
    ):  # fmt: skip
        with structlog.testing.capture_logs() as logs, pytest.raises(GatewayError) as caught:
            ask()
        assert (caught.value.permanent, caught.value.code) == (False, "forbidden")
        assert [each["event"] for each in logs] == ["yookassa_refused_our_key"]
    with pytest.raises(GatewayError) as caught:
        gateway.refund(refund_of())
    assert (caught.value.permanent, caught.value.code) == (True, "forbidden")


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"return_url": "not a url"}, "confirmation.return_url"),
        ({"currency": "EUR"}, "amount.currency"),
        ({"customer": "c" * 201}, "merchant_customer_id"),
    ],
)
def test_a_refusal_names_what_is_wrong_and_is_final(gateway, settings, wanted, change, parameter):
    # The fake's shop has no euros.
    settings.YOOKASSA_CURRENCIES = ["RUB", "EUR"]
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(wanted(**change))
    assert (caught.value.permanent, caught.value.code) == (True, "invalid_request")
    assert parameter in caught.value.detail


def test_a_shop_that_may_not_keep_methods_is_refused_for_good(gateway, fake, wanted, settings):
    settings.YOOKASSA_SAVES_METHODS, fake.shop.saves_methods = True, False
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(wanted(save_method=True))
    assert (caught.value.permanent, caught.value.code) == (True, "forbidden")


def test_a_server_that_is_not_there_leaves_the_outcome_open(gateway, wanted, settings):
    # No server listens on port 9.
    settings.YOOKASSA_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(wanted())
    assert (caught.value.permanent, caught.value.code) == (False, "no_answer")


def test_no_call_waits_longer_than_its_deadline(gateway, fake, wanted):
    for fault in (Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.SLOW):
        fake.fault(fault, seconds=8)
        begin = time.monotonic()
        with guard.within(0.4), pytest.raises(GatewayError):
            gateway.create_session(wanted())
        assert time.monotonic() - begin < 5


def test_an_answer_that_drips_is_cut_off_at_the_deadline(gateway, dripping, settings):
    """Each byte comes within the time-out, but the whole body would take a minute."""
    settings.YOOKASSA_API_BASE = dripping
    begin = time.monotonic()
    with guard.within(0.5), pytest.raises(GatewayError, match="in time"):
        gateway.fetch("any")
    assert time.monotonic() - begin < 10


def test_behind_the_guard_every_failure_is_a_gateway_error(gateway, fake, paid):
    behind = guarded(gateway)
    assert behind.fetch(paid.gateway_id).state is State.SUCCEEDED
    fake.fault(Fault.HTML)
    with pytest.raises(GatewayError):
        behind.fetch(paid.gateway_id)
