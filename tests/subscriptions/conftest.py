"""Fixtures: Alice's subscription, and a more expensive price."""

import pytest

from accounts.models import User
from subscriptions import books
from subscriptions.models import Price, Subscription
from tests.subscriptions.bank import NOON, basic
from tests.subscriptions.shop import pay_in, sell


@pytest.fixture
def better() -> Price:
    return sell("better", RUB=1500_00)["RUB"]


@pytest.fixture
def subscription(alice: User) -> Subscription:
    """Alice's subscription to basic, 990.00 a month since noon of 1 March, with 1010.00 left in the wallet."""
    pay_in(alice, 2000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        return book.subscribe(basic())
