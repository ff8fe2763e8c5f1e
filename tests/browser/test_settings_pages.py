"""Settings, receipt and statement with the longest names, addresses and amounts fit every screen and are accessible."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from payments import checkout, confirmation
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from tests.subscriptions.shop import pay_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

LONG = "Konstantinopolitanskaya-Wolfeschlegelsteinhausenbergerdorff"
UGLY = {
    "email": f"{LONG.lower()}.von.und.zu@accounts.receivable.llanfairpwllgwyngyllgogerychwyrndrobwll.example.com",
    "first_name": f"{LONG} {LONG} von"[:150],
    "company": LONG * 3,
    "address": LONG * 5,
    "tax_id": "9" * 50,
}


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_pages_about_a_customer_fit_whatever_they_are_called(visit, alice, site, settings, prefix):
    settings.SELLER_ADDRESS = settings.SELLER_TAX_LINE = LONG
    User.objects.filter(pk=alice.pk).update(**UGLY)
    now = datetime.now(UTC)
    pay_in(alice, 999_999_999_99, at=now - timedelta(days=1))
    payment = checkout.start(alice, now=now, amount=5_000_00, currency="RUB", gateway="sandbox")
    assert payment.gateway_id is not None
    choice = ON_THE_PAGE["succeeds"]
    sessions.choose(payment.gateway_id, choice, expected=SandboxSession.Status.OPEN, now=now)
    confirmation.confirm(payment.pk, now=now)
    window = visit(User.objects.get(pk=alice.pk))
    faults = []
    month = f"/account/statements/RUB/{now - timedelta(days=1):%Y-%m}/"
    for address in ("/account/settings/", "/account/statements/", month, f"/pay/{payment.public_id}/receipt/"):
        window.to(prefix + address)
        faults += window.faults()
    assert faults == []
    assert window.console == []
