"""Everything the demo sells, and Alice at her browser."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from billing_site.demo import plans
from subscriptions.models import Subscription
from tests.pages.clockwork import HALF, bought
from tests.payments.unsteady import PATH, Unsteady
from tests.subscriptions.bank import NOON


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def on_sale(db: None, now: datetime) -> None:
    """Basic 299.00 RUB or 3.50 EUR a month, Standard 690.00 / 7.90, Premium 1490.00 / 15.90, hourly 1.50 / 0.02."""
    plans.put_on_sale(now=now)


@pytest.fixture
def browser(alice: User, on_sale: None) -> Client:
    """Alice, signed in."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def unsteady(settings: Any) -> type[Unsteady]:
    """A sandbox that breaks as told, in the sandbox's place."""
    settings.GATEWAY_CLASSES = {"sandbox": PATH}
    Unsteady.break_before = Unsteady.break_after = Unsteady.fetch_breaks = 0
    Unsteady.refuse, Unsteady.invents, Unsteady.in_transaction = False, False, []
    return Unsteady


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Noon of 1 March 2026, and standing still until it is moved. Asked for before the people, who log in by it."""
    with time_machine.travel(NOON, tick=False) as travelled:
        yield travelled


@pytest.fixture
def standard(clock: time_machine.Traveller, alice: User, on_sale: None) -> Subscription:
    """690.00 a month since noon of 1 March, 310.00 left; half of March is left."""
    row = bought(alice, "standard", paid_in=1000_00)
    clock.move_to(HALF)
    return row
