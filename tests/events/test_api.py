"""GET /api/events/: a customer's own event log, and nobody else's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from events import outbox
from events.models import Event

pytestmark = pytest.mark.django_db
LOG = "/api/events/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def browse(user: User | None = None) -> APIClient:
    browser = APIClient()
    if user:
        browser.force_authenticate(user)
    return browser


def tell(owner: User, kind: str = "subscription.renewed", subject: str = "sub_1", **data: Any) -> str:
    [number] = outbox.record([outbox.Fact(owner.pk, kind, subject, NOON - timedelta(seconds=1), data)])
    return f"evt_{number}"


def listed(user: User, query: str = "") -> list[str]:
    return [row["id"] for row in browse(user).get(LOG + query).json()["results"]]


def test_each_event_says_what_happened_to_what_and_when(alice: User) -> None:
    name = tell(alice, "payment.confirmed", "pay_1", amount={"value": "1.00", "currency": "RUB"})
    [row] = browse(alice).get(LOG).json()["results"]
    assert datetime.fromisoformat(row.pop("created_at")) == Event.objects.get().created_at
    assert row == {
        "id": name, "type": "payment.confirmed", "subject": "pay_1", "effective_at": "2026-03-01T11:59:59Z",
        "data": {"amount": {"value": "1.00", "currency": "RUB"}},
    }  # fmt: skip


def test_it_is_the_callers_own_newest_first(alice: User, mallory: User, staff: User) -> None:
    first, second = tell(alice), tell(alice, "subscription.paused")
    other = tell(mallory)
    assert listed(alice) == [second, first]
    assert listed(mallory) == [other]
    assert listed(staff) == []
    assert browse().get(LOG).status_code == 401


def test_it_is_filtered_by_type_and_subject(alice: User, mallory: User) -> None:
    renewed, paid, other = tell(alice), tell(alice, "payment.confirmed", "pay_1"), tell(alice, subject="sub_2")
    tell(mallory)
    assert listed(alice, "?type=subscription.renewed") == [other, renewed]
    assert listed(alice, "?subject=pay_1") == [paid]
    assert listed(alice, "?type=subscription.renewed&subject=sub_2") == [other]
    assert listed(alice, "?type=subscription") == []


def test_pages_follow_each_other_while_events_arrive(alice: User) -> None:
    names = [tell(alice) for _ in range(5)]
    first = browse(alice).get(LOG + "?limit=2&type=subscription.renewed").json()
    tell(alice)
    second = browse(alice).get(first["next"]).json()
    third = browse(alice).get(second["next"]).json()
    assert [row["id"] for page in (first, second, third) for row in page["results"]] == names[::-1]
    assert third["next"] is None


@pytest.mark.parametrize(
    ("query", "named"),
    [("kind=x", "kind"), ("customer=1", "customer"), ("limit=0", "limit"), ("type=a&type=b", "type"),
     ("type=" + "x" * 61, "type"), ("subject=%00", "subject"), ("cursor=abc", "cursor"), ("offset=5", "offset")],
)  # fmt: skip
def test_what_is_not_a_filter_is_refused_by_name(alice: User, query: str, named: str) -> None:
    answer = browse(alice).get(f"{LOG}?{query}")
    assert (answer.status_code, [error["param"] for error in answer.json()["errors"]]) == (400, [named])


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_log_is_only_read(alice: User, method: str) -> None:
    assert getattr(browse(alice), method)(LOG).status_code == 405


@pytest.mark.parametrize("address", ["/api/events", "/api/events/", "/api/v1/events", "/api/v1/events/"])
def test_every_address_of_it_works(alice: User, address: str) -> None:
    assert browse(alice).get(address).json()["results"] == []


def test_a_page_costs_the_same_whatever_its_length(alice: User, django_assert_max_num_queries: Any) -> None:
    for _ in range(30):
        tell(alice)
    # Two for the rates.
    with django_assert_max_num_queries(3):
        assert len(listed(alice, "?limit=30")) == 30
