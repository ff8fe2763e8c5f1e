"""A customer in a real browser: sign up, choose a plan, pay on the gateway's page, read what was charged.

Web, worker and broker are real processes, and the webhook comes over HTTP.
"""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect

from billing_site.demo import plans
from payments.models import Payment, WebhookEvent
from tests.browser.visit import Visit
from tests.flows.site import Site, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.timeout(400)]
MINUTE = 60_000


@pytest.fixture
def olga(site: Site, chromium: Browser) -> Visit:
    """A browser with no session, on a running site."""
    plans.put_on_sale(now=datetime.now(UTC))
    site.start_worker()
    site.start_web()
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, base_url=site.url)
    context.set_default_timeout(MINUTE)
    return Visit(context.new_page(), site.url)


def test_a_visitor_signs_up_pays_and_reads_what_was_charged(olga: Visit, site: Site):
    page = olga.to("/pricing/?currency=EUR")
    page.get_by_role("link", name="Choose Standard").click()
    page.fill("[name=username]", "olga")
    page.fill("[name=email]", "olga@example.com")
    page.fill("[name=password1]", "long-enough-and-not-common")
    page.locator("main button").click()

    # 7.90 a month
    page.get_by_role("button", name="Pay €7.90 and subscribe").click()
    page.wait_for_url("**/sandbox/pay/**")
    second = page.context.new_page()
    payment = Payment.objects.get()
    second.goto(f"/pay/{payment.public_id}/")
    expect(second.locator("h1")).to_have_text("Continue to payment")

    page.locator("input[value=succeeds]").check()
    page.get_by_role("button", name=re.compile("Pay €7.90")).click()
    expect(page.locator("h1")).to_have_text("Payment received", timeout=MINUTE)
    expect(second.locator("h1")).to_have_text("Payment received", timeout=MINUTE)

    page.get_by_role("link", name="Go to your account").click()
    expect(page.locator("main")).to_contain_text("Active")
    expect(page.locator("main")).to_contain_text("€0.00")
    page.get_by_role("link", name="Transactions", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").nth(0)).to_contain_text("−€7.90")
    expect(page.locator("tbody tr").nth(1)).to_contain_text("+€7.90")
    assert olga.console == []
    wait_for(lambda: WebhookEvent.objects.filter(status="processed").exists(), "the webhook")
    assert site.manage("check_ledger", "--json").returncode == 0
    page.context.close()
