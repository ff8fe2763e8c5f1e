from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from core.models import IdempotencyKey
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment
from subscriptions.models import Price, Subscription
from tests.payments.api.calls import CANCEL, CHECKOUT, LIST, TOP_UP, problem
from tests.payments.faulty_gateway import Unsteady
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db

# Checkout


def test_a_checkout_returns_the_payment_and_where_to_pay(api: APIClient, alice: User, basic: Price) -> None:
    answer = api.post(CHECKOUT, {"plan": "basic"})
    payment, subscription = Payment.objects.get(), Subscription.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": payment.public_id,
        "status": "pending",
        "amount": {"value": "990.00", "currency": "RUB"},
        "description": "Basic",
        "plan": "basic",
        "subscription": subscription.public_id,
        "change": None,
        "gateway": "sandbox",
        "confirmation_url": f"http://127.0.0.1:8000/sandbox/pay/{payment.gateway_id}/",
        "expires_at": answer.json()["expires_at"],
        "created_at": answer.json()["created_at"],
        "confirmed_at": None,
        "save_method": False,
        "amount_received": None,
        "amount_refunded": {"value": "0.00", "currency": "RUB"},
        "refunds": [],
        "disputes": [],
        "failure": None,
        "parked": False,
        "closing": False,
        "success_url": "",
        "cancel_url": "",
        "client_reference_id": "",
        "metadata": {},
    }
    assert payment.customer == subscription.customer == alice
    assert answer.json()["created_at"].endswith("Z")


def test_the_gateways_page_and_the_return_url_are_in_the_customers_language(
    api: APIClient, alice: User, basic: Price
) -> None:
    User.objects.filter(pk=alice.pk).update(language="ru")
    alice.refresh_from_db()
    for body, url in (({"plan": "basic"}, CHECKOUT), ({"value": "100", "currency": "RUB"}, TOP_UP)):
        made = api.post(url, body).json()
        session = SandboxSession.objects.get(idempotency_key=made["id"])
        assert (session.language, session.return_url.split("/")[-4:]) == ("ru", ["ru", "pay", made["id"], ""])


def test_the_terms_are_applied_and_priced(api: APIClient, basic: Price) -> None:
    terms = {"plan": "basic", "currency": "RUB", "periods": 3, "quantity": 2, "auto_renew": False}
    # 990.00 x 3 x 2 = 5940.00
    assert api.post(CHECKOUT, terms).json()["amount"]["value"] == "5940.00"
    subscription = Subscription.objects.get()
    assert (subscription.periods, subscription.quantity, subscription.auto_renew) == (3, 2, False)


def test_a_first_trial_is_not_paid_for(api: APIClient, alice: User) -> None:
    sell("trial", RUB=500_00, trial_days=14)
    answer = api.post(CHECKOUT, {"plan": "trial"})
    assert problem(answer) == (409, "nothing_to_pay", [])
    assert "14 days" in answer.json()["detail"]
    assert "POST /api/subscriptions/" in answer.json()["detail"]
    assert not Payment.objects.exists()
    assert not Subscription.objects.exists()
    # Subscribed as the error says, it starts at once without a payment. A second one has no trial and must be paid for.
    assert api.post("/api/subscriptions/", {"plan": "trial"}).json()["status"] == "trialing"
    again = api.post(CHECKOUT, {"plan": "trial"})
    assert (again.status_code, again.json()["amount"]["value"]) == (201, "500.00")


@pytest.mark.parametrize("amount", ["990.00", "990", {"value": "990.00", "currency": "RUB"}, {"value": "990"}])
def test_the_right_amount_is_accepted(api: APIClient, basic: Price, amount: Any) -> None:
    assert api.post(CHECKOUT, {"plan": "basic", "amount": amount}).status_code == 201


@pytest.mark.parametrize("amount", ["989.99", "990.01", "0", "-990.00", "1", "0.01"])
def test_any_other_amount_is_refused(api: APIClient, basic: Price, amount: str) -> None:
    answer = api.post(CHECKOUT, {"plan": "basic", "amount": amount})
    assert problem(answer) == (400, "amount_mismatch", ["amount"])
    assert "990.00 RUB" in answer.json()["detail"]
    assert answer.json()["due"] == {"value": "990.00", "currency": "RUB"}
    assert not Payment.objects.exists()


INVALID_AMOUNTS: list[Any] = [
    "NaN", "Infinity", "1e3", "1_000", "+1", " 990", "٩٩٠", "990,00", "0x10", "", "990.001", "9" * 26, "9" * 5000,
    None, True, [], {}, {"value": {}}, {"value": "1", "extra": 1}, {"value": "1", "currency": 5}, {"currency": "RUB"},
]  # fmt: skip


@pytest.mark.parametrize("amount", INVALID_AMOUNTS)
def test_an_invalid_amount_is_an_error_of_that_field(api: APIClient, basic: Price, amount: Any) -> None:
    answer = api.post(CHECKOUT, {"plan": "basic", "amount": amount})
    assert problem(answer) == (400, "validation_failed", ["amount"])
    assert not Payment.objects.exists()


@pytest.mark.parametrize("number", ["1342.005", "1e3", "1E400", "0.1e1", "9" * 30, "-0.00"])
def test_inexact_numbers_are_refused(api: APIClient, number: str) -> None:
    body = f'{{"value": {number}, "currency": "RUB"}}'
    answer = api.generic("POST", TOP_UP, body, content_type="application/json")
    assert answer.status_code == 400
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("body", "params"),
    [
        ({}, ["plan"]),
        ({"plan": "basic", "subscription": "sub_1"}, ["plan"]),
        ({"plan": "basic", "price": 1}, ["price"]),
        ({"plan": "basic", "customer": 1, "status": "confirmed"}, ["customer", "status"]),
        ({"plan": "basic", "periods": 0}, ["periods"]),
        ({"plan": "basic", "quantity": 1_000_001}, ["quantity"]),
        ({"plan": "basic", "auto_renew": "perhaps"}, ["auto_renew"]),
        ({"plan": "basic", "currency": "EUR", "amount": {"value": "1", "currency": "RUB"}}, ["currency"]),
        ({"subscription": "sub_1", "quantity": 2}, ["quantity"]),
        ({"plan": ["basic"]}, ["plan"]),
        ([], [None]),
        ("basic", [None]),
    ],
)
def test_errors_name_the_wrong_fields(api: APIClient, basic: Price, body: Any, params: list[str | None]) -> None:
    status, code, named = problem(api.post(CHECKOUT, body))
    assert (status, code) == (400, "validation_failed")
    assert sorted(map(str, named)) == sorted(map(str, params))
    assert not Payment.objects.exists()


@pytest.mark.parametrize("plan", ["none", "basic\u202e", "../basic", "x" * 61])
def test_a_plan_that_is_not_on_sale_is_refused(api: APIClient, basic: Price, plan: str) -> None:
    answer = api.post(CHECKOUT, {"plan": plan})
    assert answer.status_code in (400, 404)
    assert problem(answer)[2] == ["plan"]


def test_an_unknown_gateway_is_refused(api: APIClient, basic: Price) -> None:
    assert problem(api.post(CHECKOUT, {"plan": "basic", "gateway": "acme"})) == (400, "unknown_gateway", ["gateway"])


def test_another_customers_subscription_is_not_found(api: APIClient, mallory_api: APIClient, basic: Price) -> None:
    subscription = api.post(CHECKOUT, {"plan": "basic"}).json()["subscription"]
    theirs = mallory_api.post(CHECKOUT, {"subscription": subscription})
    absent = mallory_api.post(CHECKOUT, {"subscription": "sub_absent"})
    assert theirs.status_code == absent.status_code == 404
    assert theirs.json() | {"request_id": ""} == absent.json() | {"request_id": ""}


def test_a_cancelled_subscription_cannot_be_paid_for(api: APIClient, basic: Price) -> None:
    first = api.post(CHECKOUT, {"plan": "basic"}).json()
    api.post(CANCEL, {"payment_id": first["id"]})
    assert problem(api.post(CHECKOUT, {"subscription": first["subscription"]}))[:2] == (409, "subscription_not_waiting")


def test_an_existing_payment_id_is_refused(api: APIClient, mallory_api: APIClient, basic: Price) -> None:
    body = {"plan": "basic", "payment_id": "pay_order_0001"}
    assert api.post(CHECKOUT, body).json()["id"] == "pay_order_0001"
    assert problem(api.post(CHECKOUT, body)) == (409, "duplicate_payment", ["payment_id"])
    assert Payment.objects.count() == Subscription.objects.count() == 1
    # It is the customer's own: another one neither learns of it nor is kept from using it.
    assert mallory_api.post(CHECKOUT, body).json()["id"] == "pay_order_0001"
    for client, owner in ((api, "alice"), (mallory_api, "mallory")):
        assert client.get(f"{LIST}pay_order_0001").status_code == 200
        payment = client.post(CANCEL, {"payment_id": "pay_order_0001"}).json()
        assert Payment.objects.get(status="cancelled", customer__username=owner).reference == payment["id"]


def test_the_same_key_replays_the_answer_and_makes_one_payment(api: APIClient, basic: Price) -> None:
    first, again = (api.post(CHECKOUT, {"plan": "basic"}, headers={"idempotency-key": "k1"}) for _ in range(2))
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Payment.objects.count() == 1
    other = api.post(CHECKOUT, {"plan": "basic", "periods": 2}, headers={"idempotency-key": "k1"})
    assert problem(other)[:2] == (422, "idempotency_key_reused")


def test_the_same_key_continues_after_an_outage_of_the_gateway(
    api: APIClient, basic: Price, unsteady: type[Unsteady]
) -> None:
    unsteady.break_after = 1
    first = api.post(CHECKOUT, {"plan": "basic"}, headers={"idempotency-key": "k1"})
    assert problem(first)[:2] == (503, "unavailable")
    assert "Retry-After" in first
    again = api.post(CHECKOUT, {"plan": "basic"}, headers={"idempotency-key": "k1"})
    assert again.status_code == 201
    assert again.json()["id"] == first.json()["payment_id"]
    assert SandboxSession.objects.count() == Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (TOP_UP, {"value": "900.00", "currency": "RUB"}),
        (TOP_UP, {"value": "100.00", "currency": "EUR"}),
        (TOP_UP, {"value": "100.00", "currency": "RUB", "description": "other"}),
        (CHECKOUT, {"plan": "basic"}),
    ],
)
@pytest.mark.parametrize("forgotten", [False, True])
def test_a_key_never_returns_the_payment_of_another_request(
    api: APIClient, basic: Price, unsteady: type[Unsteady], url: str, body: dict[str, str], forgotten: bool
) -> None:
    """Neither after a 503 nor after the key was deleted, as it is after 30 days (`forgotten`)."""
    unsteady.break_before = 1
    body_sent, key = {"value": "100.00", "currency": "RUB"}, {"idempotency-key": "k1"}
    first = api.post(TOP_UP, body_sent, headers=key)
    assert problem(first)[:2] == (503, "unavailable")
    if forgotten:
        IdempotencyKey.objects.all().delete()
    assert problem(api.post(url, body, headers=key)) == (422, "idempotency_key_reused", ["Idempotency-Key"])
    again = api.post(TOP_UP, body_sent, headers=key)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["payment_id"])
    assert Payment.objects.count() == 1


# Top-up


@pytest.mark.parametrize("url", [TOP_UP, TOP_UP + "/", LIST, "/api/payments", "/api/v1/payments/", "/api/payment"])
def test_a_top_up_returns_the_payment_and_where_to_pay(api: APIClient, url: str) -> None:
    body = '{"value": 1342.00, "currency": "RUB", "description": "Заказ № 7"}'
    answer = api.generic("POST", url, body, content_type="application/json")
    assert answer.status_code == 201
    made = answer.json()
    assert made["amount"] == {"value": "1342.00", "currency": "RUB"}
    assert (made["status"], made["description"], made["plan"], made["subscription"]) == (
        "pending",
        "Заказ № 7",
        None,
        None,
    )
    assert made["confirmation_url"]
    assert Payment.objects.get(public_id=made["id"]).amount == 1342_00


@pytest.mark.parametrize(
    ("body", "code", "params"),
    [
        ({"value": "99.99", "currency": "RUB"}, "validation_failed", ["value"]),
        ({"value": "1000000.01", "currency": "RUB"}, "validation_failed", ["value"]),
        ({"value": "100.001", "currency": "RUB"}, "validation_failed", ["value"]),
        ({"value": "100"}, "validation_failed", ["currency"]),
        ({"currency": "RUB"}, "validation_failed", ["value"]),
        ({"value": "100", "currency": "XAU"}, "currency_not_taken", ["currency"]),
        ({"value": "100", "currency": "rub"}, "currency_not_taken", ["currency"]),
        ({"value": "100", "currency": "РУБ"}, "currency_not_taken", ["currency"]),
        ({"value": "ten", "currency": "XXX"}, "currency_not_taken", ["currency"]),
        ({"value": "ten"}, "validation_failed", ["value", "currency"]),
        ({"value": "100", "currency": "RUB", "balance": 5}, "validation_failed", ["balance"]),
        ({"value": "100", "currency": "RUB", "description": "x" * 201}, "validation_failed", ["description"]),
        ({"value": "100", "currency": "RUB", "description": "a\nb"}, "validation_failed", ["description"]),
        ({"value": {"value": "100", "currency": "RUB"}, "currency": "RUB"}, "validation_failed", ["value"]),
    ],
)
def test_an_invalid_top_up_names_the_error(api: APIClient, body: dict[str, Any], code: str, params: list[str]) -> None:
    assert problem(api.post(TOP_UP, body)) == (400, code, params)
    assert not Payment.objects.exists()
