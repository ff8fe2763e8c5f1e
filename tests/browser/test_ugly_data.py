"""Customer pages with the longest names, largest sums and 100 rows, and with nothing at all, fit and are accessible."""

from datetime import UTC, datetime

import pytest

from accounts.models import User
from tests import rich_customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

REQUESTS = 6


def test_pages_of_a_customer_with_everything_fit_and_are_light(visit, alice, site):
    """In Russian, whose words are longest; in English the widths alone. No page asks for more than 6 files."""
    own = rich_customer.make(alice, now=datetime.now(UTC)).own
    window = visit(User.objects.get(pk=alice.pk))
    requests: list[str] = []
    window.page.on("request", lambda request: requests.append(request.url))
    faults = []
    for address in [*rich_customer.PLAIN, *own]:
        requests.clear()
        window.to("/ru" + address)
        faults += window.faults()
        if len(requests) > REQUESTS:
            faults.append(f"{address}: {len(requests)} requests")
        window.to(address)
        faults += window.overflows()
    assert "\n".join(faults) == ""
    assert "\n".join(window.console) == ""
    assert window.elsewhere == []


def test_pages_of_a_customer_with_nothing_fit_and_lead_on(visit, alice, site):
    window = visit(alice)
    faults = []
    for address in rich_customer.PLAIN[:6]:
        page = window.to(address)
        faults += window.faults()
        # Something to press or to open, beside the menu and the foot.
        if not page.locator("main a, main button").count():
            faults.append(f"{address} leads nowhere")
    assert faults == []
    assert "\n".join(window.console) == ""
