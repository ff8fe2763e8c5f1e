"""Helpers: customers with a due renewal, broken books, and the bill_due command. No test lives here."""

from datetime import datetime
from io import StringIO
from unittest import mock

from django.core.management import call_command

from accounts.models import User
from core import clock
from subscriptions import books
from subscriptions.models import BillingClock, Charge, Price, Subscription
from tests.subscriptions.bank import DAY, HOUR, NOON, basic, people
from tests.subscriptions.shop import pay_in

APRIL = NOON.replace(month=4)


def due_in_april(count: int, price: Price) -> list[User]:
    """Create customers with a renewal due on 1 April, and money for it."""
    customers = people(count)
    for user in customers:
        pay_in(user, 2000_00, at=NOON)
        with books.open(user, "RUB", now=NOON) as book:
            book.subscribe(price)
    return customers


def recently_due() -> tuple[User, datetime]:
    """Return a customer whose renewal was due a few days ago by the real clock, and when it was due."""
    [user] = people(1)
    began = clock.now() - 32 * DAY
    pay_in(user, 2000_00, at=began)
    with books.open(user, "RUB", now=began) as book:
        book.subscribe(basic())
    due = Subscription.objects.get(customer=user).period_end
    assert due is not None
    return user, due


def clock_of(user: User) -> BillingClock:
    return BillingClock.objects.get(wallet__owner=user)


def block_next_charge(user: User, *, period: datetime = APRIL) -> None:
    """Insert a charge where the next one must go, so that the database refuses the next one."""
    charge = Charge.objects.filter(subscription__customer=user).latest("id")
    Charge.objects.create(
        subscription=charge.subscription, customer=user, price=charge.price, amount=0,
        period_start=period, period_end=period + HOUR,
    )  # fmt: skip


def corrupt(user: User) -> None:
    """Break the subscription: an active advance plan without an anchor."""
    Subscription.objects.filter(customer=user).update(anchor_at=None)


def repair(user: User) -> None:
    Subscription.objects.filter(customer=user).update(anchor_at=NOON)


def run_command(*options: str, now: datetime) -> str:
    """Run bill_due while the database's clock says `now`, and return its output."""
    out = StringIO()
    with mock.patch.object(clock, "now", return_value=now):
        call_command("bill_due", *options, stdout=out)
    return out.getvalue()
