"""The pages of the desk: accessible, in both colour schemes, and no wider than a laptop or a phone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from subscriptions import catalogue, daily, orders
from subscriptions.models import BillingClock, Plan, Subscription
from tests.billing_site.desk import rows
from tests.browser.test_staff_payments import faults
from tests.browser.visit import Visit
from tests.payments import staff_rows
from tests.subscriptions.shop import pay_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]


@pytest.fixture
def row(alice: User, staff: User, site: str) -> Subscription:
    """Alice has a plan, and something of each kind waits for staff."""
    now = datetime.now(UTC)
    pay_in(alice, 5000_00, at=now - timedelta(days=40))
    made = orders.subscribe(alice, catalogue.current("basic", "RUB"), now=now - timedelta(days=40))
    staff_rows.make(alice, staff, now=now)
    staff_rows.pay(alice, 700_00, "wrong_amount", now=now)
    daily.roll_up(now=now)
    return made


def check(window: Visit, *pages: str) -> list[str]:
    """Return what is wrong with these pages, and with each part of them that opens."""
    found = []
    for page in pages:
        window.to(f"/admin/{page}")
        assert window.console == []
        found += faults(window)
        if window.page.locator("details:not([open])").count():
            window.page.evaluate("document.querySelectorAll('main details, #main details').forEach(e => e.open = true)")
            found += faults(window)
    assert window.elsewhere == []
    return found


@pytest.mark.parametrize("language", ["en", "ru"])
def test_its_own_pages(visit: Any, alice: User, superuser: User, row: Subscription, language: str) -> None:
    User.objects.filter(pk=superuser.pk).update(language=language)
    pages = ["", "figures/?currency=RUB", "figures/?currency=RUB&from=2026-05-01&to=2026-01-01", "exports/",
             "clearing/", "clearing/?account=nowhere:EUR", "search/?q=example.com", "search/?q=zzzz",
             f"customers/{alice.pk}/"]  # fmt: skip
    window = visit(superuser, width=1366)
    found = []
    for page in pages:
        answer = window.page.goto(f"/admin/{page}")
        assert answer.status in (200, 400), page
        window.console.clear()
        found += faults(window)
    assert found == []


def test_reviews(visit: Any, alice: User, superuser: User, row: Subscription) -> None:
    plan = Plan.objects.get(code="basic")
    price, clock = catalogue.current("basic", "RUB"), BillingClock.objects.get(customer=alice)
    window = visit(superuser, width=1366)
    page, found = window.page, []
    for address, fields in (
        (f"accounts/user/{alice.pk}/credit/", {"Amount": "500"}),
        (f"accounts/user/{alice.pk}/block/", {}),
        (f"subscriptions/subscription/{row.pk}/cancel/", {}),
        (f"subscriptions/plan/{plan.pk}/hide/", {}),
        (f"subscriptions/plan/{plan.pk}/texts/", {"Name": "Start"}),
        (f"subscriptions/plan/{plan.pk}/add-price/", {"Currency": "USD", "Amount": "4.50"}),
        (f"subscriptions/price/{price.pk}/new-version/", {"Amount": "399"}),
        (f"subscriptions/billingclock/chosen/settle/?rows={clock.pk}", {}),
    ):
        found += check(window, address)
        for label, value in fields.items():
            page.get_by_label(label).first.fill(value)
        # A reason that is missing is an error of the page.
        page.get_by_label("Reason").evaluate("each => each.required = false")
        page.get_by_role("button", name="Continue").click()
        found += faults(window)
        page.get_by_label("Reason").fill("Asked by phone")
        page.get_by_role("button", name="Continue").click()
        page.locator("table.before-after").wait_for()
        found += faults(window)
    assert found == []


@pytest.mark.parametrize("address", ["subscriptions/plan/", "payments/payment/", "accounts/user/"])
def test_on_a_phone_a_row_of_a_list_is_a_card(visit: Any, superuser: User, row: Subscription, address: str) -> None:
    window = visit(superuser, width=390)
    page = window.to(f"/admin/{address}")
    table = page.locator("#result_list")
    assert table.evaluate("each => each.scrollWidth <= each.parentElement.clientWidth")
    cell = page.locator("#result_list td[data-label]:visible").nth(1)
    assert cell.evaluate("each => getComputedStyle(each, '::before').content").strip('"').endswith(": ")
    assert faults(window) == []


def addresses(window: Visit) -> Iterator[tuple[str, bool]]:
    """Yield each list with its first row, and the acts on that row; whether it is a list."""
    page = window.to("/admin/")
    lists = page.eval_on_selector_all(".today-tables th a", "links => links.map(each => each.getAttribute('href'))")
    assert len(lists) > 25
    for each in lists:
        yield each, True
        first = page.locator("#result_list tbody :is(th, td) a").first
        if first.count():
            yield first.get_attribute("href") or "", False
            acts = ".object-tools a, .customer a.act"
            yield from ((href, False) for href in page.eval_on_selector_all(acts, "links => links.map(e => e.href)"))


def test_every_page_fits_the_screen_and_every_list_shows_its_first_row(
    visit: Any, alice: User, staff: User, superuser: User, site: str, settings: Any
) -> None:
    settings.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    rows.seed(alice, staff)
    window = visit(superuser, width=1366)
    page, wrong, number = window.page, [], 0
    for address, is_list in addresses(window):
        window.to(address)
        number += 1
        for width in (390, 1366):
            page.set_viewport_size({"width": width, "height": 850})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{address} is too wide at {width}")
        first = page.locator("#result_list tbody tr").first
        if is_list and first.count():
            box = first.bounding_box()
            if box is None or box["y"] + box["height"] > 850:
                wrong.append(f"{address}: the first row is out of sight")
    assert wrong == []
    assert window.console == []
    assert number > 80
