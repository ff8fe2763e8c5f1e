"""Lists of the admin: accessible, the first row in sight on a laptop, no wider than a phone, in both schemes."""

import pytest

from tests.billing_site.desk import rows
from tests.browser.visit import AXE, WCAG

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

VIEWS = [("light", 1366), ("dark", 1366), ("light", 390), ("dark", 390)]
LISTS = ["payments/payment/", "ledger/transaction/", "subscriptions/billingclock/", "events/staffact/"]


@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_accessible_and_shows_its_first_row_at_once(visit, superuser, alice, staff, settings, address):
    settings.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    rows.seed(alice, staff)
    window = visit(superuser)
    page = window.to(f"/admin/{address}")
    assert window.console == []
    page.evaluate(AXE)
    faults = []
    for scheme, width in VIEWS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 850})
        page.evaluate("document.getAnimations().forEach(each => each.finish())")
        if (wide := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
            faults.append(f"{wide} px too wide at {width}")
        first = page.locator("#result_list tbody tr").first.bounding_box()
        if width > 1000 and first["y"] + first["height"] > 850:
            faults.append(f"the first row ends at {first['y'] + first['height']}")
        faults += [f"{scheme} {width}: {each}" for each in window.barriers("tag", WCAG)]
    assert faults == []
    assert window.elsewhere == []
