"""POST and GET /api/payments/{id}/refunds."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from core.ids import new_id
from payments.models import Payment, Refund
from subscriptions import catalogue, orders
from subscriptions.models import Price
from tests.payments.api.calls import problem
from tests.payments.checkouts import start
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(staff: User) -> APIClient:
    """A member of staff who may refund."""
    staff.user_permissions.add(Permission.objects.get(codename="refund_payment"))
    client = APIClient()
    client.force_authenticate(staff)
    return client


def url(payment: Payment) -> str:
    return f"/api/payments/{payment.public_id}/refunds"


def refund(desk: APIClient, payment: Payment, body: dict[str, Any]) -> Any:
    """Ask for a refund with a key of its own."""
    return desk.post(url(payment), body, headers={"Idempotency-Key": new_id("key")})


def test_staff_refund_the_whole_payment_to_the_card(desk: APIClient, paid: Payment, alice: User, staff: User) -> None:
    answer = refund(desk, paid, {"reason": "Ordered by mistake"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["status"], body["destination"], body["payment"]) == ("succeeded", "card", paid.public_id)
    assert body["amount"] == {"value": "1000.00", "currency": "RUB"}
    assert (body["reason"], Refund.objects.get().author, balance(alice)) == ("Ordered by mistake", staff, 0)


@pytest.mark.parametrize("amount", ["250.00", {"value": "250", "currency": "RUB"}])
def test_a_part_is_refunded_to_the_wallet(desk: APIClient, paid: Payment, alice: User, amount: object) -> None:
    answer = refund(desk, paid, {"amount": amount, "destination": "wallet"})
    assert (answer.status_code, answer.json()["amount"]["value"]) == (201, "250.00")
    assert balance(alice) == 1250_00


def test_no_more_than_is_left_is_refunded(desk: APIClient, paid: Payment) -> None:
    refund(desk, paid, {"amount": "900"})
    answer = refund(desk, paid, {"amount": "100.01"})
    assert problem(answer) == (409, "refund_refused", ["amount"])
    assert answer.json()["refundable"] == {"value": "100.00", "currency": "RUB"}


def test_spent_money_cannot_leave_the_wallet(desk: APIClient, paid: Payment, alice: User, basic: Price) -> None:
    orders.subscribe(alice, catalogue.current("basic", "RUB"), now=timezone.now())
    answer = refund(desk, paid, {})
    assert problem(answer)[:2] == (402, "insufficient_funds")
    assert not Refund.objects.exists()


def test_a_payment_that_is_not_confirmed_is_refused(desk: APIClient, alice: User) -> None:
    answer = refund(desk, start(alice, amount=500_00, currency="RUB"), {})
    assert problem(answer)[:2] == (409, "refund_refused")
    assert answer.json()["state"] == "pending"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"amount": {"value": "1", "currency": "EUR"}}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"destination": "bank"}, "destination"),
        ({"reason": "x" * 201}, "reason"),
        ({"sum": "1"}, "sum"),
    ],
)
def test_a_malformed_request_is_refused(desk: APIClient, paid: Payment, body: dict[str, Any], param: str) -> None:
    assert problem(refund(desk, paid, body)) == (400, "validation_failed", [param])


def test_the_same_request_refunds_once(desk: APIClient, paid: Payment, alice: User) -> None:
    answers = [desk.post(url(paid), {"amount": "100"}, headers={"Idempotency-Key": "r-1"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert (Refund.objects.count(), balance(alice)) == (1, 900_00)


def test_a_request_without_a_key_refunds_nothing(desk: APIClient, paid: Payment, alice: User) -> None:
    """Sent twice, because an answer was lost, it would refund twice."""
    assert problem(desk.post(url(paid), {"amount": "100"})) == (400, "idempotency_key_required", ["Idempotency-Key"])
    assert (Refund.objects.count(), balance(alice)) == (0, 1000_00)


def test_a_customer_sees_her_refunds_and_makes_none(
    api: APIClient, mallory_api: APIClient, desk: APIClient, paid: Payment
) -> None:
    made = refund(desk, paid, {"amount": "100"}).json()
    assert api.get(url(paid)).json()["results"] == [made]
    assert problem(api.post(url(paid), {}))[:2] == (403, "permission_denied")
    assert mallory_api.get(url(paid)).status_code == mallory_api.post(url(paid), {}).status_code == 404
    assert Refund.objects.count() == 1


def test_the_payment_shows_what_came_in_and_went_back(api: APIClient, desk: APIClient, paid: Payment) -> None:
    made = refund(desk, paid, {"amount": "100"}).json()
    body = api.get(f"/api/payments/{paid.public_id}").json()
    assert (body["amount_received"]["value"], body["amount_refunded"]["value"]) == ("1000.00", "100.00")
    assert (body["refunds"], body["disputes"]) == ([made], [])


def test_staff_see_the_refunds_of_any_customer(desk: APIClient, paid: Payment) -> None:
    made = refund(desk, paid, {"amount": "100"}).json()
    assert desk.get(url(paid)).json()["results"] == [made]
