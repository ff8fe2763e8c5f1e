"""Books overdue for longer than BILLING_MAX_CATCH_UP wait for staff."""

import json
from datetime import timedelta

import pytest

from subscriptions import billing_run, books, overview
from subscriptions.models import Subscription
from tests.subscriptions.bank import DAY, HOUR, MICROSECOND, NOON, at, basic, hourly
from tests.subscriptions.due_books import APRIL, due_in_april, run_command
from tests.subscriptions.picture import lines, picture
from tests.subscriptions.shop import pay_in, wallet

pytestmark = pytest.mark.django_db


def test_a_clock_that_jumps_a_year_bills_nothing():
    customers = due_in_april(3, basic())
    before = picture(*customers)
    run = billing_run.run_due(now=NOON + timedelta(days=366))
    assert run == billing_run.Run(held_back=3)
    assert picture(*customers) == before
    # The clock is right again.
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run(books=3, charges=3)


@pytest.mark.parametrize(("late", "held_back"), [(7 * DAY - MICROSECOND, 0), (7 * DAY, 1), (30 * DAY, 1)])
def test_books_overdue_for_a_week_wait_for_staff(late, held_back):
    [user] = due_in_april(1, basic())
    run = billing_run.run_due(now=APRIL + late)
    assert (run.books, run.held_back) == (1 - held_back, held_back)
    assert [book.wallet.owner for book in billing_run.waiting(APRIL + late)] == [user] * held_back


def test_an_overdue_book_stays_correct_and_usable():
    [user] = due_in_april(1, basic())
    now = APRIL + 20 * DAY
    row = Subscription.objects.get(customer=user)
    assert overview.access(row, now=now).active is True
    assert overview.peek(user, "RUB", now=now).available == 20_00
    # A request of the customer settles the book as usual.
    pay_in(user, 1_00, at=now)
    assert lines(user)[-2:] == [("charge", -990_00, 20_00, APRIL), ("top_up", 1_00, 21_00, now)]
    assert billing_run.waiting(now).count() == 0


def test_a_dry_run_shows_what_catching_up_posts():
    customers = due_in_april(2, basic())
    for user in customers:
        with books.open(user, "RUB", now=at(days=2)) as book:
            book.subscribe(hourly(1, f"h{user.pk}"))
    now = NOON + 60 * DAY
    before = picture(*customers)
    previews = {user.pk: billing_run.dry_run(wallet(user, "RUB").pk, now) for user in customers}
    assert picture(*customers) == before
    counts = {user.pk: len(lines(user)) for user in customers}
    assert billing_run.run_due(now=now, catch_up=True).books == 2
    for user in customers:
        assert [(line.reason, line.amount, line.at) for line in previews[user.pk]] == [
            (reason, amount, when) for reason, amount, _, when in lines(user)[counts[user.pk] :]
        ]
        names = set(Subscription.objects.filter(customer=user).values_list("public_id", flat=True))
        assert {line.subscription for line in previews[user.pk]} == names
        assert {line.currency for line in previews[user.pk]} == {"RUB"}


def test_the_command_reports_previews_and_settles_overdue_books():
    [user] = due_in_april(1, basic())
    name = Subscription.objects.get(customer=user).public_id
    now = APRIL + 20 * DAY
    output = run_command(now=now)
    assert "books settled 0" in output
    assert "Books overdue for too long: 1." in output
    assert run_command("--dry-run", now=now) == "No money would move.\n"
    assert run_command("--catch-up", "--dry-run", now=now) == (
        f"2026-04-01T12:00:00Z  {user}  -990.00 RUB  charge  {name}\n"
    )
    [line] = run_command("--catch-up", "--dry-run", "--json", now=now).splitlines()
    assert json.loads(line) == {
        "at": "2026-04-01T12:00:00Z", "customer": user.username, "amount": "-990.00 RUB", "reason": "charge",
        "subscription": name,
    }  # fmt: skip
    assert len(lines(user)) == 2
    assert json.loads(run_command("--catch-up", "--json", now=now)) == {
        "books": 1, "charges": 1, "parked": 0, "held_back": 0,
    }  # fmt: skip
    assert "books settled 0" in run_command(now=now)
    assert lines(user)[-1] == ("charge", -990_00, 20_00, APRIL)
