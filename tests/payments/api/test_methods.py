"""GET /api/payment-methods/ and DELETE /api/payment-methods/{id}."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from payments import confirmation
from payments.gateways.sandbox.models import SandboxMethod
from payments.models import PaymentMethod
from tests.payments.api.calls import problem
from tests.payments.checkouts import start

pytestmark = pytest.mark.django_db
LIST = "/api/v1/payment-methods/"


@pytest.fixture
def method(alice: User, choose: Callable[..., Any]) -> PaymentMethod:
    """Alice's saved card."""
    payment = start(alice, amount=1000_00, currency="RUB", save_method=True)
    choose(payment, "succeeds")
    confirmation.confirm(payment.pk, now=timezone.now())
    return PaymentMethod.objects.get()


def test_a_customer_sees_what_they_know_the_card_by_and_no_more(api: APIClient, method: PaymentMethod) -> None:
    [shown] = api.get(LIST).json()["results"]
    assert method.expires_on is not None
    assert shown == {
        "id": method.public_id, "gateway": "sandbox", "brand": "Visa", "last4": "4242",
        "expires_on": method.expires_on.date().isoformat(), "created_at": shown["created_at"],
    }  # fmt: skip


def test_an_empty_list_says_so(api: APIClient) -> None:
    assert api.get("/api/payment-methods").json() == {
        "detail": "No saved payment methods", "results": [], "next": None, "previous": None,
    }  # fmt: skip


def test_a_removed_method_is_not_listed_any_more(api: APIClient, method: PaymentMethod) -> None:
    for _ in range(2):
        answer = api.delete(f"{LIST}{method.public_id}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert api.get(LIST).json()["results"] == []
    assert not SandboxMethod.objects.get().is_kept


def test_a_method_of_somebody_else_is_not_found(mallory_api: APIClient, method: PaymentMethod) -> None:
    assert mallory_api.get(LIST).json()["results"] == []
    theirs, none = (mallory_api.delete(f"{LIST}{name}/") for name in (method.public_id, "pm_none"))
    assert problem(theirs) == problem(none) == (404, "not_found", [])
    method.refresh_from_db()
    assert method.removed_at is None


def test_nobody_in_particular_is_refused(method: PaymentMethod) -> None:
    assert APIClient().get(LIST).status_code == 401
    assert APIClient().delete(f"{LIST}{method.public_id}/").status_code == 401


def test_an_unknown_filter_is_an_error(api: APIClient) -> None:
    assert problem(api.get(LIST, {"brand": "Visa"}))[2] == ["brand"]
    assert problem(api.get(LIST, {"limit": "0"}))[2] == ["limit"]


def test_a_method_is_not_read_or_changed_one_by_one(api: APIClient, method: PaymentMethod) -> None:
    for call in (api.get, api.post, api.patch):
        assert call(f"{LIST}{method.public_id}/").status_code == 405
