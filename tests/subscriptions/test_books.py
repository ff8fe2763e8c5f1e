"""Money and time in an open book: what is saved, and at which instant."""

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


def test_a_top_up_records_its_key_cause_and_author(alice, staff):
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


def test_a_withdrawal_goes_to_the_named_account(alice):
    pay_in(alice, 100_00, at=NOON)
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        book.withdraw(30_00, key="refund:1", to="gateway_clearing:sandbox")
    row = Transaction.objects.get(key="refund:1")
    assert (row.debit, row.credit.code, row.balance_after) == (wallet(alice, "RUB"), "gateway_clearing:sandbox", 70_00)
    assert lines(alice)[-1] == ("refund", -30_00, 70_00, at(hours=1))


def test_a_funded_subscription_is_paid_and_active_at_once(alice):
    pay_in(alice, 1000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    assert (subscription.status, subscription.started_at, subscription.period_start, subscription.period_end) == (
        "active",
        NOON,
        NOON,
        APRIL,
    )
    assert charges(subscription) == [(NOON, APRIL, 990_00)]
    assert lines(alice)[-1] == ("charge", -990_00, 10_00, NOON)
    assert Transaction.objects.get(reason="charge").credit.code == "revenue"
    assert events(alice)[-2:] == [("created", NOON, "pending"), ("activated", NOON, "active")]
    book_row = BillingClock.objects.get()
    # 10.00 will not pay for the renewal in April: the book is due 72 hours before, for a notice.
    assert (book_row.settled_at, book_row.due_at) == (NOON, APRIL - 72 * HOUR)


def test_an_unfunded_subscription_stays_pending(alice):
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    assert (subscription.status, subscription.started_at) == ("pending", None)
    assert Transaction.objects.count() == Charge.objects.count() == 0
    assert events(alice) == [("created", NOON, "pending")]
    # An order waits 14 days for its payment.
    assert BillingClock.objects.get().due_at == subscription.wait_end == at(days=14)
    settle(alice, at(days=14))
    subscription.refresh_from_db()
    assert (subscription.status, subscription.ended_at) == ("expired", at(days=14))


def test_a_checkout_stays_pending_until_its_own_payment(alice):
    pay_in(alice, 5000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic(), is_checkout=True)
    assert (subscription.status, balance(alice)) == ("pending", 5000_00)
    pay_in(alice, 1, at=at(hours=1))
    subscription.refresh_from_db()
    assert (subscription.status, balance(alice)) == ("pending", 5000_01)
    with books.open(alice, "RUB", now=at(hours=2)) as book:
        book.top_up(1, key="p:1", source="gateway_clearing:sandbox", first=subscription)
    subscription.refresh_from_db()
    assert (subscription.status, subscription.period_start) == ("active", at(hours=2))


def test_a_top_up_starts_the_subscription_it_was_paid_for_first(alice):
    with books.open(alice, "RUB", now=NOON) as book:
        older, newer = book.subscribe(basic()), book.subscribe(sell("other", RUB=500_00)["RUB"])
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        book.top_up(990_00, key="p:1", source="gateway_clearing:sandbox", first=newer)
    older.refresh_from_db()
    newer.refresh_from_db()
    # 990 buys one of them. The older one would come first if the money had not been paid for the newer.
    assert (older.status, newer.status, balance(alice)) == ("pending", "active", 490_00)


def test_a_payment_starts_its_subscription_before_the_suspended_ones(alice):
    # Two older servers ran dry. The 990.00 were paid for the month, so nothing is left for them.
    price = hourly()
    pay_in(alice, 2, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        one, other = book.subscribe(price), book.subscribe(price)
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        subscription = book.subscribe(basic(), is_checkout=True)
    with books.open(alice, "RUB", now=at(hours=2)) as book:
        book.top_up(990_00, key="p:1", source="gateway_clearing:sandbox", first=subscription)
    assert {row.pk: row.status for row in Subscription.objects.all()} == {
        one.pk: "suspended", other.pk: "suspended", subscription.pk: "active",
    }  # fmt: skip
    assert balance(alice) == 0


def test_metered_slices_carry_on_what_is_left_of_a_unit(alice):
    pay_in(alice, 10_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(hourly())
    settle(alice, at(seconds=25))
    settle(alice, at(seconds=40))
    # A kopeck every 10 s: in 25 s three are begun. Half of the third is left, so 15 s more take one.
    assert charges(subscription) == [(NOON, at(seconds=25), 3), (at(seconds=25), at(seconds=40), 1)]
    first, second = Charge.objects.order_by("id")
    # What is left is a share of an hour in microseconds: half a kopeck is 1.8 x 10^9 of 3.6 x 10^9.
    assert (first.credit_before, first.credit_after) == (0, 1_800_000_000)
    assert (second.credit_before, second.credit_after) == (1_800_000_000, 0)
    assert balance(alice) == 9_96


def test_late_settling_dates_each_charge_at_its_own_instant(alice):
    pay_in(alice, 2000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    settle(alice, at(days=70))
    subscription.refresh_from_db()
    # Noon of 1 March and of 1 April are paid; on 1 May 20.00 are left.
    assert lines(alice)[1:] == [("charge", -990_00, 1010_00, NOON), ("charge", -990_00, 20_00, APRIL)]
    assert events(alice)[-2:] == [
        ("renewed", APRIL, "active"),
        ("suspended", NOON.replace(month=5), "suspended"),
    ]
    # It is kept for 30 days.
    kept = NOON.replace(month=5) + 30 * 24 * HOUR
    assert (subscription.status, BillingClock.objects.get().due_at) == ("suspended", kept)


def test_a_wallet_runs_dry_at_the_microsecond(alice):
    pay_in(alice, 1_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(hourly())
    settle(alice, at(days=3))
    subscription.refresh_from_db()
    # 100 kopecks last 1000 s. The 101st would be due as the next use begins.
    dry = at(seconds=1000)
    assert charges(subscription) == [(NOON, dry, 1_00)]
    assert (subscription.status, balance(alice), events(alice)[-1]) == ("suspended", 0, ("suspended", dry, "suspended"))


def test_a_trial_is_given_once(alice):
    trial = sell("trial", RUB=100_00, trial_days=7)["RUB"]
    with books.open(alice, "RUB", now=NOON) as book:
        first, second = book.subscribe(trial), book.subscribe(trial)
    assert (first.status, first.trial_end, second.status) == ("trialing", at(days=7), "pending")
    assert list(Trial.objects.values_list("customer", "plan", "started_at")) == [(alice.pk, trial.plan_id, NOON)]
    settle(alice, at(days=8))
    first.refresh_from_db()
    assert (first.status, events(alice)[-1]) == ("suspended", ("suspended", at(days=7), "suspended"))


def test_grace_keeps_access_and_the_period_boundaries(alice):
    graceful = sell("graceful", RUB=100_00, grace_days=3)["RUB"]
    pay_in(alice, 100_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(graceful)
    settle(alice, APRIL)
    subscription.refresh_from_db()
    assert (subscription.status, subscription.grace_end) == ("past_due", APRIL + 72 * HOUR)
    pay_in(alice, 100_00, at=APRIL + 24 * HOUR)
    subscription.refresh_from_db()
    # Paid a day late: the period begins at the boundary, and the charge is dated when the money came.
    assert (subscription.status, subscription.period_start, subscription.period_end) == (
        "active",
        APRIL,
        NOON.replace(month=5),
    )
    assert lines(alice)[-1] == ("charge", -100_00, 0, APRIL + 24 * HOUR)


def test_a_metered_book_is_due_every_hour_and_when_the_money_ends(alice):
    pay_in(alice, 5_40, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        book.subscribe(hourly())
    # 540 kopecks last an hour and a half: less than 24 hours, and the last notice is due in half an hour.
    assert BillingClock.objects.get().due_at == at(minutes=30)
    settle(alice, at(minutes=31))
    # The wallet is dry at 5400 s, and settled right after.
    assert BillingClock.objects.get().due_at == at(seconds=5400) + MICROSECOND
    pay_in(alice, 1000_00, at=at(minutes=40))
    assert BillingClock.objects.get().due_at == at(minutes=100)


def test_an_operation_before_the_settled_instant_happens_at_it(alice):
    pay_in(alice, 10_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(hourly())
    settle(alice, at(hours=1))
    before = lines(alice)
    with books.open(alice, "RUB", now=at(minutes=5)) as book:
        assert book.now == at(hours=1)
        book.pause(subscription)
    subscription.refresh_from_db()
    assert (subscription.status, lines(alice), events(alice)[-1][1]) == ("paused", before, at(hours=1))
    assert BillingClock.objects.get().settled_at == at(hours=1)


def test_each_currency_has_its_own_book(alice):
    prices = sell("both", RUB=990_00, EUR=9_90)
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "EUR", now=NOON) as book:
        subscription = book.subscribe(prices["EUR"])
    assert (subscription.status, balance(alice), balance(alice, "EUR")) == ("pending", 990_00, 0)
    assert BillingClock.objects.count() == 2
