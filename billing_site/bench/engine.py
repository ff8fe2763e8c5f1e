"""The pure engine: how many months of subscriptions it settles in a second."""

import time
from typing import Any

from subscriptions.engine import operations
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import plus
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Sub, Terms

MONTHLY = Terms("monthly", "monthly", 9_900, "month")
HOURLY = Terms("hourly", "hourly", 150, "hour", metered=True)


def months(books: int, months: int) -> dict[str, Any]:
    """Settle books of a monthly and an hourly subscription month by month."""
    made = [new_book() for _ in range(books)]
    began = time.perf_counter()
    for month in range(1, months + 1):
        now = plus(0, "month", month)
        for book in made:
            settle(book, now)
            book.journal.movements.clear()
            book.journal.charges.clear()
            book.journal.events.clear()
    return {"seconds": time.perf_counter() - began, "rows": books * months * 2}


def new_book() -> Book:
    """A funded book with two subscriptions."""
    book = Book()
    operations.top_up(book, 0, 10**9)
    for terms in (MONTHLY, HOURLY):
        operations.subscribe(book, 0, Sub(terms.id, terms))
    return book
