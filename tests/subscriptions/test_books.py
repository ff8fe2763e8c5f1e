"""Money and time in an opened book: what is written, and when it is dated."""

import pytest

from ledger.models import Transaction
from subscriptions import books
from subscriptions.models import BillingClock, Charge, Subscription, Trial
from tests.subscriptions.bank import HOUR, MICROSECOND, NOON, at, balance, basic, broken_rules, hourly, settle
from tests.subscriptions.picture import lines
from tests.subscriptions.rows import charges, events
from tests.subscriptions.shop import pay_in, sell, wallet

pytestmark = pytest.mark.django_db
APRIL = NOON.replace(month=4)


def test_money_in_is_a_transaction_with_its_key_its_cause_and_who_did_it(alice, staff):
    with books.open(alice, "RUB", now=NOON) as book:
        book.top_up(100_00, key="gift:1", source="promotions", reason="promotion", description="hello", author=staff)
        assert book.balance == 100_00
    row = Transaction.objects.get()
    assert (row.key, row.reason, row.description, row.amount) == ("gift:1", "promotion", "hello", 100_00)
    assert (row.debit.code, row.credit, row.wallet, row.balance_after) == (
        "promotions", wallet(alice, "RUB"), wallet(alice, "RUB"), 100_00,
    )  # fmt: skip
    assert (row.customer, row.author, row.effective_at) == (alice, staff, NOON)
    assert balance(alice) == 100_00
    assert broken_rules() == []


def test_money_out_goes_to_the_account_named(alice):
    pay_in(alice, 100_00, at=NOON)
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        book.withdraw(30_00, key="refund:1", to="gateway_clearing:sandbox")
    row = Transaction.objects.get(key="refund:1")
    assert (row.debit, row.credit.code, row.balance_after) == (wallet(alice, "RUB"), "gateway_clearing:sandbox", 70_00)
    assert lines(alice)[-1] == ("refund", -30_00, 70_00, at(hours=1))


def test_a_subscription_with_money_is_paid_and_active_at_once(alice):
    pay_in(alice, 1000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    assert (mine.status, mine.started_at, mine.period_start, mine.period_end) == ("active", NOON, NOON, APRIL)
    assert charges(mine) == [(NOON, APRIL, 990_00)]
    assert lines(alice)[-1] == ("charge", -990_00, 10_00, NOON)
    assert Transaction.objects.get(reason="charge").credit.code == "revenue"
    assert events(alice)[-2:] == [("created", NOON, "pending"), ("activated", NOON, "active")]
    book_row = BillingClock.objects.get()
    # The renewal in April will find 10.00: it is looked at again 72 hours before, to give notice.
    assert (book_row.settled_at, book_row.due_at) == (NOON, APRIL - 72 * HOUR)


def test_a_subscription_without_money_waits_and_nothing_is_charged(alice):
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    assert (mine.status, mine.started_at) == ("pending", None)
    assert Transaction.objects.count() == Charge.objects.count() == 0
    assert events(alice) == [("created", NOON, "pending")]
    assert BillingClock.objects.get().due_at is None


def test_a_checkout_waits_for_its_own_money_whatever_the_wallet_holds(alice):
    pay_in(alice, 5000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic(), wait_for_money=True)
    assert (mine.status, balance(alice)) == ("pending", 5000_00)
    pay_in(alice, 1, at=at(hours=1))
    mine.refresh_from_db()
    assert (mine.status, mine.period_start) == ("active", at(hours=1))


def test_money_in_starts_what_waits_and_first_what_it_was_paid_for(alice):
    with books.open(alice, "RUB", now=NOON) as book:
        older, newer = book.subscribe(basic()), book.subscribe(sell("other", RUB=500_00)["RUB"])
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        book.top_up(990_00, key="p:1", source="gateway_clearing:sandbox", first=newer)
    older.refresh_from_db()
    newer.refresh_from_db()
    # 990 buys one of them. The older one would come first, had it not been paid for the other.
    assert (older.status, newer.status, balance(alice)) == ("pending", "active", 490_00)


def test_what_was_paid_for_starts_whatever_other_use_has_left_unpaid(alice):
    # Two servers run dry together with 1.99 kopecks unpaid: one is spoken for, but the 990.00 were paid for the month.
    price = hourly()
    pay_in(alice, 2, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        one, other = book.subscribe(price), book.subscribe(price)
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        mine = book.subscribe(basic(), wait_for_money=True)
    with books.open(alice, "RUB", now=at(hours=2)) as book:
        book.top_up(990_00, key="p:1", source="gateway_clearing:sandbox", first=mine)
    assert {row.pk: row.status for row in Subscription.objects.all()} == {
        one.pk: "suspended", other.pk: "suspended", mine.pk: "active",
    }  # fmt: skip
    assert balance(alice) == 0


def test_metered_use_is_written_as_slices_that_carry_their_fraction(alice):
    pay_in(alice, 10_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(hourly())
    settle(alice, at(seconds=25))
    settle(alice, at(seconds=40))
    # A kopeck every 10 s: 25 s are 2 and a half; with the half carried on, 15 s more are 2.
    assert charges(mine) == [(NOON, at(seconds=25), 2), (at(seconds=25), at(seconds=40), 2)]
    first, second = Charge.objects.order_by("id")
    # The fraction is counted in rate x microseconds: half a kopeck of an hour's 360 is 1.8 x 10^9.
    assert (first.remainder_before, first.remainder_after) == (0, 1_800_000_000)
    assert (second.remainder_before, second.remainder_after) == (1_800_000_000, 0)
    assert balance(alice) == 9_96


def test_what_came_due_while_nobody_looked_is_dated_at_its_own_instants(alice):
    pay_in(alice, 2000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(basic())
    settle(alice, at(days=70))
    mine.refresh_from_db()
    # Noon of 1 March and of 1 April are paid; on 1 May 20.00 are left.
    assert lines(alice)[1:] == [("charge", -990_00, 1010_00, NOON), ("charge", -990_00, 20_00, APRIL)]
    assert events(alice)[-2:] == [
        ("renewed", APRIL, "active"),
        ("suspended", NOON.replace(month=5), "suspended"),
    ]
    assert (mine.status, BillingClock.objects.get().due_at) == ("suspended", None)


def test_a_wallet_runs_dry_at_the_microsecond(alice):
    pay_in(alice, 1_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(hourly())
    settle(alice, at(days=3))
    mine.refresh_from_db()
    # 100 kopecks last 1000 s; the 101st would be owed at 1010 s, so it was live for one microsecond less.
    dry = at(seconds=1010) - MICROSECOND
    assert charges(mine) == [(NOON, dry, 1_00)]
    assert (mine.status, balance(alice), events(alice)[-1]) == ("suspended", 0, ("suspended", dry, "suspended"))


def test_a_trial_is_remembered_and_given_once(alice):
    trial = sell("trial", RUB=100_00, trial_days=7)["RUB"]
    with books.open(alice, "RUB", now=NOON) as book:
        first, second = book.subscribe(trial), book.subscribe(trial)
    assert (first.status, first.trial_end, second.status) == ("trialing", at(days=7), "pending")
    assert list(Trial.objects.values_list("customer", "plan", "started_at")) == [(alice.pk, trial.plan_id, NOON)]
    settle(alice, at(days=8))
    first.refresh_from_db()
    assert (first.status, events(alice)[-1]) == ("suspended", ("suspended", at(days=7), "suspended"))


def test_grace_keeps_access_and_its_rhythm(alice):
    graceful = sell("graceful", RUB=100_00, grace_days=3)["RUB"]
    pay_in(alice, 100_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(graceful)
    settle(alice, APRIL)
    mine.refresh_from_db()
    assert (mine.status, mine.grace_end) == ("past_due", APRIL + 72 * HOUR)
    pay_in(alice, 100_00, at=APRIL + 24 * HOUR)
    mine.refresh_from_db()
    # Paid a day late: the period still begins at the boundary, and the money is taken when it is there.
    assert (mine.status, mine.period_start, mine.period_end) == ("active", APRIL, NOON.replace(month=5))
    assert lines(alice)[-1] == ("charge", -100_00, 0, APRIL + 24 * HOUR)


def test_metered_use_is_due_again_each_hour_and_where_the_money_ends(alice):
    pay_in(alice, 5_40, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        book.subscribe(hourly())
    # 540 kopecks last an hour and a half: inside 72 and 24 hours at once, the last notice is due in half an hour.
    assert BillingClock.objects.get().due_at == at(minutes=30, seconds=10) - MICROSECOND
    settle(alice, at(minutes=31))
    # The 541st kopeck would be owed at 5410 s; a microsecond before that it is dry, which is written right after.
    assert BillingClock.objects.get().due_at == at(seconds=5410)
    pay_in(alice, 1000_00, at=at(minutes=40))
    assert BillingClock.objects.get().due_at == at(minutes=100)


def test_a_now_before_the_books_clock_is_taken_to_be_that_clock(alice):
    pay_in(alice, 10_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        mine = book.subscribe(hourly())
    settle(alice, at(hours=1))
    before = lines(alice)
    with books.open(alice, "RUB", now=at(minutes=5)) as book:
        assert book.now == at(hours=1)
        book.pause(mine)
    mine.refresh_from_db()
    assert (mine.status, lines(alice), events(alice)[-1][1]) == ("paused", before, at(hours=1))
    assert BillingClock.objects.get().settled_at == at(hours=1)


def test_each_currency_is_a_book_of_its_own(alice):
    prices = sell("both", RUB=990_00, EUR=9_90)
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "EUR", now=NOON) as book:
        mine = book.subscribe(prices["EUR"])
    assert (mine.status, balance(alice), balance(alice, "EUR")) == ("pending", 990_00, 0)
    assert BillingClock.objects.count() == 2
