"""Closing an account while a first order in another currency is being made: it is blocked, whoever comes first."""

from threading import Event

import pytest
from django.db import transaction

from accounts.models import User
from subscriptions import books, closure
from subscriptions.models import Subscription
from tests.concurrency.sessions import at_once
from tests.subscriptions.bank import at, broken_rules
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prices():
    """A free server, which runs without money, and a plan with a trial."""
    free = sell("free", EUR=0, interval="hour", metered=True)["EUR"]
    return [free, sell("tried", EUR=9_90, trial_days=30)["EUR"]]


def statuses(user: User) -> list[str]:
    return list(Subscription.objects.filter(customer=user).order_by("pk").values_list("status", flat=True))


def test_an_order_that_came_first_is_paused_by_the_closing(alice, prices):
    is_open, is_closed = Event(), Event()

    def order() -> None:
        with books.open(alice, "EUR", now=at()) as book:
            is_open.set()
            # The closing must not end before this order does. It waits, so this waits in vain.
            assert not is_closed.wait(1)
            for price in prices:
                book.subscribe(price)

    def close() -> None:
        assert is_open.wait(30)
        closure.close(User.objects.get(pk=alice.pk), now=at(seconds=1))
        is_closed.set()

    at_once([order, close])
    # The trial has begun before and runs out; nothing starts at its end.
    assert statuses(alice) == ["paused", "trialing"]
    assert broken_rules() == []


def test_an_order_that_comes_later_starts_nothing(alice, prices):
    is_closing, is_waiting = Event(), Event()

    def close() -> None:
        with transaction.atomic():
            closure.close(User.objects.get(pk=alice.pk), now=at())
            is_closing.set()
            # The order must not see the account open while this is not committed.
            assert not is_waiting.wait(1)

    def order() -> None:
        assert is_closing.wait(30)
        with books.open(alice, "EUR", now=at(seconds=1)) as book:
            is_waiting.set()
            for price in prices:
                book.subscribe(price)

    at_once([close, order])
    assert statuses(alice) == ["pending", "pending"]
    assert broken_rules() == []
