"""What callers of the API may write in more than one way, and what is said about values that are not known."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from tests.subscriptions.shop import START, client, pay_in, sell

pytestmark = pytest.mark.django_db
CHECKOUT = "/api/payments/create-checkout-session"


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(START, tick=False)
    sell("basic", RUB=990_00)
    sell("premium", RUB=2990_00)


def test_a_plan_is_found_whatever_the_case_of_its_code(alice: User) -> None:
    assert client(alice).get("/api/plans/BASIC").json()["code"] == "basic"
    paid = client(alice).post(CHECKOUT, {"plan": "Basic"})
    assert (paid.status_code, paid.json()["plan"]) == (201, "basic")
    pay_in(alice, 5000_00)
    bought = client(alice).post("/api/subscriptions/", {"plan": "bAsIc"}).json()
    assert bought["plan"] == "basic"
    row = f"/api/subscriptions/{bought['id']}"
    assert client(alice).get(row + "/change-preview?plan=PREMIUM").json()["plan"] == "premium"
    # To the plan it has: nothing moves.
    assert client(alice).post(row + "/change-plan", {"plan": "BASIC"}).json()["plan"] == "basic"
    assert client(alice).post(row + "/change-plan", {"plan": "Premium"}).json()["plan"] == "premium"
    assert len(client(alice).get("/api/subscriptions/?plan=PREMIUM").json()["results"]) == 1
    assert len(client(alice).get("/api/payments/?plan=Basic").json()["results"]) == 1


def test_an_unknown_plan_is_answered_with_what_is_sold(alice: User) -> None:
    for path in ("/api/subscriptions/", CHECKOUT):
        answer = client(alice).post(path, {"plan": "gold"})
        assert (answer.status_code, answer.json()["code"]) == (400, "plan_not_found")
        assert answer.json()["plans"] == ["basic", "premium"]
        assert "On sale: basic, premium." in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/api/subscriptions/?plan=gold", "plan"),
        ("/api/subscriptions/?status=new", "status"),
        ("/api/payments/?plan=gold", "plan"),
        ("/api/payments/?status=new", "status"),
        ("/api/payments/?subscription=sub_01m7y6kma9epbt0vbh6e2x8h1g", "subscription"),
        ("/api/plans/?currency=XXX", "currency"),
        ("/api/transactions/?currency=XXX", "currency"),
        ("/api/transactions/?reason=gift", "reason"),
        ("/api/transactions/?from=9999-12-31T23:59:59-14:00", "from"),
        ("/api/transactions/?to=9999-12-31", "to"),
        ("/api/transactions/?to=2026-02-30", "to"),
        # An empty one would list everything.
        ("/api/subscriptions/?status=", "status"),
        ("/api/payments/?created_before=", "created_before"),
        ("/api/payments/?client_reference_id=", "client_reference_id"),
        ("/api/plans/?currency=", "currency"),
        ("/api/transactions/?to=", "to"),
        ("/api/events/?type=", "type"),
    ],
)
def test_an_unknown_value_of_a_filter_is_an_error_that_names_it(alice: User, path: str, param: str) -> None:
    answer = client(alice).get(path)
    assert (answer.status_code, [error["param"] for error in answer.json()["errors"]]) == (400, [param])


def test_a_day_of_transactions_is_the_whole_day(alice: User) -> None:
    """START is 1 March; the last one comes a microsecond before midnight."""
    for later in (timedelta(0), timedelta(days=1, microseconds=-1), timedelta(days=1)):
        pay_in(alice, 100_00, at=START + later)
    day = START.date().isoformat()
    assert len(client(alice).get(f"/api/transactions/?from={day}&to={day}").json()["results"]) == 2
    # A moment is exclusive, as before.
    assert len(client(alice).get(f"/api/transactions/?from={day}&to={day}T00:00:00Z").json()["results"]) == 0


def test_the_length_of_an_order_may_be_called_its_duration(alice: User) -> None:
    answer = client(alice).post(CHECKOUT, {"plan": "basic", "duration": 3})
    assert (answer.status_code, answer.json()["amount"]["value"]) == (201, "2970.00")
    both = client(alice).post(CHECKOUT, {"plan": "basic", "duration": 3, "periods": 3})
    assert (both.status_code, both.json()["errors"][0]["param"]) == (400, "duration")


@pytest.mark.parametrize("number", [-1, 0, "0", 1.5])
@pytest.mark.parametrize("name", ["quantity", "periods", "duration"])
def test_a_number_that_is_too_small_is_named_with_what_is_allowed(alice: User, name: str, number: Any) -> None:
    answer = client(alice).post(CHECKOUT, {"plan": "basic", name: number})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["param"]) == (400, name)
    assert str(number) in error["detail"]


@pytest.mark.parametrize(("change", "body"), [("/change-plan", {"plan": "premium"}), ("", {"plan": "premium"})])
def test_a_change_that_lacks_money_says_how_much(alice: User, change: str, body: dict[str, Any]) -> None:
    pay_in(alice, 990_00)
    row = f"/api/subscriptions/{client(alice).post('/api/subscriptions/', {'plan': 'basic'}).json()['id']}"
    api = client(alice)
    answer = (api.post if change else api.patch)(row + change, body)
    preview = api.get(row + "/change-preview?plan=premium").json()
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_funds")
    assert answer.json()["missing"] == preview["missing"]
    # At least the difference of the two prices; what is used within the time to pay comes on top.
    assert float(answer.json()["missing"]["value"]) >= 2000


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_a_token_may_be_written_in_any_case(alice: User, scheme: str) -> None:
    access = tokens.issue(alice, now=START).access
    answer = APIClient().get("/api/wallet/", headers={"authorization": f"{scheme} {access}"})
    assert answer.status_code == 200


def test_subscriptions_are_found_by_the_number_of_their_customer_too(alice: User, mallory: User) -> None:
    paths = (f"/api/users/{alice.pk}/subscriptions", f"/api/subscriptions/{alice.pk}")
    mine = [client(alice).get(path).json() for path in paths]
    assert mine[0] == mine[1]
    assert {client(mallory).get(path).status_code for path in paths} == {404}
