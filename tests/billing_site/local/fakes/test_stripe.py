"""The fake Stripe is as strict as Stripe: what it answers, refuses, repeats and sends."""

import json
import time
from collections.abc import Iterator

import pytest
import requests
import stripe

from billing_site.local.fakes import sender
from billing_site.local.fakes.server import Answer, Request, Server
from billing_site.local.fakes.stripe.api import FakeStripe
from payments.gateways.stripe.client import API_VERSION
from tests.web import button_address

SDK_CLASSES = {
    "checkout.session": stripe.checkout.Session, "payment_intent": stripe.PaymentIntent, "charge": stripe.Charge,
    "balance_transaction": stripe.BalanceTransaction, "refund": stripe.Refund, "dispute": stripe.Dispute,
    "payment_method": stripe.PaymentMethod, "payout": stripe.Payout, "event": stripe.Event,
    "customer": stripe.Customer,
}  # fmt: skip


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    with FakeStripe() as running:
        yield running
    assert running.crashes == []


class Receiver:
    """A site that takes webhooks; it answers with the next of `statuses`, then with 200."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.statuses: list[int] = []
        self.server = Server(0, self.respond)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/stripe/"

    def respond(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer(status=self.statuses.pop(0) if self.statuses else 200)

    def types(self) -> list[str]:
        return [json.loads(each.body)["type"] for each in self.requests]


@pytest.fixture
def receiver(monkeypatch) -> Iterator[Receiver]:
    monkeypatch.setattr(sender, "BACK_OFF", (0.05, 0.05, 0.05))
    taking = Receiver()
    with taking.server.serving():
        yield taking


def post(fake, path, data=None, **headers):
    known = {"Authorization": f"Bearer {fake.key}", "Stripe-Version": API_VERSION}
    sent = {name: value for name, value in (known | headers).items() if value}
    return requests.post(f"{fake.url}{path}", data=data or {}, headers=sent, timeout=5)


def page_data(**changes):
    given = {
        "mode": "payment", "success_url": "https://shop.example/paid", "cancel_url": "https://shop.example/back",
        "client_reference_id": "pay_1", "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur", "line_items[0][price_data][unit_amount]": "1999",
        "line_items[0][price_data][product_data][name]": "Standard",
    }  # fmt: skip
    return {name: value for name, value in (given | changes).items() if value is not None}


def open_page(fake, **changes):
    return post(fake, "/v1/checkout/sessions", page_data(**changes)).json()


def error_of(answer):
    error = answer.json()["error"]
    return answer.status_code, error.get("code"), error.get("param")


def test_every_object_has_only_fields_that_the_sdk_knows(fake):
    session = open_page(fake, customer_creation="always", **{"payment_intent_data[setup_future_usage]": "off_session"})
    fake.account.pay(session["id"])
    fake.account.refund({"payment_intent": fake.account.objects[session["id"]]["payment_intent"], "amount": 1})
    fake.account.open_dispute(session["id"], amount=5)
    fake.account.pay_out("eur")
    seen = {each["object"] for each in fake.account.objects.values()}
    assert seen == SDK_CLASSES.keys()
    for each in fake.account.objects.values():
        assert each.keys() - SDK_CLASSES[each["object"]].__annotations__.keys() == set(), each["object"]


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "code", "param"),
        [
            ({"line_item[0][quantity]": "1"}, "parameter_unknown", "line_item"),
            ({"line_items[0][oops]": "1"}, "parameter_unknown", "line_items[0][oops]"),
            ({"api_key": "x"}, "parameter_unknown", "api_key"),
            ({"payment_method_types[0]": "card"}, "payment_method_types_no_longer_supported", "payment_method_types"),
            ({"line_items[0][price_data][unit_amount]": "19.99"}, "parameter_invalid", None),
            ({"line_items[0][price_data][currency]": None}, "parameter_missing", None),
            ({"line_items[0][price_data][unit_amount]": "49"}, "amount_too_small", None),
            ({"line_items[0][price_data][unit_amount]": "100000000"}, "amount_too_large", None),
            ({"mode": None}, "parameter_missing", "mode"),
        ],
    )
    def test_parameters(self, fake, changes, code, param):
        status, its_code, its_param = error_of(post(fake, "/v1/checkout/sessions", page_data(**changes)))
        assert (status, its_code) == (400, code)
        assert param in (None, its_param)

    @pytest.mark.parametrize("seconds", [0, 29 * 60, 25 * 3600])
    def test_a_page_that_lives_too_short_or_too_long(self, fake, seconds):
        end = str(int(time.time()) + seconds)
        assert error_of(post(fake, "/v1/checkout/sessions", page_data(expires_at=end)))[2] == "expires_at"

    def test_another_key_and_another_version(self, fake):
        assert post(fake, "/v1/refunds", Authorization="Bearer sk_test_other").status_code == 401
        assert post(fake, "/v1/refunds", Authorization="").status_code == 401
        assert post(fake, "/v1/refunds", **{"Stripe-Version": "2020-08-27"}).status_code == 400

    def test_unknown_paths_and_objects(self, fake):
        assert post(fake, "/v1/brand_new").status_code == 404
        assert error_of(post(fake, "/v1/refunds", {"payment_intent": "pi_none"}))[:2] == (404, "resource_missing")

    def test_paying_a_closed_page(self, fake):
        session = open_page(fake)
        assert post(fake, f"/v1/checkout/sessions/{session['id']}/expire").json()["status"] == "expired"
        assert post(fake, f"/v1/checkout/sessions/{session['id']}/expire").status_code == 400
        answer = requests.post(button_address(session["url"], "pay"), timeout=5, allow_redirects=False)
        assert "expired" in answer.text
        assert fake.account.money() == {}


class TestKeys:
    KEY = {"Idempotency-Key": "pay_1"}

    def test_the_same_request_is_repeated_and_says_so(self, fake):
        first = post(fake, "/v1/checkout/sessions", page_data(), **self.KEY)
        again = post(fake, "/v1/checkout/sessions", page_data(), **self.KEY)
        assert first.json() == again.json()
        assert [each.headers.get("Idempotent-Replayed") for each in (first, again)] == [None, "true"]

    def test_another_body_is_refused(self, fake):
        post(fake, "/v1/checkout/sessions", page_data(), **self.KEY)
        answer = post(fake, "/v1/checkout/sessions", page_data(locale="ru"), **self.KEY)
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")

    def test_a_request_with_invalid_parameters_leaves_the_key_free(self, fake):
        assert post(fake, "/v1/checkout/sessions", page_data(oops="1"), **self.KEY).status_code == 400
        assert post(fake, "/v1/checkout/sessions", page_data(), **self.KEY).status_code == 200

    def test_a_forgotten_key_makes_a_second_page(self, fake):
        first = post(fake, "/v1/checkout/sessions", page_data(), **self.KEY).json()
        fake.forget_keys()
        assert post(fake, "/v1/checkout/sessions", page_data(), **self.KEY).json()["id"] != first["id"]


class TestPage:
    @pytest.mark.parametrize(
        ("buttons", "leads_to", "status"),
        [
            (["pay"], "https://shop.example/paid", "complete"),
            (["ask_bank", "pay"], "https://shop.example/paid", "complete"),
            (["decline", "pay"], "https://shop.example/paid", "complete"),
            (["ask_bank", "refuse"], None, "open"),
            (["decline"], None, "open"),
            (["pay_later"], "https://shop.example/paid", "complete"),
            (["cancel"], "https://shop.example/back", "open"),
        ],
    )
    def test_its_buttons(self, fake, buttons, leads_to, status):
        session = open_page(fake)
        assert "1999 EUR" in requests.get(session["url"], timeout=5).text
        for button in buttons:
            answer = requests.post(button_address(session["url"], button), timeout=5, allow_redirects=False)
        assert answer.headers.get("Location") == leads_to
        assert fake.account.objects[session["id"]]["status"] == status

    def test_nobody_pays_twice(self, fake):
        session = open_page(fake)
        for _ in range(3):
            requests.post(button_address(session["url"], "pay"), timeout=5, allow_redirects=False)
        assert fake.account.money()["eur"]["charge"] == 1999

    def test_it_expires_by_its_own_clock(self, fake):
        session = open_page(fake)
        fake.advance(seconds=86401)
        requests.post(button_address(session["url"], "pay"), timeout=5, allow_redirects=False)
        assert fake.account.objects[session["id"]]["status"] == "expired"


class TestWebhooks:
    PAID = ["payment_intent.succeeded", "charge.succeeded", "checkout.session.completed"]

    @pytest.fixture
    def fake(self, receiver) -> Iterator[FakeStripe]:
        with FakeStripe(webhook_url=receiver.url) as running:
            yield running
        assert running.crashes == []

    def test_they_are_signed_as_the_sdk_expects(self, fake, receiver):
        fake.account.pay(open_page(fake)["id"])
        fake.webhooks.settle()
        assert receiver.types() == self.PAID
        for each in receiver.requests:
            assert stripe.Webhook.construct_event(each.body, each.headers["stripe-signature"], fake.secret).id

    def test_they_are_sent_until_they_are_taken(self, fake, receiver):
        receiver.statuses = [500, 404, 302]
        fake.account.pay(open_page(fake)["id"])
        fake.webhooks.settle()
        assert sorted(set(receiver.types())) == sorted(self.PAID)
        assert len(receiver.requests) == 6

    def test_out_of_order_and_twice_on_command(self, fake, receiver):
        session = open_page(fake)
        fake.webhooks.hold()
        fake.account.pay(session["id"])
        fake.webhooks.settle()
        assert receiver.requests == []
        fake.webhooks.release(order="reversed", copies=2)
        fake.webhooks.settle()
        assert receiver.types() == [kind for kind in reversed(self.PAID) for _ in range(2)]

    def test_lost_on_command_and_sent_again(self, fake, receiver):
        fake.webhooks.hold()
        fake.account.pay(open_page(fake)["id"])
        fake.webhooks.release(drop=True)
        fake.send_again()
        fake.webhooks.settle()
        assert receiver.types() == self.PAID


class TestControl:
    def control(self, fake, command, **arguments):
        return requests.post(f"{fake.url}/_control/{command}", json=arguments, timeout=5)

    def test_faults_and_acts_over_http(self, fake):
        session = open_page(fake)
        self.control(fake, "fault", kind="rate_limited", path="/v1/refunds")
        assert post(fake, "/v1/refunds").status_code == 429
        assert self.control(fake, "pay", session=session["id"]).json() == {"result": None}
        assert self.control(fake, "money").json()["result"]["eur"]["charge"] == 1999
        assert self.control(fake, "open_dispute", payment=session["id"]).json()["result"].startswith("du_")

    @pytest.mark.parametrize(("command", "status"), [("brand_new", 404), ("pay", 400), ("fault", 400)])
    def test_mistakes_are_told(self, fake, command, status):
        assert self.control(fake, command, kind="x", session="y").status_code == status

    def test_a_form_of_a_browser_commands_nothing(self, fake):
        session = open_page(fake)
        answer = requests.post(f"{fake.url}/_control/pay", data={"session": session["id"]}, timeout=5)
        assert answer.status_code == 404


def test_it_listens_on_this_machine_only(fake):
    assert fake._server.socket.getsockname()[0] == "127.0.0.1"
