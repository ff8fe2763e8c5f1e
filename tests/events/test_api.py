"""GET /api/events/ lists the caller's own events."""

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


def client_of(user: User | None = None) -> APIClient:
    """Return a client logged in as this user."""
    client = APIClient()
    if user:
        client.force_authenticate(user)
    return client


def record(owner: User, kind: str = "subscription.renewed", subject: str = "sub_1", **data: Any) -> str:
    """Record an event and return its public id."""
    [number] = outbox.record([outbox.Fact(owner.pk, kind, subject, NOON - timedelta(seconds=1), data)])
    return f"evt_{number}"


def listed(user: User, query: str = "") -> list[str]:
    return [row["id"] for row in client_of(user).get(LOG + query).json()["results"]]


def test_an_event_has_type_subject_data_and_dates(alice: User) -> None:
    name = record(alice, "payment.confirmed", "pay_1", amount={"value": "1.00", "currency": "RUB"})
    [row] = client_of(alice).get(LOG).json()["results"]
    assert datetime.fromisoformat(row.pop("created_at")) == Event.objects.get().created_at
    assert row == {
        "id": name, "type": "payment.confirmed", "subject": "pay_1", "effective_at": "2026-03-01T11:59:59Z",
        "data": {"amount": {"value": "1.00", "currency": "RUB"}},
    }  # fmt: skip


def test_events_are_the_callers_own_newest_first(alice: User, mallory: User, staff: User) -> None:
    first, second = record(alice), record(alice, "subscription.paused")
    other = record(mallory)
    assert listed(alice) == [second, first]
    assert listed(mallory) == [other]
    assert listed(staff) == []
    assert client_of().get(LOG).status_code == 401


def test_events_are_filtered_by_type_and_subject(alice: User, mallory: User) -> None:
    renewed, paid, other = record(alice), record(alice, "payment.confirmed", "pay_1"), record(alice, subject="sub_2")
    record(mallory)
    assert listed(alice, "?type=subscription.renewed") == [other, renewed]
    assert listed(alice, "?subject=pay_1") == [paid]
    assert listed(alice, "?type=subscription.renewed&subject=sub_2") == [other]


@pytest.mark.parametrize("kind", ["subscription", "subscription.renewd", "Payment.confirmed", "x" * 61])
def test_an_unknown_type_is_refused_with_those_that_there_are(alice: User, kind: str) -> None:
    record(alice)
    answer = client_of(alice).get(LOG, {"type": kind})
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["param"], "subscription.renewed" in error["detail"]) == ("type", True)


def test_pages_are_complete_while_events_arrive(alice: User) -> None:
    names = [record(alice) for _ in range(5)]
    first = client_of(alice).get(LOG + "?limit=2&type=subscription.renewed").json()
    record(alice)
    second = client_of(alice).get(first["next"]).json()
    third = client_of(alice).get(second["next"]).json()
    assert [row["id"] for page in (first, second, third) for row in page["results"]] == names[::-1]
    assert third["next"] is None


@pytest.mark.parametrize(
    ("query", "named"),
    [("kind=x", "kind"), ("customer=1", "customer"), ("limit=0", "limit"), ("type=a&type=b", "type"),
     ("type=" + "x" * 61, "type"), ("subject=%00", "subject"), ("cursor=abc", "cursor"), ("offset=5", "offset")],
)  # fmt: skip
def test_an_unknown_or_invalid_filter_is_refused_by_name(alice: User, query: str, named: str) -> None:
    answer = client_of(alice).get(f"{LOG}?{query}")
    assert (answer.status_code, [error["param"] for error in answer.json()["errors"]]) == (400, [named])


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_log_is_read_only(alice: User, method: str) -> None:
    assert getattr(client_of(alice), method)(LOG).status_code == 405


@pytest.mark.parametrize("address", ["/api/events", "/api/events/", "/api/v1/events", "/api/v1/events/"])
def test_every_url_of_the_log_works(alice: User, address: str) -> None:
    assert client_of(alice).get(address).json()["results"] == []


def test_the_number_of_queries_does_not_grow_with_the_page(alice: User, django_assert_max_num_queries: Any) -> None:
    for _ in range(30):
        record(alice)
    # Two of them are for throttling.
    with django_assert_max_num_queries(3):
        assert len(listed(alice, "?limit=30")) == 30
