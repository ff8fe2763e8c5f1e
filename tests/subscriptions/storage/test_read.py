"""Loading books: under a lock, and by a look that no commit can tear."""

import pytest

from subscriptions import books
from subscriptions.storage import read
from tests.subscriptions.bank import at, basic, hourly
from tests.subscriptions.shop import pay_in, sell, wallet

pytestmark = pytest.mark.django_db


def test_a_look_is_one_statement_whatever_the_book_holds(alice, django_assert_num_queries):
    pay_in(alice, 3000_00, at=at())
    with books.open(alice, "RUB", now=at()) as book:
        for price in (basic(), hourly(), sell("trial", RUB=10_00, trial_days=7)["RUB"]):
            book.subscribe(price)
    account = wallet(alice, "RUB").pk
    with django_assert_num_queries(1):
        [item] = read.look([account])
    assert [sub.status for sub in item.book.subs] == ["active", "active", "trialing"]


def test_a_look_and_a_lock_load_the_same_book(alice):
    pay_in(alice, 3000_00, at=at())
    with books.open(alice, "RUB", now=at()) as book:
        monthly = book.subscribe(basic())
        book.subscribe(hourly())
        book.change_plan(monthly, sell("other", RUB=500_00)["RUB"], when="period_end")
        book.change_quantity(monthly, 2, when="period_end")
    with books.open(alice, "RUB", now=at(minutes=7)) as book:
        book.lose_dispute(100_00, key="dispute:1")
    account = wallet(alice, "RUB").pk
    [seen], [held] = read.look([account]), read.lock([account])
    assert seen == held


def test_a_look_at_many_wallets_and_at_none(alice, mallory):
    for user in (alice, mallory):
        pay_in(user, 1_00, at=at())
    found = read.look([wallet(user, "RUB").pk for user in (alice, mallory)])
    assert {item.customer_id for item in found} == {alice.pk, mallory.pk}
    assert read.look([]) == []
