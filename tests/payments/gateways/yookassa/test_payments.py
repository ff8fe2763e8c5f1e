import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from payments.gateways.errors import GatewayError
from payments.gateways.sessions import State


def only_body(fake, path="/v3/payments"):
    """Return the body of the only POST to this path."""
    [sent] = [each for each in fake.requests if each.method == "POST" and each.path == path]
    return json.loads(sent.body)


def test_a_page_is_opened_with_everything_that_yookassa_should_know(gateway, fake, wanted):
    request = wanted()
    session = gateway.create_session(request)
    assert only_body(fake) == {
        "amount": {"value": "1342.00", "currency": "RUB"},
        "capture": True,
        "confirmation": {"type": "redirect", "return_url": "https://shop.example/pay/1/", "locale": "ru_RU"},
        "description": "Standard, a month",
        "metadata": {"payment_id": request.idempotency_key},
        "merchant_customer_id": "cus_1",
    }
    assert fake.requests[0].headers["idempotence-key"] == request.idempotency_key
    assert session.confirmation_url == f"{fake.url}/page/{session.gateway_id}"
    # YooKassa ends the page itself, an hour after the payment was made.
    assert timedelta(minutes=59) < session.expires_at - datetime.now(UTC) < timedelta(minutes=61)


@pytest.mark.parametrize(
    ("language", "locale"), [("ru", "ru_RU"), ("ru-ru", "ru_RU"), ("en", "en_US"), ("de", "en_US")]
)
def test_the_page_is_in_the_customers_language(gateway, fake, wanted, language, locale):
    gateway.create_session(wanted(language=language))
    assert only_body(fake)["confirmation"]["locale"] == locale


def test_a_long_description_is_shortened_to_128_characters(gateway, fake, wanted):
    gateway.create_session(wanted(description="д" * 200))
    assert only_body(fake)["description"] == "д" * 127 + "…"


def test_what_is_blank_is_not_sent(gateway, fake, wanted):
    gateway.create_session(wanted(description="", customer="", email=""))
    assert set(only_body(fake)) == {"amount", "capture", "confirmation", "metadata"}


def test_a_new_page_is_open_and_nothing_is_taken(gateway, wanted):
    snapshot = gateway.fetch(gateway.create_session(wanted()).gateway_id)
    assert (snapshot.state, snapshot.amount, snapshot.currency, snapshot.fee) == (State.OPEN, None, None, None)


@pytest.mark.parametrize(
    ("amount", "currency", "text", "fee"),
    # The fake keeps 3.5 %, rounded to the currency's decimals: 46.97, 0.035 -> 0.04, 46.97 -> 47, 0.04697 -> 0.047.
    [
        (1342_00, "RUB", "1342.00", 46_97),
        (1_00, "RUB", "1.00", 4),
        (1342, "JPY", "1342", 47),
        (1342, "KWD", "1.342", 47),
    ],
)
def test_amounts_are_exact_decimals_of_their_currency(gateway, fake, wanted, amount, currency, text, fee):
    session = gateway.create_session(wanted(amount=amount, currency=currency))
    assert only_body(fake)["amount"] == {"value": text, "currency": currency}
    fake.pay(session.gateway_id)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.amount, snapshot.currency) == (State.SUCCEEDED, amount, currency)
    assert (snapshot.fee, snapshot.fee_currency) == (fee, currency)


def test_a_fee_is_unknown_until_yookassa_tells_it(gateway, fake, wanted):
    session = gateway.create_session(wanted())
    fake.pay(session.gateway_id, fee=False)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.fee, snapshot.fee_currency) == (State.SUCCEEDED, None, "")


def test_another_amount_than_asked_for_is_reported_as_taken(gateway, fake, wanted):
    session = gateway.create_session(wanted())
    fake.pay(session.gateway_id, amount="671.00")
    assert gateway.fetch(session.gateway_id).amount == 671_00


@pytest.mark.parametrize(
    ("reason", "state", "code"),
    [
        ("insufficient_funds", State.FAILED, "insufficient_funds"),
        ("3d_secure_failed", State.FAILED, "3d_secure_failed"),
        ("a_new_reason", State.FAILED, "a_new_reason"),
        ("expired_on_confirmation", State.EXPIRED, ""),
        ("canceled_by_merchant", State.CANCELLED, ""),
    ],
)
def test_the_reason_tells_how_a_cancelled_payment_ended(gateway, fake, wanted, reason, state, code):
    session = gateway.create_session(wanted())
    fake.decline(session.gateway_id, reason=reason)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.failure_code, snapshot.amount) == (state, code, None)


def test_a_page_expires_after_an_hour(gateway, fake, wanted):
    session = gateway.create_session(wanted())
    fake.advance(seconds=3601)
    assert gateway.fetch(session.gateway_id).state is State.EXPIRED


def test_a_payment_that_waits_for_capture_is_processing(gateway, fake, wanted):
    session = gateway.create_session(wanted())
    fake.shop.payments[session.gateway_id]["_capture"] = False
    fake.pay(session.gateway_id)
    assert gateway.fetch(session.gateway_id).state is State.PROCESSING


def test_cancelling_closes_nothing_and_returns_the_state(gateway, fake, wanted):
    session = gateway.create_session(wanted())
    assert not gateway.can.cancels_pages
    assert gateway.cancel(session.gateway_id).state is State.OPEN
    fake.pay(session.gateway_id)
    assert gateway.cancel(session.gateway_id).state is State.SUCCEEDED
    assert [each.method for each in fake.requests] == ["POST", "GET", "GET"]


def test_the_same_key_gives_the_same_page_and_one_payment(gateway, fake, wanted):
    request = wanted()
    assert gateway.create_session(request) == gateway.create_session(request)
    assert len(fake.shop.payments) == 1


def test_a_key_reused_for_another_amount_is_refused_for_good(gateway, wanted):
    request = wanted()
    gateway.create_session(request)
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(replace(request, amount=1))
    assert caught.value.permanent


def test_an_unknown_id_is_refused_for_good(gateway):
    for call in (gateway.fetch, gateway.cancel, gateway.fetch_refund, gateway.fetch_method, gateway.fetch_dispute):
        with pytest.raises(GatewayError) as caught:
            call("none_such")
        assert caught.value.permanent


def test_an_id_cannot_lead_to_another_path(gateway, fake):
    with pytest.raises(GatewayError):
        gateway.fetch("../refunds?x=1#")
    assert fake.requests[-1].path == "/v3/payments/..%2Frefunds%3Fx%3D1%23"


def test_a_method_is_kept_only_if_the_shop_may_and_the_customer_agreed(gateway, fake, wanted, settings):
    assert not gateway.can.saves_methods
    gateway.create_session(wanted(save_method=True))
    assert "save_payment_method" not in json.loads(fake.requests[-1].body)
    settings.YOOKASSA_SAVES_METHODS = True
    assert gateway.can.saves_methods
    gateway.create_session(wanted())
    assert "save_payment_method" not in json.loads(fake.requests[-1].body)
    gateway.create_session(wanted(save_method=True))
    assert json.loads(fake.requests[-1].body)["save_payment_method"] is True


def test_a_kept_card_is_reported_with_its_last_day(gateway, fake, wanted, settings):
    settings.YOOKASSA_SAVES_METHODS = True
    session = gateway.create_session(wanted(save_method=True))
    assert gateway.fetch(session.gateway_id).method is None
    fake.pay(session.gateway_id)
    method = gateway.fetch(session.gateway_id).method
    assert method is not None
    assert (method.brand, method.last4, method.is_kept) == ("MIR", "0004", True)
    assert method.expires_on == datetime(2030, 12, 31, tzinfo=UTC)
    assert gateway.fetch_method(method.gateway_id) == method
    fake.shop.methods[method.gateway_id]["status"] = "inactive"
    assert not gateway.fetch_method(method.gateway_id).is_kept


def test_a_method_that_is_not_kept_is_not_reported(gateway, fake, wanted):
    session = gateway.create_session(wanted())
    fake.pay(session.gateway_id, kind="sbp")
    assert gateway.fetch(session.gateway_id).method is None


def test_payments_of_a_span_are_listed_page_by_page(gateway, fake, wanted):
    """Three pages of 100: the list has 250 payments, 50 more are older or newer."""
    begin = datetime.now(UTC).replace(microsecond=0)
    session = gateway.create_session(wanted())
    pattern = fake.shop.payments.pop(session.gateway_id)
    for number in range(-25, 275):
        at = begin.timestamp() + number
        created = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        own = {"metadata": {"payment_id": f"pay_{number}"}, "_at": at, "created_at": created}
        fake.shop.payments[f"id{number}"] = pattern | {"id": f"id{number}"} | own
    listed = list(gateway.list_payments(since=begin, until=begin + timedelta(seconds=250)))
    assert sorted(int(each.idempotency_key.removeprefix("pay_")) for each in listed) == list(range(250))
    assert {each.created_at for each in listed} == {begin + timedelta(seconds=number) for number in range(250)}
    assert sum(each.method == "GET" for each in fake.requests) == 3


def test_there_are_no_payouts(gateway):
    now = datetime.now(UTC)
    assert list(gateway.list_payouts(since=now, until=now)) == []


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        (["pay"], State.SUCCEEDED),
        (["sbp"], State.SUCCEEDED),
        (["3ds", "pay"], State.SUCCEEDED),
        (["3ds", "refuse"], State.FAILED),
        (["decline"], State.FAILED),
        (["expire"], State.EXPIRED),
        (["leave"], State.OPEN),
    ],
)
def test_a_visitor_of_the_page_decides_how_it_ends(gateway, wanted, steps, state):
    session = gateway.create_session(wanted())
    assert "1342.00 RUB" in requests.get(session.confirmation_url, timeout=5).text
    for step in steps:
        answer = requests.post(f"{session.confirmation_url}/{step}", timeout=5, allow_redirects=False)
    assert answer.headers["Location"] == "https://shop.example/pay/1/"
    assert gateway.fetch(session.gateway_id).state is state
