"""Developers settle parked and overdue books on pages that show a dry run, ask for a reason and record each book."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from subscriptions import billing_run, books
from subscriptions.admin import books as book_pages
from subscriptions.models import BillingClock
from tests.staff import member
from tests.subscriptions.bank import balance, basic, people
from tests.subscriptions.due_books import corrupt
from tests.subscriptions.shop import pay_in
from tests.web import hidden

pytestmark = pytest.mark.django_db
ALL = "/admin/subscriptions/billingclock/settle-all/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(member("developer"))
    return client


@pytest.fixture
def late() -> list[User]:
    """Three customers with a renewal that was due 10 days ago and waits for staff."""
    users, begun, price = people(3), timezone.now() - timedelta(days=41), basic()
    for user in users:
        pay_in(user, 2500_00, at=begun)
        with books.open(user, "RUB", now=begun) as book:
            book.subscribe(price)
    return users


def url(user: User, page: str = "settle") -> str:
    return f"/admin/subscriptions/billingclock/{BillingClock.objects.get(wallet__owner=user).pk}/{page}/"


def test_a_settling_shows_its_charges_and_happens_once(desk: Client, late: list[User]) -> None:
    user = late[0]
    sent = {**hidden(desk.get(url(user))), "reason": "The clock was right"}
    page = desk.post(url(user), sent).content.decode()
    assert "990.00" in page
    assert (balance(user), StaffAct.objects.count()) == (1510_00, 0)
    for _ in range(2):
        assert desk.post(url(user), sent | {"confirmed": "1"}).status_code == 303
    assert balance(user) == 520_00
    act = StaffAct.objects.get()
    assert (act.kind, act.customer, act.reason) == ("billingclock.settle", user, "The clock was right")
    assert act.result == "Balances billed: 1. Charges made: 1. Parked: 0."
    assert "Nothing is due in this book." in desk.get(url(user)).content.decode()


def test_two_people_settle_a_book_once(desk: Client, late: list[User]) -> None:
    second, user = Client(), late[0]
    second.force_login(member("developer", "dora"))
    sent = {**hidden(second.get(url(user))), "reason": "Late", "confirmed": "1"}
    desk.post(url(user), {**hidden(desk.get(url(user))), "reason": "Late", "confirmed": "1"})
    second.post(url(user), sent)
    assert (balance(user), StaffAct.objects.count()) == (520_00, 1)


def test_all_are_settled_in_batches_with_what_is_left(
    desk: Client, late: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_pages, "BATCH", 2)
    corrupt(late[0])
    sent = {**hidden(desk.get(ALL)), "reason": "The clock was right"}
    refused = desk.post(ALL, sent | {"reason": ""})
    assert (refused.context["left"], StaffAct.objects.count()) == (3, 0)
    first = desk.post(ALL, sent)
    assert first.context["left"] == 1
    assert "1 book is left." in first.content.decode()
    assert "2 of 3 books are done." in first.content.decode()
    assert '<progress value="2" max="3"' in first.content.decode()
    last = desk.post(ALL, {**hidden(first), "reason": "The clock was right"})
    assert "Nothing is left to settle." in last.content.decode()
    assert "3 of 3 books are done." in last.content.decode()
    # One could not be settled. It is parked and not tried again by this page.
    assert [balance(user) for user in late[1:]] == [520_00, 520_00]
    assert BillingClock.objects.exclude(parked_at=None).count() == 1
    assert StaffAct.objects.count() == 3
    assert desk.get(ALL).context["left"] == 1


def test_a_parked_book_is_settled_once_it_is_repaired(desk: Client, late: list[User]) -> None:
    clock = BillingClock.objects.get(wallet__owner=late[0])
    billing_run.park(clock.pk, "IntegrityError: one", timezone.now())
    desk.post(url(late[0]), {**hidden(desk.get(url(late[0]))), "reason": "Repaired", "confirmed": "1"})
    clock.refresh_from_db()
    assert (clock.parked_at, balance(late[0])) == (None, 520_00)
    assert ["Parked", "IntegrityError: one", "–"] in StaffAct.objects.get().changes


@pytest.mark.parametrize("role", ["support", "finance", "catalogue", "auditor"])
def test_others_may_not_settle_and_see_no_button(client: Client, late: list[User], role: str) -> None:
    client.force_login(member(role))
    for path in (ALL, url(late[0])):
        assert client.post(path, {"reason": "x", "confirmed": "1"}).status_code == 403
    assert client.get(url(late[0], "change")).context["decisions"] == []
    assert "settle-all" not in client.get("/admin/subscriptions/billingclock/").content.decode()
    assert balance(late[0]) == 1510_00


def test_the_pages_take_few_queries_however_many_books_there_are(desk: Client, late: list[User]) -> None:
    for path in (ALL, url(late[0]), "/admin/subscriptions/billingclock/"):
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(path).status_code == 200
        assert len(queries) <= 12


def test_developers_have_the_buttons(desk: Client, late: list[User]) -> None:
    assert [str(title) for title, _ in desk.get(url(late[0], "change")).context["decisions"]] == ["Settle"]
    assert "settle-all" in desk.get("/admin/subscriptions/billingclock/").content.decode()


@pytest.mark.parametrize("count", ["", "x", "-1", "9" * 40, "1"])
def test_a_count_that_was_tampered_with_breaks_nothing(desk: Client, late: list[User], count: str) -> None:
    sent = {**hidden(desk.get(ALL)), "reason": "Late"}
    assert desk.post(ALL, sent | {"count": count}).status_code == 200
