"""Fixtures of the payments tests: plans, API clients, the sandbox's page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from accounts.models import User
from payments import confirmation
from payments.models import Payment
from subscriptions.models import Price
from tests.payments import faulty_gateway as unsteady_gateway
from tests.payments.checkouts import start
from tests.payments.faulty_gateway import Unsteady
from tests.subscriptions.shop import sell


@pytest.fixture
def basic(db: None) -> Price:
    """990.00 roubles a month, paid in advance."""
    return sell("basic", RUB=990_00)["RUB"]


@pytest.fixture
def hourly(db: None) -> Price:
    """3.60 roubles an hour, metered."""
    return sell("hourly", RUB=3_60, interval="hour", metered=True)["RUB"]


@pytest.fixture
def choose(client: Client) -> Callable[..., Any]:
    """Return a function that picks an outcome on the sandbox's page of a payment."""

    def choose(payment: Payment, outcome: str, *, page: str = "") -> Any:
        return client.post(f"/sandbox/pay/{payment.gateway_id}/{page}", {"outcome": outcome})

    return choose


@pytest.fixture
def opened(alice: User) -> Payment:
    """A top-up of 1000.00 roubles whose page is open."""
    return start(alice, amount=1000_00, currency="RUB")


@pytest.fixture
def paid(opened: Payment, choose: Callable[..., Any]) -> Payment:
    """The same, confirmed, with a fee of 29.00."""
    choose(opened, "succeeds")
    return confirmation.confirm(opened.pk, now=timezone.now())


@pytest.fixture
def site(live_server: LiveServer, settings: Any) -> str:
    """Run a live server, so that the sandbox can deliver over real HTTP; return its URL."""
    settings.SITE_URL = live_server.url
    return live_server.url


@pytest.fixture
def api(alice: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(alice)
    return client


@pytest.fixture
def unsteady(settings: Any) -> type[Unsteady]:
    """Replace the sandbox with the Unsteady gateway and return its class."""
    settings.GATEWAY_CLASSES = {"sandbox": unsteady_gateway.PATH}
    Unsteady.break_before = Unsteady.break_after = Unsteady.fetch_breaks = 0
    Unsteady.refuse, Unsteady.invents, Unsteady.in_transaction = False, False, []
    return Unsteady


@pytest.fixture
def mallory_api(mallory: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(mallory)
    return client
