"""A card is added on the account page without a payment, at the sandbox, Stripe and YooKassa, over HTTP.

Stripe and YooKassa are fakes on 127.0.0.1; their webhooks go to a live server of this process.
"""

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import requests
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from payments.models import MethodSetup, Payment, PaymentMethod, WebhookEvent
from payments.webhooks import process
from tests.payments.gateways.visitors import visitor as visitors
from tests.web import button_address, words

pytestmark = pytest.mark.django_db(transaction=True)

# The buttons of each page: what saves a card, and what a customer presses who turns back.
SAVE = {"sandbox": "succeeds", "stripe": "save", "yookassa": "save"}
LEAVE = {"sandbox": "cancel", "stripe": "cancel", "yookassa": "leave"}


class Story:
    """A customer who is logged in, and the gateway's visitor."""

    def __init__(self, gateway: str, visitor: Any, url: str, customer: User) -> None:
        self.gateway, self.visitor, self.url = gateway, visitor, url
        self.client = Client()
        self.client.force_login(customer)

    def click(self) -> str:
        """Press "Add a card" and return the address to which the browser is sent."""
        page = self.client.get("/account/")
        assert "Add a card" in words(page)
        answer = self.client.post("/account/payment-methods/add/", {"gateway": self.gateway})
        assert answer.status_code == 303
        return str(answer["Location"])

    def press(self, page: str, button: str) -> str:
        """Press a button of the gateway's page and return where the customer is sent back to."""
        if self.gateway == "sandbox":
            session = requests.Session()
            token = session.get(page, timeout=30).cookies.get("csrftoken", "")
            sent: dict[str, Any] = {"outcome": button, "csrfmiddlewaretoken": token}
            answer = session.post(page, data=sent, headers={"Referer": page}, timeout=30, allow_redirects=False)
        else:
            assert requests.get(page, timeout=30).status_code == 200
            answer = requests.post(button_address(page, button), timeout=30, allow_redirects=False)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def come_back(self, address: str) -> str:
        """Follow the way back, and return the words of the page."""
        assert address.startswith(f"{self.url}/")
        return words(self.client.get(urlsplit(address).path, follow=True))


@pytest.fixture(params=["sandbox", "stripe", "yookassa"])
def story(request: pytest.FixtureRequest, settings: Any, live_server: LiveServer, alice: User) -> Iterator[Story]:
    settings.SITE_URL, settings.PAYMENT_GATEWAYS = live_server.url, [request.param]
    settings.YOOKASSA_NETWORKS = ["127.0.0.1/32"]
    with visitors.visit(request.param, settings) as visitor:
        if request.param != "sandbox":
            cast(Any, visitor).fake.webhooks.url = f"{live_server.url}/webhooks/{request.param}/"
        yield Story(request.param, visitor, live_server.url, alice)
        # No money moves anywhere in this story.
        assert not Payment.objects.exists()


def test_a_card_is_saved_and_shown(story: Story) -> None:
    page = story.click()
    shown = story.come_back(story.press(page, SAVE[story.gateway]))
    method = PaymentMethod.objects.get()
    assert f"{method} is saved." in shown
    assert len(method.last4) == 4
    assert method.expires_on is not None
    assert MethodSetup.objects.get().status == "saved"


def test_two_clicks_make_one_page(story: Story) -> None:
    assert story.click() == story.click()
    assert MethodSetup.objects.count() == 1


def test_who_turns_back_has_saved_nothing(story: Story) -> None:
    shown = story.come_back(story.press(story.click(), LEAVE[story.gateway]))
    assert "is saved yet" in shown or "No card was saved" in shown
    assert not PaymentMethod.objects.exists()


def test_a_webhook_saves_the_card_of_who_does_not_come_back(story: Story) -> None:
    if story.gateway == "sandbox":
        # Its webhooks are sent by a task, and are tested with the sandbox.
        return
    story.press(story.click(), SAVE[story.gateway])
    story.visitor.fake.webhooks.settle()
    assert {tried for each in story.visitor.fake.webhooks.deliveries for tried in each.tries} <= {"200"}
    process.sweep(now=timezone.now())
    assert MethodSetup.objects.get().status == "saved"
    assert PaymentMethod.objects.count() == 1
    assert set(WebhookEvent.objects.values_list("status", flat=True)) <= {"processed", "ignored"}
    # The customer comes back later all the same.
    back = f"{story.url}/account/payment-methods/added/{MethodSetup.objects.get().public_id}/"
    assert "is saved." in story.come_back(back)
    assert PaymentMethod.objects.count() == 1


def test_the_saved_card_is_offered_for_automatic_payments(story: Story) -> None:
    story.come_back(story.press(story.click(), SAVE[story.gateway]))
    method = PaymentMethod.objects.get()
    answer = story.client.post("/account/automatic-payments/", {"method": method.public_id, "agree": "1"}, follow=True)
    assert "Automatic payments are on." in words(answer)
