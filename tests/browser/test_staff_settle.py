"""Developers settle all parked and overdue books: one press of the button, then the page goes on by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from events.models import StaffAct
from subscriptions import books, catalogue
from subscriptions.admin import books as book_pages
from tests.browser.test_staff_payments import faults
from tests.staff import member
from tests.subscriptions.bank import balance, people
from tests.subscriptions.shop import pay_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]
PAGE = "/admin/subscriptions/billingclock/settle-all/"


@pytest.fixture
def late(site: str, monkeypatch: pytest.MonkeyPatch) -> list[User]:
    """Three customers with a renewal of 299.00 that was due ten days ago; each step of the page settles one book."""
    monkeypatch.setattr(book_pages, "BATCH", 1)
    users, begun = people(3), datetime.now(UTC) - timedelta(days=41)
    for user in users:
        pay_in(user, 2500_00, at=begun)
        with books.open(user, "RUB", now=begun) as book:
            book.subscribe(catalogue.current("basic", "RUB"))
    return users


def test_the_page_goes_on_by_itself_until_nothing_is_left(visit: Any, late: list[User]) -> None:
    window = visit(member("developer"), width=1366)
    page = window.to(PAGE)
    assert faults(window) == []
    page.get_by_label("Reason").fill("The clock was right")
    page.get_by_role("button", name="Settle these books").click()
    page.get_by_text("Nothing is left to settle.").wait_for()
    assert page.get_by_text("3 of 3 books are done.").is_visible()
    # 2500 less two months.
    assert [balance(user) for user in late] == [1902_00] * 3
    assert list(StaffAct.objects.values_list("kind", "reason")) == [("billingclock.settle", "The clock was right")] * 3
    assert window.console == []


def test_a_click_stops_it_and_a_press_of_the_button_goes_on(visit: Any, late: list[User]) -> None:
    window = visit(member("developer"), width=1366)
    # The page's own clock stands still but for what the test lets pass.
    window.page.clock.install()
    page = window.to(PAGE)
    page.get_by_label("Reason").fill("The clock was right")
    page.get_by_role("button", name="Settle these books").click()
    page.get_by_text("1 of 3 books are done.").click()
    page.clock.run_for(5_000)
    assert page.get_by_text("1 of 3 books are done.").is_visible()
    assert StaffAct.objects.count() == 1
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("2 of 3 books are done.").wait_for()
    page.clock.run_for(5_000)
    page.get_by_text("Nothing is left to settle.").wait_for()
    assert StaffAct.objects.count() == 3


def test_it_works_without_script(visit: Any, late: list[User]) -> None:
    window = visit(member("developer"), width=1366, java_script_enabled=False)
    page = window.to(PAGE)
    page.get_by_label("Reason").fill("The clock was right")
    page.get_by_role("button", name="Settle these books").click()
    for done in (1, 2):
        page.get_by_text(f"{done} of 3 books are done.").wait_for()
        page.get_by_role("button", name="Go on").click()
    page.get_by_text("Nothing is left to settle.").wait_for()
    assert StaffAct.objects.count() == 3
