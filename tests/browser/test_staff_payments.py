"""The pages on which staff act on payments: accessible, in one width with the screen, in both colour schemes."""

import json
from datetime import UTC, datetime

import pytest

from payments.gateways.manual.models import ManualReceipt
from payments.models import Payment
from tests.browser.visit import AXE, WCAG
from tests.payments import staff_rows
from tests.payments.staff_rows import pay

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

VIEWS = [("light", 390), ("dark", 390), ("light", 1280), ("dark", 1280)]


@pytest.fixture
def rows(alice, staff, site, settings):
    """A row of each kind on which staff act, and a payment that is parked."""
    settings.MANUAL_DETAILS = json.dumps({"beneficiary": "Acme Ltd", "account": "40702810900000000001"})
    now = datetime.now(UTC)
    parked = pay(alice, 700_00, "wrong_amount", now=now)
    return staff_rows.make(alice, staff, now=now) | {"alice": alice, "parked": parked}


def pages(rows) -> list[str]:
    """Return the addresses of the pages, below /admin/."""
    found = ["payments/adjustment/", "payments/gatewayreport/", "payments/webhookevent/"]
    for model, name, shown in (
        ("payments/payment", "payment", ("change", "refund")),
        ("payments/payment", "parked", ("change", "accept", "send-back")),
        ("payments/refund", "refund", ("change",)),
        ("payments/adjustment", "adjustment", ("change", "approve")),
        ("accounts/user", "alice", ("credit", "debit")),
        ("payments/dispute", "dispute", ("change",)),
        ("payments/collection", "collection", ("change", "stop")),
        ("payments/discrepancy", "discrepancy", ("change",)),
        ("payments/gatewayreport", "report", ("change",)),
        ("manual/manualtransfer", "transfer", ("change", "record", "complete")),
        ("manual/manualreceipt", "receipt", ("change", "void")),
        ("manual/manualrefund", "manual_refund", ("change", "sent", "failed")),
    ):
        found += [f"{model}/{rows[name].pk}/{page}/" for page in shown]
    return found


def faults(window) -> list[str]:
    """Return what is wrong with the page in each view: accessibility violations, and a page wider than the screen."""
    window.page.evaluate(AXE)
    found = []
    for scheme, width in VIEWS:
        window.page.emulate_media(color_scheme=scheme)
        window.page.set_viewport_size({"width": width, "height": 900})
        # Links change their colour slowly.
        window.page.evaluate("document.getAnimations().forEach(each => each.finish())")
        if (wide := window.page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
            found.append(f"{wide} px too wide at {width}")
        found += [f"{scheme} {width}: {each}" for each in window.barriers("tag", WCAG)]
    # The scan itself sets styles, which the content policy blocks. Those messages are not the page's.
    window.console.clear()
    return [f"{window.page.url.removeprefix(window.site)}: {fault}" for fault in found]


def test_pages_are_accessible_and_fit_the_screen(visit, superuser, rows):
    window, found = visit(superuser), []
    for address in pages(rows):
        window.to(f"/admin/{address}")
        assert window.console == []
        found += faults(window)
    assert found == []
    assert window.elsewhere == []


def test_staff_record_the_rest_of_a_transfer_and_complete_it(visit, superuser, rows):
    window = visit(superuser, width=390)
    page = window.to(f"/admin/manual/manualtransfer/{rows['transfer'].pk}/change/")
    page.get_by_role("link", name="Record money").click()
    page.get_by_label("Amount").fill("342")
    page.get_by_label("Received on").fill("2026-11-02")
    page.get_by_label("Bank reference").fill("B-7")
    page.get_by_role("button", name="Continue").click()
    assert "₽1,342.00" in page.locator("table.before-after").inner_text()
    assert faults(window) == []
    page.get_by_role("button", name="Back to the form").click()
    assert page.get_by_label("Amount").input_value() == "342"
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Confirm").click()
    assert "₽1,342.00" in page.locator(".messagelist").inner_text()
    assert ManualReceipt.objects.filter(bank_reference="B-7").count() == 1


def test_the_gateway_is_asked_with_a_reason(visit, superuser, alice, rows):
    missed = pay(alice, 300_00, "webhook_lost", now=datetime.now(UTC))
    page = visit(superuser).to(f"/admin/payments/payment/{missed.pk}/change/")
    page.get_by_role("link", name="Ask the gateway now").click()
    page.get_by_label("Reason").fill("It is missing")
    page.get_by_role("button", name="Ask the gateway now").click()
    assert "is confirmed now" in page.locator(".messagelist").inner_text()
    assert Payment.objects.get(pk=missed.pk).status == "confirmed"
