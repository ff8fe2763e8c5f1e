"""Customers whose renewal is due, books that cannot be settled, and the command. No test lives here."""

from datetime import datetime
from io import StringIO

import time_machine
from django.core.management import call_command

from accounts.models import User
from core import clock
from subscriptions import books
from subscriptions.models import BillingClock, Charge, Price, Subscription
from tests.subscriptions.bank import DAY, HOUR, NOON, basic, people
from tests.subscriptions.shop import pay_in

APRIL = NOON.replace(month=4)


def due_in_april(count: int, price: Price) -> list[User]:
    """Customers with money for one renewal."""
    customers = people(count)
    for user in customers:
        pay_in(user, 2000_00, at=NOON)
        with books.open(user, "RUB", now=NOON) as book:
            book.subscribe(price)
    return customers


def due_of_late() -> tuple[User, datetime]:
    """A customer whose renewal came due within the last days, by the clock on the wall; and when it did."""
    [user] = people(1)
    began = clock.now() - 32 * DAY
    pay_in(user, 2000_00, at=began)
    with books.open(user, "RUB", now=began) as book:
        book.subscribe(basic())
    due = Subscription.objects.get(customer=user).period_end
    assert due is not None
    return user, due


def book_of(user: User) -> BillingClock:
    return BillingClock.objects.get(wallet__owner=user)


def in_the_way(user: User, *, period: datetime = APRIL) -> None:
    """Plant a charge where the next one must go: the database will refuse that."""
    mine = Charge.objects.filter(subscription__customer=user).latest("id")
    Charge.objects.create(
        subscription=mine.subscription, customer=user, price=mine.price, amount=0,
        period_start=period, period_end=period + HOUR,
    )  # fmt: skip


def corrupt(user: User) -> None:
    """Plant a state that the engine does not know what to do with: paid for, and counted from no instant."""
    Subscription.objects.filter(customer=user).update(anchor_at=None)


def repair(user: User) -> None:
    Subscription.objects.filter(customer=user).update(anchor_at=NOON)


def command(*words: str, now: datetime) -> str:
    out = StringIO()
    with time_machine.travel(now, tick=False):
        call_command("bill_due", *words, stdout=out)
    return out.getvalue()
