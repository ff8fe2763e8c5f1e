"""A change of plan and quantity in one step: both happen, or nothing does. Calculated by hand."""

import pytest

from subscriptions.engine import operations
from subscriptions.engine.book import Book
from subscriptions.engine.changes import change_plan, change_quantity
from subscriptions.engine.funds import top_up
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status, Sub, Terms
from tests.subscriptions.engine.bare import HOUR, bought, funded, instant, metered, monthly

TEAM = monthly("team", 100_00, grace_days=5)
SMALL = monthly("small", 10_00)
SERVER = metered("server", 30_00)


def events(book: Book, sub: Sub) -> list[str]:
    return [event.type.removeprefix("subscription.") for event in book.journal.events if event.sub is sub]


def state(sub: Sub) -> tuple[Status, Terms, int]:
    return sub.status, sub.terms, sub.quantity


def test_fewer_of_a_cheaper_plan_are_started_from_the_grace_with_what_they_cost() -> None:
    # 5 x 100.00 in March, and 50.00 left: too little for one step after the other, which would need 100.00 first.
    book = funded(550_00)
    sub = bought(book, "03-01", TEAM, quantity=5)
    assert change_plan(book, instant("04-02"), sub, SMALL, quantity=1) is None
    # A day of 30 of 500.00 is charged, 16.67, and 10.00.
    assert (state(sub), book.balance, book.debt) == ((Status.ACTIVE, SMALL, 1), 50_00 - 16_67 - 10_00, 0)
    assert events(book, sub)[-2:] == ["plan_changed", "quantity_changed"]


def test_the_refund_pays_the_new_plan_before_it_revives_what_is_older() -> None:
    # 490.00 for 31 days; the server has used up its 30.00. A day later 30 of 31 days of 500.00 come back: 483.87.
    book = funded(530_00)
    server, sub = bought(book, "03-01", SERVER), bought(book, "03-01", TEAM, quantity=5)
    large = monthly("large", 480_00)
    settle(book, instant("03-02"))
    assert (server.status, book.balance) == (Status.SUSPENDED, 0)
    assert change_plan(book, instant("03-02"), sub, large, quantity=1) is None
    assert (state(sub), server.status, book.balance) == ((Status.ACTIVE, large, 1), Status.ACTIVE, 3_87)


def test_a_trial_that_the_new_plan_gives_to_fewer_ends_and_starts_paid() -> None:
    book = funded(100_00)
    few = monthly("few", 30_00, trial_days=5, trial_quantity_max=2)
    tried = bought(book, "03-01", monthly("tried", 50_00, trial_days=5))
    other = bought(book, "03-01", monthly("again", 50_00, trial_days=5))
    assert change_plan(book, instant("03-02"), tried, few, quantity=3) is None
    assert (state(tried), tried.trial_end, book.balance) == ((Status.ACTIVE, few, 3), None, 10_00)
    assert change_plan(book, instant("03-02"), other, few, quantity=2) is None
    assert (state(other), other.trial_end) == ((Status.TRIALING, few, 2), instant("03-06"))


def scheduled(sub: Sub) -> Terms | None:
    return sub.scheduled


@pytest.mark.parametrize("when", ["now", "period_end"])
def test_a_refused_change_of_both_changes_neither(when: str) -> None:
    book = funded(110_00)
    sub = bought(book, "03-01", TEAM)
    assert change_quantity(book, instant("03-02"), sub, 2, when="period_end") is None
    wanted = 1_000_001 if when == "period_end" else 90
    refusal = change_plan(book, instant("03-02"), sub, SMALL, quantity=wanted, when=when)
    assert refusal is (Refusal.OUT_OF_RANGE if when == "period_end" else Refusal.INSUFFICIENT_FUNDS)
    assert (state(sub), sub.scheduled, sub.scheduled_quantity) == ((Status.ACTIVE, TEAM, 1), None, 2)


def test_both_are_remembered_for_the_end_of_the_period() -> None:
    book = funded(130_00)
    sub = bought(book, "03-01", TEAM)
    assert change_plan(book, instant("03-02"), sub, SMALL, quantity=3, when="period_end") is None
    assert (sub.scheduled, sub.scheduled_quantity) == (SMALL, 3)
    # The quantity it has drops another one that was scheduled.
    assert change_plan(book, instant("03-03"), sub, SMALL, quantity=1, when="period_end") is None
    assert (sub.scheduled, sub.scheduled_quantity) == (SMALL, None)
    assert change_plan(book, instant("03-03"), sub, SMALL, quantity=3, when="period_end") is None
    settle(book, instant("04-01"))
    assert (state(sub), book.balance) == ((Status.ACTIVE, SMALL, 3), 0)


@pytest.mark.parametrize("when", ["now", "period_end"])
def test_the_plan_it_has_with_another_quantity_drops_the_scheduled_plan(when: str) -> None:
    book = funded(300_00)
    sub = bought(book, "03-01", TEAM)
    assert change_plan(book, instant("03-01"), sub, SMALL, when="period_end") is None
    assert change_plan(book, instant("03-01"), sub, TEAM, quantity=9, when="now") is Refusal.INSUFFICIENT_FUNDS
    assert sub.scheduled == SMALL
    assert change_plan(book, instant("03-01"), sub, TEAM, quantity=2, when=when) is None
    assert "plan_change_dropped" in events(book, sub)
    assert scheduled(sub) is None
    settle(book, instant("03-02"))
    assert (sub.quantity, sub.scheduled_quantity) == ((2, None) if when == "now" else (1, 2))


def test_a_meter_takes_another_rate_and_another_quantity() -> None:
    book = funded(100_00)
    sub = bought(book, "03-01", SERVER)
    assert change_plan(book, instant("03-01") + HOUR, sub, metered("slow", 1_00), quantity=10) is None
    settle(book, instant("03-01") + 2 * HOUR)
    assert book.balance == 100_00 - 30_00 - 10_00


def test_a_free_meter_needs_the_first_unit_of_all_of_the_new_ones() -> None:
    # 36 million an hour are a unit each 100 microseconds: 250 of them need 3 for their first microsecond.
    book = Book()
    free, fast = metered("free", 0), metered("fast", 36_000_000)
    sub = bought(book, "03-01", free)
    top_up(book, instant("03-01"), 2)
    assert change_plan(book, instant("03-01"), sub, fast, quantity=250) is Refusal.INSUFFICIENT_FUNDS
    top_up(book, instant("03-01"), 1)
    assert change_plan(book, instant("03-01"), sub, fast, quantity=250) is None
    assert state(sub) == (Status.ACTIVE, fast, 250)


def test_an_order_and_a_suspended_plan_wait_anew_with_both() -> None:
    book = funded(100_00)
    sub, order = bought(book, "03-01", TEAM), bought(book, "03-01", TEAM)
    operations.set_auto_renew(book, instant("03-01"), sub, True)
    assert change_plan(book, instant("03-05"), order, SMALL, quantity=4) is None
    assert (state(order), order.wait_end) == ((Status.PENDING, SMALL, 4), instant("03-19"))
    settle(book, instant("04-10"))
    assert sub.status is Status.SUSPENDED
    assert change_plan(book, instant("04-10"), sub, SMALL, quantity=3) is None
    assert (state(sub), sub.wait_end) == ((Status.SUSPENDED, SMALL, 3), instant("05-10"))
