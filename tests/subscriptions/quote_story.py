"""What tests of quotes share: a metered plan, when a change comes, what a stale quote leaves. No test lives here."""

from datetime import datetime
from typing import Any

import pytest

from accounts.models import User
from subscriptions import books, quotes
from subscriptions.models import Quote, Subscription
from tests.subscriptions.bank import NOON, hourly
from tests.subscriptions.picture import picture
from tests.subscriptions.shop import pay_in


def metered(alice: User) -> Subscription:
    pay_in(alice, 2000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        return book.subscribe(hourly())


def effect(quote: Quote) -> datetime:
    """When it says that the change comes."""
    assert quote.takes_effect_at is not None
    return quote.takes_effect_at


def shown(quote: Quote) -> list[tuple[Any, Any]]:
    return [(line["reason"], line["amount"]) for line in quote.lines]


def changed(quote: Quote, *, now: datetime) -> Quote:
    """Accept it, find it stale, and nothing done; return the new quote."""
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
