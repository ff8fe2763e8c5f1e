"""The search and the page of a customer: accessible and no wider than the screen, whatever the names."""

from datetime import UTC, datetime

import pytest

from accounts.models import User
from tests.browser.test_staff_payments import faults
from tests.payments import staff_rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]


def test_the_pages_can_be_used_by_everybody(visit, alice, superuser, staff):
    User.objects.filter(pk=alice.pk).update(first_name="W" * 150, last_name="Petrova")
    staff_rows.make(alice, staff, now=datetime.now(UTC))
    window, found = visit(superuser), []
    for page in (
        f"customers/{alice.pk}/",
        f"customers/{alice.pk}/?kind=money",
        "search/?q=zzzz",
        "search/?q=example.com",
    ):
        window.to(f"/admin/{page}")
        assert window.console == []
        found += faults(window)
    assert found == []


def test_a_slash_moves_to_the_search_box(visit, alice, superuser):
    page = visit(superuser).to("/admin/")
    page.keyboard.press("/")
    page.keyboard.type("alice")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/customers/{alice.pk}/")
