"""The API's messages follow `Accept-Language`, English by default. Codes and names stay the same."""

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
        ("post", ORDER, {"plan": "no"}, 400, "plan_not_found", "Тарифа 'no' нет."),
        ("post", ORDER, {"plan": "basic"}, 400, "currency_required", "Пришлите `currency`"),
        ("post", ORDER, {"plan": "basic", "currency": "JPY"}, 400, "plan_not_sold_in_currency", "продаётся в EUR, RUB"),
        ("post", ORDER, {}, 400, "validation_failed", "plan: Обязательное поле."),
        ("post", ORDER, {"plan": "basic", "plna": 1}, 400, "validation_failed", "plna: Неизвестное поле: plna."),
        ("post", CHECKOUT, {"plan": "basic", "currency": "RUB", "gateway": "x"}, 400, "unknown_gateway", "Шлюза 'x'"),
        ("get", "/api/payments/pay_nothing", None, 404, "not_found", "По этому адресу ничего не найдено"),
        ("get", "/api/nothing", None, 404, "not_found", "/api/nothing"),
    ],
)
def test_an_error_is_in_the_requested_language(as_alice, method, path, body, status, code, russian):
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


def test_refused_actions_are_explained_in_russian(as_alice, alice):
    subscription = orders.subscribe(alice, catalogue.current("basic", "RUB"), now=datetime.now(UTC))
    for action, russian in (
        ("pause", "Поставить на паузу можно только действующую подписку."),
        ("undo-cancel", "Отзывать нечего"),
        ("resume", "Возобновить можно только подписку на паузе."),
    ):
        answer = in_russian(as_alice, "post", f"{ORDER}{subscription.public_id}/{action}", {})
        assert answer.status_code == 409
        assert russian in answer.json()["detail"], action


def test_authentication_errors_are_in_the_requested_language():
    stranger = APIClient()
    assert in_russian(stranger, "get", "/api/wallet/").json()["title"] != stranger.get("/api/wallet/").json()["title"]
    stranger.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    assert in_russian(stranger, "get", "/api/wallet/").json()["detail"].startswith("Токен")


@pytest.mark.parametrize("header", [None, "", "de", "*", "de,fr;q=0.5", "x" * 600])
def test_other_languages_get_english(as_alice, header):
    headers = {} if header is None else {"HTTP_ACCEPT_LANGUAGE": header}
    answer = as_alice.get("/api/payments/?status=x", **headers)
    assert answer["Content-Language"] == "en"
    assert answer.json()["title"] == "The request has errors"


def test_a_callers_language_does_not_leak_into_the_next_request(as_alice, as_mallory):
    assert in_russian(as_alice, "get", "/api/payments/").json()["detail"] == "Платежи не найдены"
    assert as_mallory.get("/api/payments/").json()["detail"] == "No payments found"


def test_the_language_of_a_page_follows_its_url(client):
    assert client.get("/pricing/", HTTP_ACCEPT_LANGUAGE="ru")["Content-Language"] == "en"
    assert client.get("/ru/pricing/", HTTP_ACCEPT_LANGUAGE="en")["Content-Language"] == "ru"


def test_stored_data_does_not_depend_on_the_language(alice, mallory):
    """Reasons and events hold codes. Descriptions keep the plan's name as it was at payment."""
    stored = []
    for user, language in ((alice, "en"), (mallory, "ru")):
        pay_in(user, 1000_00, at=datetime.now(UTC))
        caller = logged_in(user)
        ordered = caller.post(ORDER, {"plan": "basic", "currency": "RUB"}, HTTP_ACCEPT_LANGUAGE=language)
        assert ordered.status_code == 201
        caller.post(f"{ORDER}{ordered.json()['id']}/cancel", {}, HTTP_ACCEPT_LANGUAGE=language)
        rows = Transaction.objects.filter(customer=user).order_by("id").values_list("reason", "description", "amount")
        events = Event.objects.filter(customer=user).order_by("id").values_list("type", "data")
        stored.append((list(rows), [(kind, sorted(data)) for kind, data in events]))
    assert stored[0] == stored[1]


def test_a_repeated_request_in_another_language_is_the_same_request(as_alice):
    """The stored answer is returned unchanged, and nothing is done twice."""
    body, key = {"plan": "basic", "currency": "RUB"}, {"HTTP_IDEMPOTENCY_KEY": "one-order"}
    first = as_alice.post(CHECKOUT, body, **key)
    again = in_russian(as_alice, "post", CHECKOUT, body, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert Payment.objects.count() == 1
    refused = as_alice.post(ORDER, {"plan": "no"}, HTTP_IDEMPOTENCY_KEY="two")
    assert in_russian(as_alice, "post", ORDER, {"plan": "no"}, HTTP_IDEMPOTENCY_KEY="two").json() == refused.json()


def test_a_payment_continues_in_another_language(as_alice, alice):
    subscription = orders.subscribe(alice, catalogue.current("basic", "RUB"), now=datetime.now(UTC))
    first = as_alice.post(CHECKOUT, {"subscription": subscription.public_id})
    again = in_russian(as_alice, "post", CHECKOUT, {"subscription": subscription.public_id})
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
