"""The staff desk with many customers: how long its pages take, and how fast an export is read."""

import random
import time
from collections.abc import Callable
from datetime import date, timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Max
from django.test import Client, override_settings
from django.urls import Resolver404, resolve

from accounts.models import User
from billing_site.bench import http_load
from billing_site.desk.exports.csv_stream import Tally, stream
from billing_site.desk.exports.form import EXPORTS
from billing_site.desk.exports.table import Extract
from ledger.models import Transaction
from payments.models import Payment
from subscriptions import daily
from subscriptions.models import DailyFigure

# Turns before anything is measured, and payments from which those to search for are chosen.
WARM, SAMPLE = 2, 200
SEARCH_GOAL, PAGE_GOAL = 100, 300
# What every page of the admin needs: the session, the user, the templates. It reads nothing else.
BARE = "a page without data"
LISTS = (
    "payments/payment", "ledger/transaction", "ledger/account", "subscriptions/billingclock", "accounts/user",
    "subscriptions/subscription", "events/event",
)  # fmt: skip

# Pages link to files as they are, so that nobody need collect and compress them first.
PLAIN_FILES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

Address = Callable[[Payment], str]


def addresses() -> dict[str, tuple[int, Address]]:
    """Return by the name of each page that there is: the goal in milliseconds, and its address for a payment."""
    find = "/admin/search/?q="
    pages: dict[str, tuple[int, Address]] = {
        BARE: (PAGE_GOAL, lambda payment: "/admin/password_change/done/"),
        "search by mail": (SEARCH_GOAL, lambda payment: find + f"user{payment.customer_id}@example.com"),
        "search by name": (SEARCH_GOAL, lambda payment: find + f"Petrov{payment.customer_id}"),
        "search by payment id": (SEARCH_GOAL, lambda payment: find + payment.public_id),
        "search by gateway's id": (SEARCH_GOAL, lambda payment: find + str(payment.gateway_id)),
        "page of a customer": (PAGE_GOAL, lambda payment: f"/admin/customers/{payment.customer_id}/"),
        "first page": (PAGE_GOAL, lambda payment: "/admin/"),
        "figures": (PAGE_GOAL, lambda payment: "/admin/figures/"),
    }
    for each in LISTS:
        pages[f"list {each}"] = (PAGE_GOAL, lambda payment, each=each: f"/admin/{each}/")  # type: ignore[misc]
    example = Payment(customer_id=1, public_id="pay_1", gateway_id="1")
    return {name: page for name, page in pages.items() if _is_there(page[1](example))}


@override_settings(STORAGES=settings.STORAGES | PLAIN_FILES)
def pages(rounds: int, seconds: float) -> dict[str, Any]:
    """Ask for all pages in turn, `rounds` times, or for `seconds` a page on average, but at least three times.

    In turn, so that other work on the machine slows all of them alike. Return for each, as `pages`, the goal, and the
    50th and 99th percentile of its answers, in milliseconds. Raises RuntimeError for an answer that is neither a page
    nor a redirect to one.
    """
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("bench", "bench@example.com"))
    payments = list(Payment.objects.order_by("?")[:SAMPLE])
    # The same choice among them in each run.
    chance, asked = random.Random(11), addresses()  # noqa: S311 - no secret
    times: dict[str, list[float]] = {name: [] for name in asked}
    end = time.perf_counter() + seconds * len(asked)
    for turn in range(WARM + rounds):
        if turn >= WARM + 3 and time.perf_counter() > end:
            break
        for name, (_, address) in asked.items():
            times[name].append(_ask(client, address(chance.choice(payments))))
    return {"pages": {name: [goal, *http_load.percentiles(times[name][WARM:])] for name, (goal, _) in asked.items()}}


def figures_at_once(turns: int) -> dict[str, Any]:
    """Work out the figures while a page would wait, `turns` times each: those of the last week, and all of them.

    Return the medians in milliseconds, and how many rows of the ledger each reads. The roll-up is gone afterwards.
    """
    last = Transaction.objects.aggregate(last=Max("effective_at"))["last"]
    now = daily.midnight(last) + timedelta(days=1) - timedelta(seconds=1)
    open_since = daily.midnight(now) - daily.MOST_OPEN + timedelta(days=1)
    measured: dict[str, Any] = {}
    for name, since in (("week", open_since), ("all", daily.BEGINNING)):
        DailyFigure.objects.filter(day__gte=since.date()).delete()
        times = []
        for _ in range(turns):
            began = time.perf_counter()
            daily.by_currency(now=now)
            times.append(time.perf_counter() - began)
        rows = Transaction.objects.filter(effective_at__gte=since).count()
        measured[name] = {"milliseconds": median(times) * 1e3, "rows": rows}
    return measured


def export(first: str, last: str) -> dict[str, Any]:
    """Read the export of all transactions of these days. Return how long it took, and COPY of the same statement."""
    extract, tally = Extract(EXPORTS["transactions"], date.fromisoformat(first), date.fromisoformat(last)), Tally()
    began = time.perf_counter()
    size = sum(map(len, stream(extract, tally)))
    ours = time.perf_counter() - began
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
        with cursor.copy(f"COPY ({extract.export.sql}) TO STDOUT (FORMAT csv)", extract.parameters()) as copy:
            for _ in copy:
                pass
    theirs = time.perf_counter() - began
    return {"ours": tally.rows / ours, "theirs": tally.rows / theirs, "rows": tally.rows, "bytes": size}


def _is_there(address: str) -> bool:
    """Return whether a page has this address. The admin's last pattern, which has no name, takes all others."""
    try:
        return resolve(address.partition("?")[0]).url_name is not None
    except Resolver404:
        return False


def _ask(client: Client, address: str) -> float:
    """Return how many seconds an answer takes."""
    began = time.perf_counter()
    answer = client.get(address)
    took = time.perf_counter() - began
    if answer.status_code not in (200, 302):
        raise RuntimeError(f"GET {address} was answered with {answer.status_code}")
    return took
