"""Customers of all sorts, each with a twin whom no billing run touches: what a run must come to. No test lives here."""

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


def found(count: int, *, now: datetime = NOON) -> None:
    """Let customers and their twins subscribe. Each pair has a little more money than the one before."""
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
    """What a run must come to: each twin settled alone, once, by nobody who dies."""
    for user in everybody("twin"):
        settle(user, now)


def everybody(sort: str) -> list[User]:
    return list(User.objects.filter(username__startswith=sort).order_by("username"))


def census() -> dict[str, list[Any]]:
    """What is written about each citizen, and about the twins, in the same order."""
    return {sort: [of_one(user) for user in everybody(sort)] for sort in ("citizen", "twin")}


def due(now: datetime) -> int:
    return BillingClock.objects.filter(due_at__lte=now).count()


def child(environment: Mapping[str, str], *words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run child.py to its end, whatever that is: child(env, "bill_due", now=NOW, at="claimed", turn=2)."""
    given = [piece for name, value in options.items() for piece in (f"--{name}", str(value))]
    return subprocess.run(
        [sys.executable, str(CHILD), *given, *words],
        env=dict(environment) | {"BILLING_BATCH": str(BATCH), "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True, text=True, check=False, timeout=120, cwd=CHILD.parent,
    )  # fmt: skip


def well(process: "subprocess.CompletedProcess[str]") -> str:
    """Assert that the child came to a good end; return what it said."""
    assert process.returncode == 0, process.stderr
    return process.stdout


def run_on(now: datetime) -> None:
    """Later runs, by a process that lives, until nothing is due: a dead one's locks take a moment to go."""
    give_up = time.monotonic() + 30
    while due(now):
        assert time.monotonic() < give_up, f"{due(now)} books are still due"
        billing_run.run_due(now=now, catch_up=True, batch=BATCH)


def counted(text: str) -> Any:
    """What a child counted."""
    return json.loads(text)
