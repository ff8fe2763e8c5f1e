"""Helpers for tests of quotes. No test lives here."""

from datetime import datetime
from typing import Any

import pytest

from accounts.models import User
from subscriptions import books, quote_lines, quotes
from subscriptions.models import Quote, Subscription
from tests.subscriptions.bank import NOON, hourly
from tests.subscriptions.picture import picture
from tests.subscriptions.shop import pay_in


def metered(alice: User) -> Subscription:
    """Return a subscription of Alice to the hourly plan, with 2000.00 paid in."""
    pay_in(alice, 2000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        return book.subscribe(hourly())


def movements(quote: Quote) -> list[tuple[Any, Any]]:
    return [(line["reason"], line["amount"]) for line in quote.lines]


def formulas(quote: Quote) -> list[str]:
    return [line.formula for line in quote_lines.read(quote)]


def assert_stale(quote: Quote, *, now: datetime) -> Quote:
    """Assert that accepting the quote changes nothing and returns a new quote; return that."""
    customer = quote.subscription.customer
    before = picture(customer)
    with pytest.raises(quotes.QuoteChanged) as error:
        quotes.accept(quote, now=now)
    assert picture(customer) == before
    quote.refresh_from_db()
    assert quote.used_at is None
    assert error.value.quote.pk != quote.pk
    assert error.value.extra == {"quote": error.value.quote.public_id}
    return error.value.quote
