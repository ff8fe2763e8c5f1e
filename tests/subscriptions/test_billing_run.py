"""The billing run: what is due and nothing else, whoever is broken, however late, whatever the clock does."""

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import call_command
from django.db import connection

from accounts.models import Event, User
from ledger import clock
from subscriptions import billing_run, books, tasks
from subscriptions.models import Book, Charge, Price, Subscription
from tests.subscriptions.bank import (
    DAY,
    HOUR,
    MICROSECOND,
    NOON,
    at,
    balance,
    basic,
    broken_rules,
    hourly,
    people,
    settle,
)
from tests.subscriptions.picture import lines, picture
from tests.subscriptions.shop import pay_in, wallet

pytestmark = pytest.mark.django_db
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


def book_of(user: User) -> Book:
    return Book.objects.get(wallet__owner=user)


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


def test_what_is_due_is_settled_and_what_is_not_is_left(alice, mallory):
    price = basic()
    [early] = due_in_april(1, price)
    pay_in(mallory, 2000_00, at=at(days=1))
    with books.open(mallory, "RUB", now=at(days=1)) as book:
        book.subscribe(price)
    before = picture(mallory)
    assert books.run_due(now=APRIL - MICROSECOND) == books.Run()
    assert books.run_due(now=APRIL) == books.Run(books=1, charges=1)
    assert lines(early)[-1] == ("charge", -990_00, 20_00, APRIL)
    assert picture(mallory) == before


def test_a_second_run_at_the_same_instant_has_nothing_to_do():
    customers = due_in_april(3, basic())
    assert books.run_due(now=APRIL + HOUR) == books.Run(books=3, charges=3)
    before = picture(*customers)
    assert books.run_due(now=APRIL + HOUR) == books.Run()
    assert picture(*customers) == before


def test_the_task_is_a_poke_that_settles_what_is_due():
    user, due = due_of_late()
    tasks.bill_due()
    tasks.bill_due()
    assert lines(user)[-1] == ("charge", -990_00, 20_00, due)


@pytest.mark.parametrize("off", [-40 * DAY, 5 * DAY, 4000 * DAY])
def test_a_worker_whose_clock_is_wrong_charges_by_the_databases(off):
    user, due = due_of_late()
    with time_machine.travel(clock.now() + off):
        tasks.bill_due()
    assert lines(user)[-1] == ("charge", -990_00, 20_00, due)
    settled_at = book_of(user).settled_at
    assert settled_at
    assert settled_at < clock.now()


@pytest.mark.parametrize(
    ("plant", "reason"), [(in_the_way, "one_charge_per_subscription"), (corrupt, "AssertionError")]
)
def test_a_poisoned_book_is_parked_with_its_reason_and_the_rest_goes_on(plant, reason):
    customers = due_in_april(20, basic())
    poisoned = customers[7]
    plant(poisoned)
    before = lines(poisoned)
    run = books.run_due(now=APRIL + HOUR, batch=8)
    assert run == books.Run(books=19, charges=19, parked=1)
    for user in customers:
        if user != poisoned:
            assert lines(user)[-1] == ("charge", -990_00, 20_00, APRIL)
    book = book_of(poisoned)
    assert (book.parked_at, book.settled_at) == (APRIL + HOUR, NOON)
    assert reason in book.parked_reason
    assert lines(poisoned) == before
    # It holds nobody up again, and stays parked with the first reason.
    assert books.run_due(now=APRIL + 2 * HOUR) == books.Run()
    assert book_of(poisoned).parked_at == APRIL + HOUR


def test_a_batch_of_nothing_but_poison_parks_each():
    customers = due_in_april(5, basic())
    for user in customers:
        corrupt(user)
    assert books.run_due(now=APRIL, batch=2) == books.Run(parked=5)


def test_a_parked_book_revives_when_it_is_repaired_and_opened():
    [user] = due_in_april(1, basic())
    corrupt(user)
    assert books.run_due(now=APRIL + HOUR).parked == 1
    repair(user)
    settle(user, APRIL + 2 * HOUR)
    book = book_of(user)
    assert (book.parked_at, book.parked_reason, book.settled_at) == (None, "", APRIL + 2 * HOUR)
    # The renewal is dated when it was due, not when it was repaired.
    assert lines(user)[-1] == ("charge", -990_00, 20_00, APRIL)
    assert broken_rules() == []


def test_staff_settle_a_repaired_book_and_a_broken_one_stays_parked():
    good, bad = due_in_april(2, basic())
    for user in (good, bad):
        corrupt(user)
    assert books.run_due(now=APRIL + HOUR).parked == 2
    repair(good)
    ids = [wallet(user, "RUB").pk for user in (bad, good)]
    run = billing_run.settle_books(ids, APRIL + 2 * HOUR)
    assert run == books.Run(books=1, charges=1, parked=1)
    assert (book_of(good).parked_at, book_of(bad).parked_at) == (None, APRIL + 2 * HOUR)


def test_access_of_a_parked_book_is_still_worked_out(alice):
    [user] = due_in_april(1, basic())
    in_the_way(user)
    books.run_due(now=APRIL + HOUR)
    row = Subscription.objects.get(customer=user)
    assert books.access(row, now=APRIL + HOUR).active is True


def test_a_time_limit_that_strikes_in_the_middle_parks_nobody():
    """Celery raises it wherever the run happens to be; the book at hand is not at fault."""
    customers = due_in_april(6, basic())
    struck: list[str] = []

    def strike(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO subscriptions_charge" in sql and len(struck) < 2:
            struck.append(sql)
            raise SoftTimeLimitExceeded
        return execute(sql, params, many, context)

    # Of the batch, and then of a book on its own.
    for _ in range(2):
        with connection.execute_wrapper(strike), pytest.raises(SoftTimeLimitExceeded):
            books.run_due(now=APRIL + HOUR)
    assert not Book.objects.exclude(parked_at=None).exists()
    assert books.run_due(now=APRIL + HOUR) == books.Run(books=6, charges=6)
    assert {balance(user) for user in customers} == {20_00}


def test_an_error_that_is_no_books_fault_is_not_swallowed():
    due_in_april(1, basic())

    def strike(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "SKIP LOCKED" in sql:
            raise KeyError("claim")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(strike), pytest.raises(KeyError, match="claim"):
        books.run_due(now=APRIL + HOUR)


def test_a_clock_that_jumped_a_year_bills_nothing_and_tells_staff():
    customers = due_in_april(3, basic())
    before = picture(*customers)
    run = books.run_due(now=NOON + timedelta(days=366))
    assert run == books.Run(held_back=3)
    assert picture(*customers) == before
    # The clock is right again.
    assert books.run_due(now=APRIL + HOUR) == books.Run(books=3, charges=3)


@pytest.mark.parametrize(("late", "held_back"), [(7 * DAY - MICROSECOND, 0), (7 * DAY, 1), (30 * DAY, 1)])
def test_what_is_overdue_for_a_week_waits_for_staff(late, held_back):
    [user] = due_in_april(1, basic())
    run = books.run_due(now=APRIL + late)
    assert (run.books, run.held_back) == (1 - held_back, held_back)
    assert [book.wallet.owner for book in billing_run.waiting(APRIL + late)] == [user] * held_back


def test_a_held_back_book_is_not_wrong_meanwhile_and_its_customer_can_use_it():
    [user] = due_in_april(1, basic())
    now = APRIL + 20 * DAY
    row = Subscription.objects.get(customer=user)
    assert books.access(row, now=now).active is True
    assert books.peek(user, "RUB", now=now).available == 20_00
    # A request of the customer settles the book, as it always does.
    pay_in(user, 1_00, at=now)
    assert lines(user)[-2:] == [("charge", -990_00, 20_00, APRIL), ("top_up", 1_00, 21_00, now)]
    assert billing_run.waiting(now).count() == 0


def test_a_dry_run_is_what_catching_up_then_posts():
    customers = due_in_april(2, basic())
    for user in customers:
        with books.open(user, "RUB", now=at(days=2)) as book:
            book.subscribe(hourly(1, f"h{user.pk}"))
    now = NOON + 60 * DAY
    before = picture(*customers)
    foreseen = {user.pk: billing_run.dry_run(wallet(user, "RUB").pk, now) for user in customers}
    assert picture(*customers) == before
    done = {user.pk: len(lines(user)) for user in customers}
    assert books.run_due(now=now, catch_up=True).books == 2
    for user in customers:
        assert [(line.reason, line.amount, line.at) for line in foreseen[user.pk]] == [
            (reason, amount, when) for reason, amount, _, when in lines(user)[done[user.pk] :]
        ]
        names = set(Subscription.objects.filter(customer=user).values_list("public_id", flat=True))
        assert {line.subscription for line in foreseen[user.pk]} == names
        assert {line.currency for line in foreseen[user.pk]} == {"RUB"}


def test_the_command_tells_what_waits_shows_it_and_catches_up():
    [user] = due_in_april(1, basic())
    name = Subscription.objects.get(customer=user).public_id
    now = APRIL + 20 * DAY
    said = command(now=now)
    assert "books settled 0" in said
    assert "Books overdue for too long: 1." in said
    assert command("--dry-run", now=now) == "No money would move.\n"
    assert command("--catch-up", "--dry-run", now=now) == (
        f"2026-04-01T12:00:00Z  {user}  -990.00 RUB  charge  {name}\n"
    )
    [line] = command("--catch-up", "--dry-run", "--json", now=now).splitlines()
    assert json.loads(line) == {
        "at": "2026-04-01T12:00:00Z", "customer": user.username, "amount": "-990.00 RUB", "reason": "charge",
        "subscription": name,
    }  # fmt: skip
    assert len(lines(user)) == 2
    assert json.loads(command("--catch-up", "--json", now=now)) == {
        "books": 1, "charges": 1, "parked": 0, "held_back": 0,
    }  # fmt: skip
    assert "books settled 0" in command(now=now)
    assert lines(user)[-1] == ("charge", -990_00, 20_00, APRIL)


def test_a_clock_that_goes_back_neither_bills_again_nor_takes_anything_back():
    customers = due_in_april(3, basic())
    for user in customers:
        with books.open(user, "RUB", now=at(days=1)) as book:
            book.subscribe(hourly(code=f"h{user.pk}"))
    books.run_due(now=at(days=2))
    before = picture(*customers)
    for now in (at(days=2) - HOUR, at(days=1), NOON - timedelta(days=400)):
        assert books.run_due(now=now) == books.Run()
        assert billing_run.settle_books([book.pk for book in Book.objects.all()], now).charges == 0
    assert picture(*customers) == before
    # A clock that comes back goes on where the book stands.
    assert books.run_due(now=at(days=2) + HOUR) == books.Run(books=3, charges=3)
    assert broken_rules() == []


@pytest.mark.parametrize("minutes", [37, 60, 1440, 10_000])
def test_ticks_at_any_cut_come_to_the_same_as_one_settling(minutes):
    """One wallet, a month and two servers of odd rates, until long after it ran dry."""
    once, ticked = people(2)
    prices = [basic(), hourly(3_57), hourly(1_13, "odd")]
    for user in (once, ticked):
        pay_in(user, 1100_00, at=NOON)
        with books.open(user, "RUB", now=NOON) as book:
            for price in prices:
                book.subscribe(price)
    end = at(days=32)
    now = at(minutes=minutes)
    # What remains after the month was paid lasts for about 23 hours of the servers.
    while now < at(days=2):
        settle(ticked, now)
        now += timedelta(minutes=minutes)
    for user in (once, ticked):
        settle(user, end)
    assert totals(once) == totals(ticked)
    assert broken_rules() == []


def totals(user: User) -> Any:
    """What does not depend on how metered charges are cut: what each cost, statuses, fractions, and when what was."""
    drawn = picture(user)[user.username]
    return (
        drawn["accounts"],
        {name: fields[:-1] for name, fields in drawn["subscriptions"].items()},
        {name: sum(row[4] for row in rows) for name, rows in drawn["charges"].items()},
        [event for event in drawn["events"] if event[0] != "wallet.low_balance"],
    )


def test_everything_within_one_microsecond_has_one_order():
    """Period's end, money in, tick and cancel at the same instant: the boundary first, then what comes in."""
    [user] = people(1)
    pay_in(user, 990_00, at=NOON)
    with books.open(user, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    assert books.run_due(now=APRIL).books == 1
    mine.refresh_from_db()
    assert mine.status == "suspended"
    pay_in(user, 990_00, at=APRIL)
    with books.open(user, "RUB", now=APRIL) as book:
        book.cancel(mine, when="now", refund_unused=True)
    assert books.run_due(now=APRIL) == books.Run()
    assert [row[0] for row in lines(user)] == ["top_up", "charge", "top_up", "charge", "unused_refund"]
    assert balance(user) == 990_00
    changes = Event.objects.filter(customer=user, effective_at=APRIL).order_by("id").values_list("type", flat=True)
    assert list(changes) == ["subscription.suspended", "subscription.activated", "subscription.cancelled"]
    assert broken_rules() == []
