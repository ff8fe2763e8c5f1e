"""A book on the bare engine, for what a scenario cannot say or does not show. No test lives here."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from subscriptions.engine import metering
from subscriptions.engine.book import Book, Charge
from subscriptions.engine.calendar import to_micros
from subscriptions.engine.funds import top_up
from subscriptions.engine.operations import subscribe
from subscriptions.engine.subscription import Sub, Terms
from tests.subscriptions.engine.story import full

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def instant(text: str) -> int:
    """Return `04-01 00:00` of 2026 in microseconds."""
    return to_micros(datetime.fromisoformat(full(text)))


def monthly(plan: str, amount: int, **more: Any) -> Terms:
    return Terms(more.pop("id", plan), plan, amount, more.pop("interval", "month"), **more)


def metered(plan: str, amount: int, **more: Any) -> Terms:
    """Return a rate for an hour."""
    return monthly(plan, amount, interval="hour", metered=True, **more)


def funded(money: int, at: str = "03-01") -> Book:
    """Return a book with so many kopecks in the wallet."""
    book = Book()
    top_up(book, instant(at), money)
    return book


def bought(book: Book, at: str, terms: Terms, **more: Any) -> Sub:
    """Return a new subscription of the book."""
    sub = Sub(len(book.subs), terms, **more)
    assert subscribe(book, instant(at), sub) is None
    return sub


def spans(charges: list[Charge]) -> list[tuple[int, int, int]]:
    """Return (start, end of the use, amount) of each charge."""
    return [(row.start, row.end if row.ended_at is None else row.ended_at, row.amount) for row in charges]


@contextmanager
def counting_units() -> Iterator[Counter[str]]:
    """Count the calls of `metering.units`, which everything about meters goes through, under the key "calls"."""
    counted: Counter[str] = Counter()
    plain = metering.units

    def units(*args: Any) -> int:
        counted["calls"] += 1
        return plain(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metering, "units", units)
        yield counted
