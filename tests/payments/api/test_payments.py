import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from payments import checkout
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment
from subscriptions.models import Price, Subscription
from tests.payments.api.calls import CANCEL, CHECKOUT, CONFIRM, LIST, TOP_UP, problem
from tests.payments.rows import balance, times_credited

pytestmark = pytest.mark.django_db

# Confirm


@pytest.mark.parametrize("slash", ["", "/"])
def test_confirm_credits_a_paid_payment_once(
    api: APIClient, alice: User, choose: Callable[..., Any], slash: str
) -> None:
    made = api.post(TOP_UP, {"value": "100", "currency": "RUB"}).json()
    payment = Payment.objects.get()
    choose(payment, "webhook_lost")
    for _ in range(2):
        answer = api.post(CONFIRM + slash, {"payment_id": made["id"]})
        assert (answer.status_code, answer.json()["status"]) == (200, "confirmed")
    assert answer.json()["confirmed_at"]
    assert (balance(alice), times_credited(payment)) == (100_00, 1)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (None, "pending"),
        ("insufficient_funds", "failed"),
        ("cancel", "cancelled"),
        ("times_out", "unknown"),
        ("wrong_amount", "unknown"),
    ],
)
def test_confirm_of_an_unpaid_payment_is_refused_with_its_state(
    api: APIClient, alice: User, choose: Callable[..., Any], outcome: str | None, state: str
) -> None:
    made = api.post(TOP_UP, {"value": "100", "currency": "RUB"}).json()
    if outcome:
        choose(Payment.objects.get(), outcome)
    answer = api.post(CONFIRM, {"payment_id": made["id"]})
    assert problem(answer)[:2] == (409, "payment_not_confirmed")
    assert answer.json()["state"] == state
    assert balance(alice) == 0


def test_a_failure_has_a_text_and_a_parked_payment_is_marked(api: APIClient, choose: Callable[..., Any]) -> None:
    for outcome in ("expired_card", "wrong_amount"):
        made = api.post(TOP_UP, {"value": "100", "currency": "RUB"}).json()
        choose(Payment.objects.get(public_id=made["id"]), outcome)
        api.post(CONFIRM, {"payment_id": made["id"]})
    parked, failed = api.get(LIST).json()["results"]
    assert failed["failure"] == {"code": "expired_card", "detail": "The card has expired. Try another card."}
    assert (parked["parked"], parked["failure"], failed["parked"]) == (True, None, False)


def test_only_staff_see_a_suspicion_of_fraud(api: APIClient, choose: Callable[..., Any]) -> None:
    made = api.post(TOP_UP, {"value": "100", "currency": "RUB"}).json()
    choose(Payment.objects.get(), "insufficient_funds")
    SandboxSession.objects.update(failure_code="stolen_card")
    api.post(CONFIRM, {"payment_id": made["id"]})
    answer = api.get(f"{LIST}{made['id']}")
    assert answer.json()["failure"]["code"] == "declined"
    assert "stolen" not in answer.content.decode()
    assert Payment.objects.get().failure_code == "stolen_card"


# Cancel


@pytest.mark.parametrize("slash", ["", "/"])
def test_cancel_cancels_with_us_and_at_the_gateway(api: APIClient, basic: Price, slash: str) -> None:
    made = api.post(CHECKOUT + slash, {"plan": "basic"}).json()
    answer = api.post(CANCEL + slash, {"payment_id": made["id"]})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert SandboxSession.objects.get().status == "cancelled"
    assert Subscription.objects.get().status == "cancelled"
    again = api.post(CANCEL + slash, {"payment_id": made["id"]})
    assert problem(again) == (409, "payment_not_pending", ["payment_id"])
    assert again.json()["state"] == "cancelled"


def test_cancel_of_a_payment_already_paid_confirms_it(api: APIClient, alice: User, choose: Callable[..., Any]) -> None:
    made = api.post(TOP_UP, {"value": "100", "currency": "RUB"}).json()
    choose(Payment.objects.get(), "webhook_lost")
    answer = api.post(CANCEL, {"payment_id": made["id"]})
    assert (answer.status_code, answer.json()["state"]) == (409, "confirmed")
    assert balance(alice) == 100_00


# Whose


@pytest.mark.parametrize("url", [CONFIRM, CANCEL])
def test_mallory_cannot_confirm_or_cancel_alices_payments(api: APIClient, mallory_api: APIClient, url: str) -> None:
    made = api.post(TOP_UP, {"value": "100", "currency": "RUB"}).json()
    theirs, absent = (mallory_api.post(url, {"payment_id": name}) for name in (made["id"], "pay_absent"))
    assert theirs.status_code == absent.status_code == 404
    assert theirs.json() | {"request_id": ""} == absent.json() | {"request_id": ""}
    assert Payment.objects.get().status == "pending"


def test_mallory_cannot_see_alices_payments(api: APIClient, mallory_api: APIClient, basic: Price) -> None:
    made = api.post(CHECKOUT, {"plan": "basic"}).json()
    theirs, absent = mallory_api.get(f"{LIST}{made['id']}"), mallory_api.get(f"{LIST}pay_absent")
    assert theirs.status_code == absent.status_code == 404
    assert theirs.json() | {"request_id": ""} == absent.json() | {"request_id": ""}
    assert mallory_api.get(LIST).json()["results"] == []
    answers = set()
    for public_id in (made["subscription"], "sub_absent"):
        refused = mallory_api.get(LIST, {"subscription": public_id})
        answers.add((refused.status_code, str(refused.json()["errors"]).replace(public_id, "")))
    [(status, _errors)] = answers
    assert status == 400


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("get", LIST),
        ("post", LIST),
        ("get", LIST + "pay_1"),
        ("post", CHECKOUT),
        ("post", CONFIRM),
        ("post", CANCEL),
        ("post", TOP_UP),
    ],
)
def test_every_endpoint_needs_authentication(client: Any, method: str, url: str) -> None:
    assert getattr(client, method)(url, content_type="application/json").status_code == 401


# List


def test_an_empty_list_has_a_detail(api: APIClient) -> None:
    answer = api.get(LIST)
    assert answer.status_code == 200
    assert answer.json() == {"results": [], "next": None, "previous": None, "detail": "No payments found"}


def test_the_list_is_newest_first_in_pages(api: APIClient) -> None:
    made = [api.post(TOP_UP, {"value": f"{100 + n}", "currency": "RUB"}).json()["id"] for n in range(5)]
    seen, url = [], LIST + "?limit=2"
    while url:
        page = api.get(url).json()
        assert "detail" not in page
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert seen == made[::-1]


def test_the_list_can_be_filtered(api: APIClient, basic: Price) -> None:
    bought = api.post(CHECKOUT, {"plan": "basic"}).json()
    topped = api.post(TOP_UP, {"value": "100", "currency": "RUB"}).json()
    api.post(CANCEL, {"payment_id": topped["id"]})

    def ids(**filters: str) -> list[str]:
        return [row["id"] for row in api.get(LIST, filters).json()["results"]]

    assert ids(status="cancelled") == [topped["id"]]
    assert ids(plan="basic") == ids(subscription=bought["subscription"]) == [bought["id"]]
    assert ids(created_after=topped["created_at"]) == [topped["id"]]
    assert ids(created_before=topped["created_at"]) == [bought["id"]]
    assert ids(status="pending", plan="basic") == [bought["id"]]


@pytest.mark.parametrize(
    "query",
    ["status=paid", "plan=none", "state=pending", "created_after=yesterday", "limit=0", "limit=101", "cursor=xyz",
     "customer=1", "status=pending&status=failed", "plan__code=basic", "order_by=amount"],
)  # fmt: skip
def test_an_unknown_or_invalid_filter_is_an_error(api: APIClient, query: str) -> None:
    assert api.get(f"{LIST}?{query}").status_code == 400


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_payment_is_returned_by_its_id(api: APIClient, slash: str) -> None:
    made = api.post(TOP_UP, {"value": "100", "currency": "RUB"}).json()
    assert api.get(f"{LIST}{made['id']}{slash}").json() == made


@pytest.mark.parametrize("name", ["0", "-1", "9" * 30, "pay_%00", "..%2f", "PAY_1"])
def test_a_malformed_id_is_not_found(api: APIClient, name: str) -> None:
    assert api.get(f"{LIST}{name}").status_code == 404


def test_a_list_takes_few_queries_however_long_it_is(
    api: APIClient, alice: User, basic: Price, django_assert_max_num_queries: Any
) -> None:
    for quantity in range(1, 6):
        checkout.start(alice, now=timezone.now(), plan="basic", quantity=quantity)
    with django_assert_max_num_queries(6):
        assert len(json.loads(api.get(LIST).content)["results"]) == 5
