"""Support changes, extends and cancels a subscription and starts a plan, in a browser without an error on any page."""

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from subscriptions import catalogue, orders
from subscriptions.models import Subscription
from tests.browser.test_staff_payments import faults
from tests.staff import member
from tests.subscriptions.shop import pay_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]


@pytest.fixture
def row(alice: User, site: str) -> Subscription:
    """Alice's Basic, 299.00 a month, with 4701.00 left."""
    now = datetime.now(UTC)
    pay_in(alice, 5000_00, at=now)
    return orders.subscribe(alice, catalogue.current("basic", "RUB"), now=now)


def test_support_acts_on_a_subscription(visit: Any, row: Subscription) -> None:
    window = visit(member("support"))
    page, wrong = window.page, []

    def carry_out(link: str, **fields: str) -> None:
        page.goto(f"/admin/subscriptions/subscription/{row.pk}/change/")
        wrong.extend(faults(window))
        page.get_by_role("link", name=link, exact=True).click()
        wrong.extend(faults(window))
        for label, value in fields.items():
            field = page.get_by_label(label.replace("_", " "))
            field.select_option(value) if field.evaluate("each => each.tagName") == "SELECT" else field.fill(value)
        page.get_by_label("Reason").fill("Asked by phone")
        page.get_by_role("button", name="Continue").click()
        wrong.extend(faults(window))
        page.get_by_role("button", name="Confirm").click()
        page.locator(".messagelist .success").wait_for()

    carry_out("Give days for free", Days="5")
    carry_out("Change the plan", New_plan="standard", When="now")
    row.refresh_from_db()
    assert (row.status, row.price.plan.code) == ("active", "standard")
    carry_out("Cancel the subscription", When="now")
    row.refresh_from_db()
    assert (row.status, wrong) == ("cancelled", [])


def test_support_starts_a_plan(visit: Any, alice: User, row: Subscription) -> None:
    window = visit(member("support"))
    page = window.page
    page.goto(f"/admin/accounts/user/{alice.pk}/change/")
    page.get_by_role("link", name="Start a plan").click()
    wrong = faults(window)
    page.get_by_label("Plan").select_option(str(catalogue.current("premium", "RUB").pk))
    page.get_by_label("Reason").fill("Asked by phone")
    page.get_by_role("button", name="Continue").click()
    wrong += faults(window)
    page.get_by_role("button", name="Confirm").click()
    assert "Premium was started" in page.locator(".messagelist").inner_text()
    assert (Subscription.objects.count(), wrong) == (2, [])
