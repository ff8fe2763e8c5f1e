"""Fixtures and helpers for tests of pages: the demo's plans, Alice's browser, and the text of a page."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from billing_site.demo import plans
from subscriptions import catalogue, orders
from subscriptions.models import Plan, Price, Subscription
from tests.payments.faulty_gateway import PATH, Unsteady
from tests.subscriptions.bank import NOON, at
from tests.subscriptions.shop import pay_in


def button_address(page: str, button: str) -> str:
    """Return the address of a button of a fake gateway's page, whose own may end in a fragment, as Stripe's."""
    return f"{page.partition('#')[0]}/{button}"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def on_sale(db: None, now: datetime) -> None:
    """The demo's plans, in RUB and EUR a month: Basic 299 / 3.50, Standard 690 / 7.90, Premium 1490 / 15.90.

    The hourly plan costs 1.50 / 0.02 an hour.
    """
    put_on_sale(now=now)


def put_on_sale(*, now: datetime) -> None:
    """Write the rows that `plans.put_on_sale` makes, in two statements: its checks, one by one, take a hundred."""
    made = Plan.objects.bulk_create(
        Plan(code=code, position=position, **texts) for position, (code, texts, _, _) in enumerate(plans.PLANS, start=1)
    )
    Price.objects.bulk_create(
        Price(
            plan=plan, version=1, created_at=now, currency=currency, amount=amount,
            **{"can_pause": terms.get("metered", False)} | terms,
        )
        for plan, (_, _, terms, amounts) in zip(made, plans.PLANS, strict=True)
        for currency, amount in amounts.items()
    )  # fmt: skip


@pytest.fixture
def browser(alice: User, on_sale: None) -> Client:
    """Alice's browser, logged in."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def unsteady(settings: Any) -> type[Unsteady]:
    """Replace the sandbox gateway by one that fails on demand."""
    settings.GATEWAY_CLASSES = {"sandbox": PATH}
    Unsteady.break_before = Unsteady.break_after = Unsteady.fetch_breaks = 0
    Unsteady.refuse, Unsteady.invents, Unsteady.in_transaction = False, False, []
    return Unsteady


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at noon of 1 March 2026. Request it before the users, who log in by this clock."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def standard(clock: time_machine.Traveller, alice: User, on_sale: None) -> Subscription:
    """Alice's Standard plan for 690.00 a month since noon of 1 March. 310.00 and half of the month are left."""
    row = bought(alice, "standard", paid_in=1000_00)
    clock.move_to(HALF)
    return row


# Two minutes before half of the 31 days from noon of 1 March are over, and half.
NEAR_HALF = at(days=15, hours=11, minutes=58)
HALF = at(days=15, hours=12)


def bought(alice: User, plan: str, *, paid_in: int, when: datetime | None = None, **more: Any) -> Subscription:
    """Top up `paid_in` kopecks and buy a subscription in roubles, by default at noon of 1 March."""
    start = when or at()
    if paid_in:
        pay_in(alice, paid_in, at=start)
    return orders.subscribe(alice, catalogue.current(plan, "RUB"), now=start, **more)


def act(row: Subscription, now: datetime, do: Callable[[Any], None]) -> None:
    """Change a subscription through its book."""
    orders.change(row, now=now, act=do)


def address(row: Subscription, part: str = "") -> str:
    return f"/account/subscriptions/{row.public_id}/{part}"


SPACES = re.compile(r"[ \n\t\r]+")


def words(response: Any) -> str:
    """Return the text of <main> with single spaces. No-break spaces are kept."""
    html = response.content.decode()
    main = re.search(r"<main.*?</main>", html, re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", main.group() if main else html)
    return re.sub(r" ([.,:])", r"\1", SPACES.sub(" ", unescape(text)))


def hidden(response: Any) -> dict[str, str]:
    """Return the hidden fields of the page's forms, except Django's CSRF token."""
    return dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', response.content.decode()))


def heading(response: Any) -> str:
    match = re.search(r"<h1[^>]*>(.*?)</h1>", response.content.decode(), re.DOTALL)
    return SPACES.sub(" ", unescape(re.sub(r"<[^>]+>", "", match.group(1)))).strip() if match else ""
