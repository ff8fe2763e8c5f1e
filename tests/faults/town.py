"""Customers ("citizens"), each with a twin that no run touches and that shows the expected rows. No test lives here."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from accounts.models import User
from subscriptions import billing_run, books
from subscriptions.models import BillingClock, Price
from tests.subscriptions.bank import DAY, NOON, basic, hourly, settle
from tests.subscriptions.picture import of_one
from tests.subscriptions.shop import sell

NOW = NOON + 35 * DAY
BATCH = 4
CHILD = Path(__file__).with_name("child.py")


def populate(count: int, *, now: datetime = NOON) -> None:
    """Create citizens and twins with subscriptions. Each pair has a little more money than the one before."""
    prices = [basic(), hourly(36), sell("trial", RUB=10_00, trial_days=20, grace_days=2)["RUB"]]
    for place in range(count):
        for sort in ("citizen", "twin"):
            begin(
                User.objects.create(username=f"{sort}-{place:03}", email=f"{sort}-{place:03}@example.com"),
                place,
                prices,
                now,
            )
    BillingClock.objects.filter(wallet__owner__username__startswith="twin").update(due_at=None)


def begin(user: User, place: int, prices: list[Price], now: datetime) -> None:
    with books.open(user, "RUB", now=now) as book:
        book.top_up(995_00 + place * 130_03, key=f"in:{user.username}", source="gateway_clearing:sandbox")
        for price in prices:
            book.subscribe(price)


def settle_twins(now: datetime) -> None:
    """Settle each twin once, undisturbed: the result that runs must reach."""
    for user in users("twin"):
        settle(user, now)


def users(sort: str) -> list[User]:
    return list(User.objects.filter(username__startswith=sort).order_by("username"))


def census() -> dict[str, list[Any]]:
    """Return what is saved about the citizens and about the twins, in the same order."""
    return {sort: [of_one(user) for user in users(sort)] for sort in ("citizen", "twin")}


def due(now: datetime) -> int:
    return BillingClock.objects.filter(due_at__lte=now).count()


def run_child(environment: Mapping[str, str], *words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run child.py until it ends: run_child(env, "bill_due", now=NOW, at="claimed", turn=2)."""
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return subprocess.run(
        [sys.executable, str(CHILD), *flags, *words],
        env=dict(environment) | {"BILLING_BATCH": str(BATCH), "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True, text=True, check=False, timeout=120, cwd=CHILD.parent,
    )  # fmt: skip


def check_output(process: "subprocess.CompletedProcess[str]") -> str:
    """Assert that the child succeeded and return its output."""
    assert process.returncode == 0, process.stderr
    return process.stdout


def run_until_done(now: datetime) -> None:
    """Run billing until nothing is due: the locks of a killed process take a moment to go."""
    give_up = time.monotonic() + 30
    while due(now):
        assert time.monotonic() < give_up, f"{due(now)} books are still due"
        billing_run.run_due(now=now, catch_up=True, batch=BATCH)


def parse_census(text: str) -> Any:
    """Return the census that a child printed."""
    return json.loads(text)
