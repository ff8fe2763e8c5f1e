"""Simultaneous requests on one wallet happen in a consistent order and break no rule."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import count, permutations
from typing import Any

import pytest

from accounts.models import User
from events.models import Event
from subscriptions import billing_run, books, quotes, refusals
from subscriptions.books import OpenBook
from subscriptions.models import Price, Quote, Subscription
from subscriptions.storage.movements import AlreadyPosted
from tests.concurrency.sessions import at_once
from tests.subscriptions.bank import HOUR, NOON, SECOND, at, balance, basic, broken_rules, hourly, settle
from tests.subscriptions.picture import lines
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db(transaction=True)
APRIL = NOON.replace(month=4)
NUMBERS = count()


def subscribe_at_noon(user: User, money: int, *prices: Price) -> list[Subscription]:
    pay_in(user, money, at=NOON)
    with books.open(user, "RUB", now=NOON) as book:
        return [book.subscribe(price) for price in prices]


def request(user: User, act: Callable[[OpenBook], object], now: datetime) -> Callable[[], str]:
    """Return a job that does `act` in its own session and returns "done" or the code of the refusal."""

    def job() -> str:
        try:
            with books.open(user, "RUB", now=now) as book:
                act(book)
        except refusals.Refused as error:
            return error.code
        return "done"

    return job


def top_up(book: OpenBook) -> None:
    book.top_up(700_00, key=f"race:{next(NUMBERS)}", source="gateway_clearing:sandbox")


def assert_consistent_history(user: User) -> None:
    """Assert that each balance follows from the previous one and that the movements are in time order."""
    before, then = 0, NOON
    for _, amount, after, when in lines(user):
        assert before + amount == after
        assert when >= then
        before, then = after, when
    assert balance(user) == before >= 0


@pytest.mark.parametrize("turn", range(6))
def test_simultaneous_change_cancel_payment_and_run_are_consistent(alice, turn):
    """Around a period's end, where the order matters: each request sees the result of the ones before it."""
    better = sell("better", RUB=1500_00)["RUB"]
    plan, server = subscribe_at_noon(alice, 2500_00, basic(), hourly())
    now = APRIL + (turn - 3) * SECOND
    jobs: list[Callable[[], Any]] = [
        request(alice, lambda book: book.change_plan(plan, better), now),
        request(alice, lambda book: book.cancel(plan, when="now", refund_unused=True), now),
        request(alice, top_up, now + SECOND),
        request(alice, lambda book: book.pause(server), now - SECOND),
        partial(billing_run.run_due, now=now),
    ]
    changed, cancelled, paid, paused, _ = at_once(jobs)
    assert (cancelled, paid) == ("done", "done")
    assert changed in ("done", "subscription_is_final", "insufficient_funds")
    assert paused in ("done", "subscription_is_not_active")
    plan.refresh_from_db()
    assert plan.status == "cancelled"
    assert_consistent_history(alice)
    assert broken_rules() == []


def test_change_cancel_and_run_end_with_the_same_balance_in_any_order(alice):
    """The same requests in all six orders leave the same balance."""
    better, plain = sell("better", RUB=1500_00)["RUB"], basic()
    half = at(days=15, hours=12)
    ends = {}
    for order in permutations(("change", "cancel", "tick")):
        user = User.objects.create(username="-".join(order), email=f"{'-'.join(order)}@example.com")
        [plan] = subscribe_at_noon(user, 2500_00, plain)
        acts: dict[str, Callable[[], Any]] = {
            "change": request(user, lambda book, plan=plan: book.change_plan(plan, better), half),  # type: ignore[misc]
            "cancel": request(
                user,
                lambda book, plan=plan: book.cancel(plan, when="now", refund_unused=True),  # type: ignore[misc]
                half,
            ),
            "tick": partial(billing_run.run_due, now=half),
        }
        for name in order:
            acts[name]()
        ends[order] = balance(user)
    # Half of the month is refunded: directly, or as the full refund of the new plan's month.
    assert set(ends.values()) == {2500_00 - 495_00}
    assert broken_rules() == []


def test_simultaneous_subscribers_start_only_as_many_as_the_wallet_pays(alice):
    price = sell("unit", RUB=100_00)["RUB"]
    pay_in(alice, 700_00, at=NOON)
    at_once([request(alice, lambda book: book.subscribe(price), at(hours=1))] * 12)
    statuses = Subscription.objects.values_list("status", flat=True)
    assert sorted(statuses) == ["active"] * 7 + ["pending"] * 5
    assert balance(alice) == 0
    assert_consistent_history(alice)
    assert broken_rules() == []


def test_simultaneous_requests_get_one_trial(alice):
    trials = sell("trial", RUB=100_00, EUR=1_00, trial_days=7)

    def subscribe(currency: str) -> None:
        with books.open(alice, currency, now=NOON) as book:
            book.subscribe(trials[currency])

    at_once([partial(subscribe, "RUB"), partial(subscribe, "EUR")] * 4)
    assert sorted(Subscription.objects.values_list("status", flat=True)) == ["pending"] * 7 + ["trialing"]


def test_simultaneous_top_ups_with_one_key_credit_once(alice):
    [server] = subscribe_at_noon(alice, 1_00, hourly())
    settle(alice, at(days=1))

    def credit() -> str:
        try:
            with books.open(alice, "RUB", now=at(days=2)) as book:
                book.top_up(36_00, key="payment:7", source="gateway_clearing:sandbox", first=server)
        except AlreadyPosted:
            return "posted before"
        return "done"

    assert sorted(at_once([credit] * 8)) == ["done"] + ["posted before"] * 7
    assert balance(alice) == 36_00
    assert Event.objects.filter(type="subscription.activated").count() == 2


def test_simultaneous_withdrawals_never_exceed_the_balance(alice):
    pay_in(alice, 500_00, at=NOON)

    def out(number: int) -> Callable[[OpenBook], object]:
        return lambda book: book.withdraw(120_00, key=f"out:{number}", to="gateway_clearing:sandbox")

    results = at_once([request(alice, out(number), at(hours=1)) for number in range(9)])
    assert sorted(results) == ["done"] * 4 + ["insufficient_funds"] * 5
    assert balance(alice) == 20_00


def test_a_quote_accepted_eight_times_at_once_changes_once(alice):
    better = sell("better", RUB=1500_00)["RUB"]
    [subscription] = subscribe_at_noon(alice, 2000_00, basic())
    quote = quotes.make(subscription, better, now=at(days=3))

    def accept() -> None:
        quotes.accept(Quote.objects.get(pk=quote.pk), now=at(days=3, seconds=2))

    at_once([accept] * 8)
    # Of the 31 days of March 2 419 198 s are unused. What was shown is their worth a quarter of an hour later: less.
    assert balance(alice) == 2000_00 - 990_00 - 1500_00 + 990_00 * 2_419_198 // 2_678_400
    assert balance(alice) > quote.balance_after
    assert len(lines(alice)) == 4
    assert broken_rules() == []


def test_a_quote_accepted_during_a_payment_and_a_run_holds_or_does_nothing(alice):
    better = sell("better", RUB=1500_00)["RUB"]
    subscription, _ = subscribe_at_noon(alice, 2000_00, basic(), hourly())
    quote = quotes.make(subscription, better, now=at(hours=1))

    def accept() -> str:
        try:
            quotes.accept(quote, now=at(hours=1, seconds=2))
        except quotes.QuoteChanged:
            return "changed"
        return "done"

    jobs: list[Callable[[], Any]] = [
        accept, request(alice, top_up, at(hours=1)), partial(billing_run.run_due, now=at(hours=1))
    ]  # fmt: skip
    outcome, *_ = at_once(jobs)
    subscription.refresh_from_db()
    assert (subscription.price == better) == (outcome == "done")
    # The top-up comes before or after them; if after, it is dated at the settled instant.
    posted = [(reason, amount) for reason, amount, _, _ in lines(alice) if reason != "top_up"]
    if outcome == "done":
        assert [reason for reason, _ in posted[-2:]] == [line["reason"] for line in quote.lines]
        assert all(amount >= line["amount"] for (_, amount), line in zip(posted[-2:], quote.lines, strict=True))
    assert_consistent_history(alice)
    assert broken_rules() == []


def test_two_wallets_of_one_customer_do_not_deadlock(alice):
    both = sell("both", RUB=100_00, EUR=1_00)
    for currency, amount in (("RUB", 100_00), ("EUR", 1_00)):
        pay_in(alice, amount, currency, at=NOON)

    def subscribe(currency: str) -> str:
        with books.open(alice, currency, now=at(hours=1)) as book:
            return book.subscribe(both[currency]).public_id

    at_once([partial(subscribe, "RUB"), partial(subscribe, "EUR")] * 3)
    assert sorted(Subscription.objects.values_list("price__currency", "status")) == [
        ("EUR", "active"), ("EUR", "pending"), ("EUR", "pending"),
        ("RUB", "active"), ("RUB", "pending"), ("RUB", "pending"),
    ]  # fmt: skip


def test_eight_simultaneous_clients_break_no_rule(alice):
    """Eight clients subscribe, change, pause, resume, cancel, pay, withdraw and run billing, every 30 seconds."""
    prices = [basic(), sell("daily", RUB=50_00, interval="day", grace_days=0)["RUB"], hourly(), hourly(7_77, "odd")]
    subs = subscribe_at_noon(alice, 3000_00, *prices)

    def client(number: int) -> None:
        for step in range(10):
            now = at(hours=number % 3, seconds=30 * step)
            sub, price = subs[(number + step) % 4], prices[(number * 3 + step) % 4]
            acts: list[Callable[[OpenBook], object]] = [
                lambda book, sub=sub, price=price: book.change_plan(sub, price),  # type: ignore[misc]
                lambda book, sub=sub: book.pause(sub),  # type: ignore[misc]
                lambda book, sub=sub: book.resume(sub),  # type: ignore[misc]
                top_up,
                lambda book: book.withdraw(30_00, key=f"race:{next(NUMBERS)}", to="gateway_clearing:sandbox"),
                lambda book, price=price: book.subscribe(price),  # type: ignore[misc]
                lambda book, sub=sub: book.cancel(sub, when="period_end"),  # type: ignore[misc]
            ]
            request(alice, acts[(number + step) % len(acts)], now)()
            if step % 4 == number % 4:
                billing_run.run_due(now=now + HOUR)

    at_once([partial(client, number) for number in range(8)])
    settle(alice, at(days=40))
    assert_consistent_history(alice)
    assert broken_rules() == []
