"""/api/subscriptions/: creating and showing subscriptions."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from core.models import IdempotencyKey
from subscriptions import billing_run, overview
from subscriptions.api.serializers import AccessSerializer
from subscriptions.models import Charge, Subscription
from tests.subscriptions.api.store import ALL, order
from tests.subscriptions.shop import START, client, params, pay_in, sell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(START, tick=False)
    sell("basic", RUB=990_00, EUR=9_99)
    sell("premium", RUB=2990_00, EUR=29_99)
    sell("vm", RUB=1_00, interval="hour", metered=True)
    sell("try", RUB=500_00, trial_days=14)
    sell("hidden", is_public=False, RUB=1_00)


def test_a_subscription_covered_by_the_wallet_starts_at_once(alice: User) -> None:
    pay_in(alice, 2000_00)
    answer = order(alice, plan="basic", currency="RUB", duration=2)
    assert answer.status_code == 201
    body = answer.json()
    made = body.pop("id")
    assert made.startswith("sub_")
    assert body == {
        "plan": "basic", "status": "active", "access": True, "quantity": 1, "periods": 2, "auto_renew": True,
        "price": {"amount": {"value": "990.00", "currency": "RUB"}, "interval": "month", "interval_count": 1,
                  "billing": "advance", "trial_days": 0, "trial_quantity_max": 10, "grace_days": 0, "keep_days": 30,
                  "can_pause": True, "can_refund_unused": True, "version": 1},
        "cancel_at_period_end": False, "scheduled_plan": None, "scheduled_quantity": None,
        # Two months from 1 March.
        "current_period": {"start": "2026-03-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"},
        # 990.00 x 2 periods.
        "next_charge": {"at": "2026-05-01T00:00:00Z", "amount": {"value": "1980.00", "currency": "RUB"}},
        "trial_end": None, "grace_end": None, "wait_end": None, "created_at": "2026-03-01T00:00:00Z",
        "started_at": "2026-03-01T00:00:00Z", "ended_at": None, "next": None,
    }  # fmt: skip
    # 2000.00 - 1980.00
    assert client(alice).get("/api/wallet/").json()["results"] == [
        {"currency": "RUB", "balance": "20.00", "available": "20.00", "debt": "0.00", "runway": {
            "ends_at": "2026-05-01T00:00:00Z", "hours_left": 61 * 24,
            "ends": [{"subscription": made, "plan": "basic"}],
        }}
    ]  # fmt: skip


def test_an_unpaid_subscription_is_pending_and_says_how_to_pay(alice: User) -> None:
    answer = order(alice, plan="basic", currency="RUB")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["status"], body["access"], body["started_at"]) == ("pending", False, None)
    assert body["next"] == {
        "action": "create-checkout-session", "method": "POST", "url": "/api/payments/create-checkout-session",
        "body": {"subscription": body["id"]},
    }  # fmt: skip
    assert not Charge.objects.exists()


def test_a_trial_needs_no_money_and_is_given_only_once(alice: User) -> None:
    first = order(alice, plan="try").json()
    assert (first["status"], first["trial_end"], first["access"]) == ("trialing", "2026-03-15T00:00:00Z", True)
    assert first["next_charge"] == {"at": "2026-03-15T00:00:00Z", "amount": {"value": "500.00", "currency": "RUB"}}
    assert order(alice, plan="try").json()["status"] == "pending"


def test_the_currency_is_required_only_if_there_is_a_choice(alice: User) -> None:
    answer = order(alice, plan="basic")
    assert (answer.status_code, answer.json()["code"], params(answer)) == (400, "currency_required", ["currency"])
    assert (
        order(alice, plan="vm").status_code == 201
    )  # sold in roubles only, which is now the currency of her only wallet
    assert order(alice, plan="basic").json()["price"]["amount"]["currency"] == "RUB"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "plan"), ({"plan": None}, "plan"), ({"plan": ""}, "plan"), ({"plan": ["basic"]}, "plan"),
        ({"plan": "p" * 61}, "plan"), ({"plan": "basic", "price": 1}, "price"),
        ({"plan": "basic", "amount": "0.01"}, "amount"), ({"plan": "basic", "status": "active"}, "status"),
        ({"plan": "basic", "customer": 1}, "customer"), ({"plan": "basic", "currency": "ROUBLES"}, "currency"),
        ({"plan": "basic", "quantity": 0}, "quantity"), ({"plan": "basic", "quantity": -1}, "quantity"),
        ({"plan": "basic", "quantity": 1.5}, "quantity"), ({"plan": "basic", "quantity": 10**30}, "quantity"),
        ({"plan": "basic", "quantity": True}, "quantity"), ({"plan": "basic", "quantity": "1_0"}, "quantity"),
        ({"plan": "basic", "periods": 0}, "periods"), ({"plan": "basic", "periods": 10**12}, "periods"),
        ({"plan": "basic", "duration": -3}, "duration"), ({"plan": "basic", "duration": {}}, "duration"),
        ({"plan": "basic", "periods": 1, "duration": 1}, "duration"),
        ({"plan": "basic", "auto_renew": "perhaps"}, "auto_renew"),
        ({"plan": "basic", "auto_renew": None}, "auto_renew"),
    ],
)  # fmt: skip
def test_errors_name_the_wrong_fields(alice: User, body: dict[str, Any], param: str) -> None:
    answer = order(alice, **body)
    assert (answer.status_code, params(answer)) == (400, [param])
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("body", ["[]", '"basic"', "1", "null", "", "{", '{"plan": "basic", "plan": "vm"}', "\xff"])
def test_a_body_that_is_not_an_object_is_refused(alice: User, body: str) -> None:
    answer = client(alice).generic("POST", ALL, body, content_type="application/json")
    assert answer.status_code == 400
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("code", ["hidden", "nothing", "'; drop table"])
def test_a_plan_not_on_sale_cannot_be_ordered(alice: User, code: str) -> None:
    answer = order(alice, plan=code)
    assert (answer.status_code, answer.json()["code"], params(answer)) == (400, "plan_not_found", ["plan"])


def test_the_error_for_a_wrong_currency_names_the_right_ones(alice: User) -> None:
    answer = order(alice, plan="basic", currency="JPY")
    assert (answer.status_code, answer.json()["code"]) == (400, "plan_not_sold_in_currency")
    assert "EUR, RUB" in answer.json()["detail"]


def test_an_order_over_the_largest_amount_is_refused(alice: User) -> None:
    answer = order(alice, plan="premium", currency="RUB", quantity=1_000_000, periods=1000)
    assert answer.status_code == 400
    assert not Subscription.objects.exists()


def test_the_same_request_again_creates_nothing(alice: User) -> None:
    pay_in(alice, 5000_00)
    body = {"plan": "basic", "currency": "RUB"}
    first, again = (client(alice).post(ALL, body, HTTP_IDEMPOTENCY_KEY="order-1") for _ in range(2))
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (201, first.json(), "true")
    other = client(alice).post(ALL, {**body, "plan": "premium"}, HTTP_IDEMPOTENCY_KEY="order-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Subscription.objects.count() == Charge.objects.count() == 1


def test_an_order_whose_answer_was_lost_is_found_again(alice: User, mallory: User) -> None:
    pay_in(alice, 5000_00)
    first = client(alice).post(ALL, {"plan": "basic"}, HTTP_IDEMPOTENCY_KEY="order-1").json()
    IdempotencyKey.objects.all().delete()  # as if the process had died before it kept the answer
    again = client(alice).post(ALL, {"plan": "basic"}, HTTP_IDEMPOTENCY_KEY="order-1").json()
    assert again["id"] == first["id"]
    hers = client(mallory).post(ALL, {"plan": "vm"}, HTTP_IDEMPOTENCY_KEY="order-1").json()
    assert hers["id"] != first["id"]


@pytest.mark.parametrize(
    "other", [{"plan": "premium"}, {"quantity": 2}, {"periods": 2}, {"auto_renew": False}, {"currency": "EUR"}]
)
def test_a_deleted_key_never_returns_the_subscription_of_another_request(alice: User, other: dict[str, Any]) -> None:
    pay_in(alice, 5000_00)
    body = {"plan": "basic", "currency": "RUB"}
    first = client(alice).post(ALL, body, HTTP_IDEMPOTENCY_KEY="order-1").json()
    IdempotencyKey.objects.all().delete()
    answer = client(alice).post(ALL, {**body, **other}, HTTP_IDEMPOTENCY_KEY="order-1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    # Later changes of the subscription do not make it another request.
    client(alice).patch(ALL + first["id"], {"plan": "premium", "auto_renew": False})
    again = client(alice).post(ALL, body, HTTP_IDEMPOTENCY_KEY="order-1").json()
    assert (again["id"], again["plan"]) == (first["id"], "premium")
    assert Subscription.objects.count() == 1


def test_a_subscription_is_shown_settled_without_any_worker(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 990_00)
    sub = order(alice, plan="basic").json()["id"]
    time_machine.move_to(START + timedelta(days=31), tick=False)  # 1 April: no money for the next month
    body = client(alice).get(ALL + sub).json()
    assert (body["status"], body["access"], body["current_period"], body["next_charge"]) == (
        "suspended", False, None, None,
    )  # fmt: skip
    assert body["next"]["body"] == {"subscription": sub}
    assert client(alice).get(f"{ALL}{sub}/access").json() == {"active": False, "until": None, "reason": "suspended"}


def test_the_wallet_shows_metered_use_not_charged_yet(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 24_00)
    order(alice, plan="vm")
    time_machine.move_to(START + timedelta(minutes=90), tick=False)
    # An hour and a half at 1.00 an hour, and the kopeck that begins now.
    [wallet] = client(alice).get("/api/wallet/").json()["results"]
    assert (wallet["currency"], wallet["balance"], wallet["available"]) == ("RUB", "24.00", "22.49")


def test_access_is_calculated_to_the_microsecond(alice: User, time_machine: time_machine.TimeMachineFixture) -> None:
    pay_in(alice, 24_00)
    address = f"{ALL}{order(alice, plan='vm').json()['id']}/access"
    assert client(alice).get(address).json()["active"] is True
    # Each kopeck pays for 36 seconds that begin with it: 24.00 are 24 hours.
    dry = START + timedelta(hours=24)
    assert client(alice).get(address).json()["until"] == iso(dry)
    time_machine.move_to(dry - timedelta(microseconds=1), tick=False)
    assert client(alice).get(address).json()["active"] is True
    time_machine.move_to(dry + timedelta(microseconds=1), tick=False)
    assert client(alice).get(address).json() == {"active": False, "until": None, "reason": "suspended"}


def test_access_takes_one_statement_and_says_what_the_overview_says(
    alice: User, time_machine: time_machine.TimeMachineFixture, django_assert_num_queries: Any
) -> None:
    pay_in(alice, 2000_00)
    running, ended = (order(alice, plan=plan).json()["id"] for plan in ("basic", "vm"))
    assert client(alice).post(f"{ALL}{ended}/cancel", {"when": "now"}).status_code == 200
    time_machine.move_to(START + timedelta(days=40, microseconds=123_456), tick=False)
    api = client(alice)
    for sub in (running, ended):
        # The book. With a token, its owner is looked up by another one.
        with django_assert_num_queries(1):
            answer = api.get(f"{ALL}{sub}/access")
        row = Subscription.objects.get(public_id=sub)
        expected = AccessSerializer(overview.access(row, now=timezone.now())).data
        assert answer.json() == expected
    # 2000.00 paid for March and April.
    assert api.get(f"{ALL}{running}/access").json() == {
        "active": True, "until": "2026-05-01T00:00:00Z", "reason": "active",
    }  # fmt: skip
    assert answer.json() == {"active": False, "until": None, "reason": "cancelled"}


def test_a_due_renewal_is_shown_before_it_is_posted(alice: User, time_machine: time_machine.TimeMachineFixture) -> None:
    pay_in(alice, 2000_00)
    sub = order(alice, plan="basic").json()["id"]
    time_machine.move_to(START + timedelta(days=40), tick=False)
    assert client(alice).get(ALL + sub).json()["current_period"] == {
        "start": "2026-04-01T00:00:00Z", "end": "2026-05-01T00:00:00Z",
    }  # fmt: skip
    billing_run.run_due(now=START + timedelta(days=40), catch_up=True)
    assert client(alice).get(ALL + sub).json()["current_period"]["end"] == "2026-05-01T00:00:00Z"
    assert Charge.objects.count() == 2


METHODS = [
    ("get", ""), ("patch", ""), ("delete", ""), ("get", "/access"), ("post", "/cancel"), ("post", "/undo-cancel"),
    ("post", "/pause"), ("post", "/resume"), ("post", "/change-plan"), ("post", "/change-quantity"), ("post", "/start"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "action"), METHODS)
def test_another_customers_subscription_is_not_found(
    alice: User, mallory: User, staff: User, method: str, action: str
) -> None:
    sub = order(alice, plan="vm").json()["id"]
    absent = "sub_" + "0" * 26
    for thief in (mallory, staff):
        foreign, none = (getattr(client(thief), method)(f"{ALL}{each}{action}", {}) for each in (sub, absent))
        assert foreign.status_code == none.status_code == 404
        assert {**foreign.json(), "request_id": ""} == {**none.json(), "request_id": ""}
    assert Subscription.objects.get().status == "pending"


@pytest.mark.parametrize(("method", "action"), METHODS)
def test_every_endpoint_needs_authentication(alice: User, method: str, action: str) -> None:
    sub = order(alice, plan="vm").json()["id"]
    assert getattr(client(), method)(f"{ALL}{sub}{action}", {}).status_code == 401


@pytest.mark.parametrize("name", ["1", "sub_", "sub_x", "SUB_" + "0" * 26, "sub_%00", "..%2f", "ä", "9" * 400])
def test_a_malformed_id_is_not_found(alice: User, name: str) -> None:
    assert client(alice).get(ALL + name).status_code == 404


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def test_a_period_of_more_than_ten_years_is_refused(alice: User) -> None:
    pay_in(alice, 5000_00)
    sell("decade", RUB=1_00, interval="year", interval_count=10)
    assert order(alice, plan="decade").json()["current_period"]["end"] == "2036-03-01T00:00:00Z"
    answer = order(alice, plan="decade", periods=2)
    assert (answer.status_code, params(answer)) == (400, ["periods"])
    sell("era", RUB=1_00, interval="year", interval_count=32767)
    assert order(alice, plan="era").status_code == 400
    vm = order(alice, plan="vm").json()["id"]
    assert client(alice).post(f"{ALL}{vm}/change-plan", {"plan": "era"}).status_code == 400
