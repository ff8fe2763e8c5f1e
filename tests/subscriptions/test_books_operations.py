"""What is asked of an opened book: cancel, pause, change of plan; all of it is written."""

import pytest

from ledger.models import Transaction
from subscriptions import books
from subscriptions.models import BillingClock, Charge
from tests.subscriptions.bank import NOON, at, balance, basic, broken_rules, settle
from tests.subscriptions.picture import lines
from tests.subscriptions.rows import charges, events
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db
APRIL = NOON.replace(month=4)


def test_a_cancel_at_the_end_is_noted_and_undone(alice):
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    with books.open(alice, "RUB", now=at(days=1)) as book:
        book.cancel(mine)
    mine.refresh_from_db()
    assert (mine.status, mine.cancel_requested) == ("active", True)
    with books.open(alice, "RUB", now=at(days=2)) as book:
        book.undo_cancel(mine)
        book.set_auto_renew(mine, False)
    mine.refresh_from_db()
    assert (mine.cancel_requested, mine.auto_renew) == (False, False)
    settle(alice, APRIL)
    mine.refresh_from_db()
    assert (mine.status, mine.ended_at) == ("expired", APRIL)
    assert [kind for kind, _, _ in events(alice)[-4:]] == [
        "cancel_requested", "cancel_undone", "auto_renew_changed", "expired",
    ]  # fmt: skip


def test_a_cancel_now_gives_the_unused_part_back_and_ends_the_charge(alice):
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    with books.open(alice, "RUB", now=at(days=10)) as book:
        book.cancel(mine, when="now", refund_unused=True)
    mine.refresh_from_db()
    # 21 of 31 days are left: 990 x 21 / 31 = 670.645..., rounded down.
    assert lines(alice)[-1] == ("unused_refund", 670_64, 670_64, at(days=10))
    assert charges(mine) == [(NOON, at(days=10), 990_00)]
    assert Charge.objects.get().refund_id == Transaction.objects.get(reason="unused_refund").pk
    assert (mine.status, mine.ended_at, BillingClock.objects.get().due_at) == ("cancelled", at(days=10), None)
    assert broken_rules() == []


def test_a_pause_keeps_the_rest_and_a_resume_gives_it(alice):
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    with books.open(alice, "RUB", now=at(days=10)) as book:
        book.pause(mine)
    mine.refresh_from_db()
    assert (mine.status, mine.paused_left, BillingClock.objects.get().due_at) == (
        "paused",
        21 * 24 * 3600 * 10**6,
        None,
    )
    with books.open(alice, "RUB", now=at(days=100)) as book:
        book.resume(mine)
    mine.refresh_from_db()
    assert (mine.status, mine.period_start, mine.period_end) == ("active", at(days=100), at(days=121))
    assert charges(mine) == [(NOON, at(days=10), 990_00), (at(days=100), at(days=121), 0)]
    assert balance(alice) == 0
    assert broken_rules() == []


def test_several_changes_in_one_opened_book_are_all_written(alice):
    """Paused and then cancelled for its rest, in one transaction: the one charge gets its end and its refund."""
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    with books.open(alice, "RUB", now=at(days=10)) as book:
        book.pause(mine)
        book.cancel(mine, refund_unused=True)
    charge = Charge.objects.get()
    assert (charge.ended_at, balance(alice)) == (at(days=10), 670_64)
    assert charge.refund_id == Transaction.objects.get(reason="unused_refund").pk
    assert broken_rules() == []


def test_a_plan_change_now_settles_the_old_gives_back_and_starts_the_new(alice):
    pay_in(alice, 2000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    other = sell("other", RUB=1500_00)["RUB"]
    with books.open(alice, "RUB", now=at(days=15, hours=12)) as book:
        book.change_plan(mine, other)
    mine.refresh_from_db()
    half = at(days=15, hours=12)
    # Half of March is left: 495.00 come back and 1500.00 buy a month from here.
    assert lines(alice)[-2:] == [("unused_refund", 495_00, 1505_00, half), ("charge", -1500_00, 5_00, half)]
    assert (mine.price, mine.anchor_at, mine.period_end) == (other, half, half.replace(month=4))
    assert events(alice)[-1] == ("plan_changed", half, "active")


def test_a_plan_change_at_the_end_is_remembered_and_done_there(alice):
    pay_in(alice, 2500_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    other = sell("other", RUB=1500_00)["RUB"]
    with books.open(alice, "RUB", now=at(days=1)) as book:
        book.change_plan(mine, other, when="period_end")
    mine.refresh_from_db()
    assert (mine.price.plan.code, mine.scheduled_price) == ("basic", other)
    settle(alice, APRIL)
    mine.refresh_from_db()
    assert (mine.price, mine.scheduled_price, balance(alice)) == (other, None, 10_00)
