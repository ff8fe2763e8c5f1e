"""GET /api/subscriptions/: pages, filters, and whose subscriptions are listed."""

from datetime import timedelta

import pytest
import time_machine

from accounts.models import User
from subscriptions.models import Subscription
from tests.subscriptions.api.store import ALL, listed, order
from tests.subscriptions.shop import START, client, params, pay_in, sell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(START, tick=False)
    sell("basic", RUB=990_00, EUR=9_99)
    sell("vm", RUB=1_00, interval="hour", metered=True)


def test_the_list_is_newest_first_in_pages(alice: User) -> None:
    made = [order(alice, plan="vm").json()["id"] for _ in range(5)]
    first = client(alice).get(ALL + "?limit=3").json()
    second = client(alice).get(first["next"]).json()
    assert [row["id"] for row in first["results"] + second["results"]] == made[::-1]
    assert second["next"] is None
    assert [row["id"] for row in client(alice).get(second["previous"]).json()["results"]] == made[:1:-1]


def test_the_list_is_filtered_by_the_current_state(alice: User, time_machine: time_machine.TimeMachineFixture) -> None:
    pay_in(alice, 24_00)
    vm = order(alice, plan="vm").json()["id"]
    pending = order(alice, plan="basic").json()["id"]
    assert listed(alice, status="active") == [vm]
    # 24.00 at 1.00 an hour are used up after a day. No worker has saved anything since.
    time_machine.move_to(START + timedelta(hours=25), tick=False)
    assert Subscription.objects.get(public_id=vm).status == "active"
    assert listed(alice, status="active") == []
    assert listed(alice, status="suspended") == [vm]
    assert listed(alice, plan="basic") == [pending]
    assert listed(alice, plan="vm", status="suspended") == [vm]


def test_an_ended_subscription_is_listed_by_its_status(alice: User) -> None:
    sub = order(alice, plan="vm").json()["id"]
    client(alice).delete(ALL + sub)
    assert listed(alice, status="cancelled", plan="vm") == [sub]
    assert listed(alice, status="pending") == []


@pytest.mark.parametrize(
    ("query", "param"),
    [("status=live", "status"), ("plan=nothing", "plan"), ("state=active", "state"), ("limit=0", "limit"),
     ("limit=101", "limit"), ("limit=x", "limit"), ("status=active&status=paused", "status"),
     ("plan=" + "p" * 61, "plan"), ("cursor=nonsense", "cursor")],
)  # fmt: skip
def test_errors_name_unknown_and_invalid_filters(alice: User, query: str, param: str) -> None:
    answer = client(alice).get(f"{ALL}?{query}")
    assert (answer.status_code, params(answer)) == (400, [param])


def test_staff_see_everyones_subscriptions_and_customers_their_own(alice: User, mallory: User, staff: User) -> None:
    sub = order(alice, plan="vm").json()["id"]
    address = f"/api/users/{alice.pk}/subscriptions"
    assert [row["id"] for row in client(alice).get(address).json()["results"]] == [sub]
    assert [row["id"] for row in client(staff).get(address + "/?status=pending").json()["results"]] == [sub]
    assert client(mallory).get(address).status_code == 404
    assert client(mallory).get(f"/api/users/{mallory.pk}/subscriptions").json()["results"] == []
    assert client().get(address).status_code == 401
    for unknown_id in (0, 987654321, 10**30):
        assert client(staff).get(f"/api/users/{unknown_id}/subscriptions").status_code == 404


def test_the_list_takes_few_queries_however_long_it_is(alice: User, django_assert_max_num_queries) -> None:
    for _ in range(12):
        order(alice, plan="vm")
    browser = client(alice)
    browser.get(ALL)
    # Two for the rates, wallets, the book in five, rows, prices.
    with django_assert_max_num_queries(12):
        assert len(browser.get(ALL).json()["results"]) == 12
