"""Operations on an open book are saved: cancel, pause, resume and plan changes."""

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


def test_a_cancel_request_can_be_undone(alice):
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    with books.open(alice, "RUB", now=at(days=1)) as book:
        book.cancel(subscription)
    subscription.refresh_from_db()
    assert (subscription.status, subscription.cancel_requested) == ("active", True)
    with books.open(alice, "RUB", now=at(days=2)) as book:
        book.undo_cancel(subscription)
        book.set_auto_renew(subscription, False)
    subscription.refresh_from_db()
    assert (subscription.cancel_requested, subscription.auto_renew) == (False, False)
    settle(alice, APRIL)
    subscription.refresh_from_db()
    assert (subscription.status, subscription.ended_at) == ("expired", APRIL)
    assert [kind for kind, _, _ in events(alice)[-4:]] == [
        "cancel_requested", "cancel_undone", "auto_renew_changed", "expired",
    ]  # fmt: skip


def test_cancelling_now_refunds_unused_time_and_ends_the_charge(alice):
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    with books.open(alice, "RUB", now=at(days=10)) as book:
        book.cancel(subscription, when="now", refund_unused=True)
    subscription.refresh_from_db()
    # 21 of 31 days are left: 990 x 21 / 31 = 670.645..., rounded down.
    assert lines(alice)[-1] == ("unused_refund", 670_64, 670_64, at(days=10))
    assert charges(subscription) == [(NOON, at(days=10), 990_00)]
    assert Charge.objects.get().refund_id == Transaction.objects.get(reason="unused_refund").pk
    assert (subscription.status, subscription.ended_at, BillingClock.objects.get().due_at) == (
        "cancelled",
        at(days=10),
        None,
    )
    assert broken_rules() == []


def test_pause_and_resume_keep_the_remaining_time(alice):
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    with books.open(alice, "RUB", now=at(days=10)) as book:
        book.pause(subscription)
    subscription.refresh_from_db()
    assert (subscription.status, subscription.paused_left, BillingClock.objects.get().due_at) == (
        "paused",
        21 * 24 * 3600 * 10**6,
        None,
    )
    with books.open(alice, "RUB", now=at(days=100)) as book:
        book.resume(subscription)
    subscription.refresh_from_db()
    assert (subscription.status, subscription.period_start, subscription.period_end) == (
        "active",
        at(days=100),
        at(days=121),
    )
    assert charges(subscription) == [(NOON, at(days=10), 990_00), (at(days=100), at(days=121), 0)]
    assert balance(alice) == 0
    assert broken_rules() == []


def test_several_operations_in_one_open_book_are_all_saved(alice):
    """A pause and a cancellation with refund in one transaction set the end and the refund of one charge."""
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    with books.open(alice, "RUB", now=at(days=10)) as book:
        book.pause(subscription)
        book.cancel(subscription, refund_unused=True)
    charge = Charge.objects.get()
    assert (charge.ended_at, balance(alice)) == (at(days=10), 670_64)
    assert charge.refund_id == Transaction.objects.get(reason="unused_refund").pk
    assert broken_rules() == []


def test_a_plan_change_now_refunds_the_old_plan_and_charges_the_new(alice):
    pay_in(alice, 2000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    other = sell("other", RUB=1500_00)["RUB"]
    with books.open(alice, "RUB", now=at(days=15, hours=12)) as book:
        book.change_plan(subscription, other)
    subscription.refresh_from_db()
    half = at(days=15, hours=12)
    # Half of March is left: 495.00 is refunded and 1500.00 buys a month from here.
    assert lines(alice)[-2:] == [("unused_refund", 495_00, 1505_00, half), ("charge", -1500_00, 5_00, half)]
    assert (subscription.price, subscription.anchor_at, subscription.period_end) == (other, half, half.replace(month=4))
    assert events(alice)[-1] == ("plan_changed", half, "active")


def test_a_scheduled_plan_change_happens_at_the_end_of_the_period(alice):
    pay_in(alice, 2500_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    other = sell("other", RUB=1500_00)["RUB"]
    with books.open(alice, "RUB", now=at(days=1)) as book:
        book.change_plan(subscription, other, when="period_end")
    subscription.refresh_from_db()
    assert (subscription.price.plan.code, subscription.scheduled_price) == ("basic", other)
    settle(alice, APRIL)
    subscription.refresh_from_db()
    assert (subscription.price, subscription.scheduled_price, balance(alice)) == (other, None, 10_00)


def test_plan_and_quantity_together_are_funded_as_a_whole(alice):
    """Five of 100.00 are in their grace with 50.00 left, too little for one of 100.00 and enough for one of 10.00."""
    team = sell("team", RUB=100_00, grace_days=5)["RUB"]
    sell("small", RUB=10_00)
    pay_in(alice, 550_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        row = book.subscribe(team, quantity=5)
    with books.open(alice, "RUB", now=at(days=32)) as book:
        book.change(row, plan="small", quantity=1)
    row.refresh_from_db()
    # A day of 30 of 500.00: 16.67.
    assert (row.price.plan.code, row.quantity, row.status, balance(alice)) == ("small", 1, "active", 23_33)
    assert [kind for kind, _, _ in events(alice)[-2:]] == ["plan_changed", "quantity_changed"]
    assert broken_rules() == []
