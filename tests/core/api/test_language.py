"""What the API says in words is in the language of `Accept-Language`, English without one; codes and names are not."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from billing_site.demo import plans
from events.models import Event
from ledger.models import Transaction
from payments.models import Payment
from subscriptions import catalogue, orders
from tests.core.api.conftest import logged_in
from tests.subscriptions.shop import pay_in

ORDER, CHECKOUT = "/api/subscriptions/", "/api/payments/create-checkout-session"


@pytest.fixture(autouse=True)
def _plans(db: None) -> None:
    plans.put_on_sale(now=datetime.now(UTC))


def in_russian(caller: APIClient, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return getattr(caller, method)(path, body, HTTP_ACCEPT_LANGUAGE="ru-RU,ru;q=0.9,en;q=0.5", **headers)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "russian"),
    [
        ("post", ORDER, {"plan": "no"}, 404, "plan_not_found", "Тарифа 'no' в продаже нет"),
        ("post", ORDER, {"plan": "basic"}, 400, "currency_required", "Пришлите `currency`"),
        ("post", ORDER, {"plan": "basic", "currency": "JPY"}, 400, "plan_not_sold_in_currency", "продаётся в EUR, RUB"),
        ("post", ORDER, {}, 400, "validation_failed", "plan: Обязательное поле."),
        ("post", ORDER, {"plan": "basic", "plna": 1}, 400, "validation_failed", "plna: Поле plna"),
        ("post", CHECKOUT, {"plan": "basic", "currency": "RUB", "gateway": "x"}, 400, "unknown_gateway", "Шлюза 'x'"),
        ("get", "/api/payments/pay_nothing", None, 404, "not_found", "По этому адресу ничего не нашлось"),
        ("get", "/api/nothing", None, 404, "not_found", "/api/nothing"),
    ],
)
def test_an_error_says_it_in_the_language_asked_for(as_alice, method, path, body, status, code, russian):
    english, answer = getattr(as_alice, method)(path, body), in_russian(as_alice, method, path, body)
    assert (english.status_code, answer.status_code) == (status, status)
    assert english.json()["code"] == answer.json()["code"] == code
    assert russian in answer.json()["detail"]
    assert answer.json()["title"] != english.json()["title"]
    assert answer.json()["detail"] != english.json()["detail"]
    assert english.json()["detail"].isascii()
    assert (answer["Content-Language"], english["Content-Language"]) == ("ru", "en")
    assert "Accept-Language" in answer["Vary"]
    assert "Accept-Language" in english["Vary"]


def test_what_the_rules_refuse_is_told_in_russian_too(as_alice, alice):
    mine = orders.subscribe(alice, catalogue.current("basic", "RUB"), now=datetime.now(UTC))
    for action, russian in (
        ("pause", "Поставить на паузу можно только действующую подписку."),
        ("undo-cancel", "Отменять нечего"),
        ("resume", "Возобновить можно только подписку на паузе."),
    ):
        answer = in_russian(as_alice, "post", f"{ORDER}{mine.public_id}/{action}", {})
        assert answer.status_code == 409
        assert russian in answer.json()["detail"], action


def test_nobody_and_a_wrong_token_are_answered_in_the_language_asked_for():
    stranger = APIClient()
    assert in_russian(stranger, "get", "/api/wallet/").json()["title"] != stranger.get("/api/wallet/").json()["title"]
    stranger.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    assert in_russian(stranger, "get", "/api/wallet/").json()["detail"].startswith("Токен")


@pytest.mark.parametrize("asked", [None, "", "de", "*", "de,fr;q=0.5", "x" * 600])
def test_english_is_for_everybody_else(as_alice, asked):
    headers = {} if asked is None else {"HTTP_ACCEPT_LANGUAGE": asked}
    answer = as_alice.get("/api/payments/?status=x", **headers)
    assert answer["Content-Language"] == "en"
    assert answer.json()["title"] == "The request has errors"


def test_one_callers_language_is_not_the_next_ones(as_alice, as_mallory):
    assert in_russian(as_alice, "get", "/api/payments/").json()["detail"] == "Платежей не найдено"
    assert as_mallory.get("/api/payments/").json()["detail"] == "No payments found"


def test_a_page_goes_by_its_address_alone(client):
    assert client.get("/pricing/", HTTP_ACCEPT_LANGUAGE="ru")["Content-Language"] == "en"
    assert client.get("/ru/pricing/", HTTP_ACCEPT_LANGUAGE="en")["Content-Language"] == "ru"


def test_what_is_written_down_is_the_same_in_either_language(alice, mallory):
    """Reasons and events hold codes. A plan's name and the word for a top-up stay as they were when it was paid."""
    told = []
    for user, language in ((alice, "en"), (mallory, "ru")):
        pay_in(user, 1000_00, at=datetime.now(UTC))
        caller = logged_in(user)
        ordered = caller.post(ORDER, {"plan": "basic", "currency": "RUB"}, HTTP_ACCEPT_LANGUAGE=language)
        assert ordered.status_code == 201
        caller.post(f"{ORDER}{ordered.json()['id']}/cancel", {}, HTTP_ACCEPT_LANGUAGE=language)
        rows = Transaction.objects.filter(customer=user).order_by("id").values_list("reason", "description", "amount")
        events = Event.objects.filter(customer=user).order_by("id").values_list("type", "data")
        told.append((list(rows), [(kind, sorted(data)) for kind, data in events]))
    assert told[0] == told[1]


def test_a_request_sent_again_in_another_language_is_the_same_request(as_alice):
    """The answer that was kept comes back as it was, and nothing is done twice."""
    body, key = {"plan": "basic", "currency": "RUB"}, {"HTTP_IDEMPOTENCY_KEY": "one-order"}
    first = as_alice.post(CHECKOUT, body, **key)
    again = in_russian(as_alice, "post", CHECKOUT, body, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert Payment.objects.count() == 1
    refused = as_alice.post(ORDER, {"plan": "no"}, HTTP_IDEMPOTENCY_KEY="two")
    assert in_russian(as_alice, "post", ORDER, {"plan": "no"}, HTTP_IDEMPOTENCY_KEY="two").json() == refused.json()


def test_a_payment_begun_in_one_language_goes_on_in_another(as_alice, alice):
    mine = orders.subscribe(alice, catalogue.current("basic", "RUB"), now=datetime.now(UTC))
    first = as_alice.post(CHECKOUT, {"subscription": mine.public_id})
    again = in_russian(as_alice, "post", CHECKOUT, {"subscription": mine.public_id})
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
