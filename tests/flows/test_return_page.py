"""A customer comes back from the gateway's page to ours, over HTTP, before any webhook has come."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from billing_site.local.fakes.faults import Fault
from payments.models import Payment, WebhookEvent
from tests.ledger import snapshot
from tests.payments.gateways.visitors import visitor as visitors
from tests.payments.rows import balance, times_credited
from tests.web import button_address, heading, hidden, words

pytestmark = pytest.mark.django_db(transaction=True)

# The button on each fake's page that leads back without paying.
LEAVE = {"stripe": "cancel", "yookassa": "leave"}


class Shopper:
    """Alice's browser, logged in, and the page of a top-up of 500.00 roubles at the gateway."""

    def __init__(self, gateway: str, fake: Any, url: str, session_key: str) -> None:
        self.gateway, self.fake, self.url = gateway, fake, url
        self.browser = requests.Session()
        self.browser.cookies.set(django_settings.SESSION_COOKIE_NAME, session_key)
        self.page = self._order()
        self.payment = Payment.objects.get()

    def leave(self, button: str) -> requests.Response:
        """Press a button on the gateway's page and return the page of ours to which that leads."""
        sent = requests.post(button_address(self.page, button), timeout=30, allow_redirects=False)
        assert sent.status_code == 303
        return self.come_back(sent.headers["Location"])

    def come_back(self, url: str = "") -> requests.Response:
        """Open our page of the payment."""
        ours = f"{self.url}/pay/{self.payment.public_id}/"
        assert url in ("", ours)
        answer = self.browser.get(ours, timeout=30, allow_redirects=False)
        assert answer.status_code == 200
        self.payment.refresh_from_db()
        return answer

    def _order(self) -> str:
        """Send the form of the top-up page and return the address of the gateway's page."""
        address = f"{self.url}/topup/?currency=RUB&amount=500"
        form = self.browser.get(address, timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
        assert token
        fields = hidden(form) | {"csrfmiddlewaretoken": token[1], "method": self.gateway}
        sent = self.browser.post(address, fields, timeout=30, allow_redirects=False)
        assert sent.status_code == 303, sent.text
        assert sent.headers["Location"].startswith(self.fake.url)
        return sent.headers["Location"]


@pytest.fixture(params=sorted(LEAVE))
def shopper(
    request: pytest.FixtureRequest, settings: Any, client: Client, alice: User, live_server: LiveServer
) -> Iterator[Shopper]:
    """Alice on the gateway's page. Its webhooks go nowhere, so only our page can learn what has happened."""
    settings.SITE_URL, settings.PAYMENT_GATEWAYS = live_server.url, [request.param]
    client.force_login(alice)
    with visitors.visit(request.param, settings) as visitor:
        yield Shopper(request.param, visitor.fake, live_server.url, str(client.session.session_key))  # type: ignore[attr-defined]
    assert not WebhookEvent.objects.exists()
    assert snapshot.found() == {}


def test_who_comes_back_after_paying_reads_that_the_money_has_come(shopper: Shopper, alice: User) -> None:
    page = shopper.leave("pay")
    assert heading(page) == "Payment received"
    assert (shopper.payment.status, times_credited(shopper.payment), balance(alice)) == ("confirmed", 1, 500_00)
    # Opening the page again, from the history, credits nothing more.
    assert heading(shopper.come_back()) == "Payment received"
    assert (times_credited(shopper.payment), balance(alice)) == (1, 500_00)


def test_who_comes_back_without_paying_can_go_on(shopper: Shopper, alice: User) -> None:
    page = shopper.leave(LEAVE[shopper.gateway])
    assert heading(page) == "Continue to payment"
    assert "Nothing is charged until you confirm there." in words(page)
    assert f'href="{shopper.page}"' in page.text
    assert (shopper.payment.status, balance(alice)) == ("pending", 0)


@pytest.mark.parametrize("has_paid", [True, False])
def test_a_gateway_that_hangs_is_waited_for_three_seconds_at_most(
    shopper: Shopper, alice: User, has_paid: bool
) -> None:
    began = time.monotonic()
    shopper.come_back()
    usual = time.monotonic() - began
    # Only questions about the payment hang, not the gateway's page.
    shopper.fake.fault(Fault.TIMEOUT_BEFORE, path=f"/{shopper.payment.gateway_id}", method="GET", seconds=30)
    began = time.monotonic()
    page = shopper.leave("pay" if has_paid else LEAVE[shopper.gateway])
    waited = time.monotonic() - began
    # GATEWAY_TIMEOUT_WEB is 3 seconds. The rest is for the gateway's page and for ours, on a machine of any speed.
    assert 1.5 < waited < 3 + 5 * usual
    assert heading(page) == "Confirming your payment"
    assert "The payment service has not answered yet" in words(page)
    assert (shopper.payment.status, balance(alice)) == ("unknown", 0)
    # It answers again when the customer presses "Check again".
    page = shopper.come_back()
    assert heading(page) == ("Payment received" if has_paid else "Continue to payment")
    assert balance(alice) == (500_00 if has_paid else 0)
