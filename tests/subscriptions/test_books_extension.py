"""Free time is saved, adds up, is explained, and is seen by the customer."""

from datetime import timedelta

import pytest

from accounts.models import User
from ledger.models import Transaction
from subscriptions import books, overview, reminders, renewals
from subscriptions.explain.arithmetic import explain
from subscriptions.models import BillingClock, Subscription
from subscriptions.refusals import Refused
from tests.subscriptions.bank import NOON, at, balance, broken_rules, do, hourly, settle
from tests.subscriptions.rows import charges, events
from tests.subscriptions.shop import pay_in, sell
from tests.subscriptions.test_events import data_of

pytestmark = pytest.mark.django_db
APRIL = NOON.replace(month=4)


def extend(subscription: Subscription, days: int, *, after: int) -> None:
    do(subscription.customer, at(days=after), lambda book: book.extend(subscription, days))


def test_a_longer_period_is_saved_and_renews_at_its_new_end(alice: User, subscription: Subscription) -> None:
    extend(subscription, 5, after=10)
    subscription.refresh_from_db()
    end = APRIL + timedelta(days=5)
    assert (subscription.period_end, BillingClock.objects.get().due_at) == (end, end)
    assert charges(subscription) == [(NOON, at(days=10), 990_00), (at(days=10), end, 0)]
    assert data_of(subscription, "extended")["until"] == "2026-04-06T12:00:00.000000Z"
    state = overview.one(subscription, now=at(days=11))
    assert state.next_charge is not None
    assert (state.next_charge.at, balance(alice)) == (end, 1010_00)
    settle(alice, end)
    subscription.refresh_from_db()
    assert (subscription.period_end, balance(alice)) == (end.replace(month=5), 20_00)
    assert broken_rules() == []


def test_unused_time_of_a_longer_period_comes_back_and_is_explained(alice: User, subscription: Subscription) -> None:
    extend(subscription, 31, after=0)
    do(alice, at(days=31), lambda book: book.cancel(subscription, when="now", refund_unused=True))
    refund = Transaction.objects.get(reason="unused_refund")
    explanation = explain(refund)
    assert explanation is not None
    assert (refund.amount, explanation.worked_out, explanation.matches) == (495_00, 495_00, True)
    assert broken_rules() == []


def test_a_larger_quantity_in_a_longer_period_is_explained(alice: User, subscription: Subscription) -> None:
    extend(subscription, 31, after=0)
    do(alice, at(days=31), lambda book: book.change_quantity(subscription, 2))
    explanation = explain(Transaction.objects.filter(reason="charge").latest("id"))
    assert explanation is not None
    assert (explanation.kind, explanation.worked_out, explanation.matches) == ("difference", 495_00, True)
    assert broken_rules() == []


def test_a_pause_of_a_longer_period_keeps_its_rest(alice: User, subscription: Subscription) -> None:
    extend(subscription, 5, after=10)
    do(alice, at(days=20), lambda book: book.pause(subscription), lambda book: book.resume(subscription))
    subscription.refresh_from_db()
    assert subscription.period_end == APRIL + timedelta(days=5)
    assert broken_rules() == []


def test_the_customer_is_reminded_before_the_new_end(alice: User, subscription: Subscription) -> None:
    reminders.run_due(now=at(days=28))
    extend(subscription, 5, after=29)
    reminders.run_due(now=at(days=33))
    told = [instant for kind, instant, _ in events(alice) if kind == "renewal_ahead"]
    assert len(told) == 2


def test_trials_and_days_of_grace_go_on(alice: User) -> None:
    tried = sell("tried", RUB=100_00, trial_days=7, grace_days=5)["RUB"]
    with books.open(alice, "RUB", now=NOON) as book:
        row = book.subscribe(tried)
    extend(row, 3, after=1)
    row.refresh_from_db()
    assert row.trial_end == at(days=10)
    pay_in(alice, 100_00, at=at(days=2))
    settle(alice, at(days=41))
    row.refresh_from_db()
    assert (row.status, row.grace_end) == ("past_due", at(days=46))
    extend(row, 3, after=45)
    settle(alice, at(days=49) - timedelta(microseconds=1))
    row.refresh_from_db()
    assert (row.status, row.grace_end) == ("past_due", at(days=49))
    settle(alice, at(days=49))
    row.refresh_from_db()
    assert row.status == "suspended"
    assert broken_rules() == []


def test_a_first_payment_that_was_missing_after_a_longer_trial_is_found(alice: User) -> None:
    """So that it can still be collected."""
    with books.open(alice, "RUB", now=NOON) as book:
        row = book.subscribe(sell("tried", RUB=100_00, trial_days=7)["RUB"])
    extend(row, 3, after=1)
    [missed] = renewals.unpaid(overview.peek(alice, "RUB", now=at(days=11)))
    assert (missed.at, missed.subscriptions) == (at(days=10), (row.pk,))


def test_refusals_name_the_field_and_what_is_allowed(alice: User, subscription: Subscription) -> None:
    with pytest.raises(Refused) as error:
        extend(subscription, 367, after=1)
    assert (error.value.code, error.value.param, error.value.detail) == (
        "out_of_range", "days", "Give from 1 to 366 days.",
    )  # fmt: skip
    with books.open(alice, "RUB", now=NOON) as book:
        meter = book.subscribe(hourly())
    with pytest.raises(Refused) as error:
        extend(meter, 1, after=0)
    assert error.value.code == "nothing_to_extend"


def test_movements_of_a_signed_act_name_the_member_of_staff(
    alice: User, staff: User, subscription: Subscription
) -> None:
    with books.open(alice, "RUB", now=at(days=1)) as book, book.signed(staff):
        book.cancel(subscription, when="now", refund_unused=True)
    authors = Transaction.objects.filter(customer=alice).order_by("id").values_list("reason", "author__username")
    assert list(authors) == [("top_up", None), ("charge", None), ("unused_refund", "staff")]
