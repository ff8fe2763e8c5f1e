"""Errors of the payments API for unknown ids and invalid filters."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.subscriptions.shop import client

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(alice: User) -> APIClient:
    return client(alice)


@pytest.mark.parametrize(
    ("path", "param"),
    [("confirm-payment", "payment_id"), ("cancel-payment", "payment_id"), ("create-checkout-session", "subscription")],
)
def test_an_unknown_id_in_the_body_is_an_error_of_its_parameter(api: APIClient, path: str, param: str) -> None:
    answer = api.post(f"/api/payments/{path}", {param: "pay_nothing1"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    [error] = answer.json()["errors"]
    assert error["param"] == param
    assert "lists your" in error["detail"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("status=x", "Allowed: pending, unknown, confirmed,"),
        ("created_after=yesterday", "Use this format: 2026-03-01T00:00:00Z. You sent: yesterday"),
        ("limit=0", "limit must be from 1 to 100. You sent 0."),
    ],
)
def test_an_invalid_filter_says_what_can_be_sent(api: APIClient, query: str, detail: str) -> None:
    answer = api.get(f"/api/payments/?{query}")
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["param"] == query.partition("=")[0]
    assert detail in error["detail"]


def test_an_invalid_boolean_says_what_can_be_sent(api: APIClient) -> None:
    answer = api.post("/api/payments/create-checkout-session", {"plan": "basic", "auto_renew": "maybe"})
    [error] = answer.json()["errors"]
    assert error["param"] == "auto_renew"
    assert "Allowed: true, false. You sent: maybe" in error["detail"]
