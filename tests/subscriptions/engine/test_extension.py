"""R5: free time from the seller. Calculated by hand."""

import pytest

from subscriptions.engine.access import settled
from subscriptions.engine.book import Book, Event
from subscriptions.engine.changes import change_paid_quantity, change_plan
from subscriptions.engine.extension import MOST_DAYS, extend
from subscriptions.engine.funds import top_up
from subscriptions.engine.operations import block, cancel, pause, set_auto_renew
from subscriptions.engine.periods import unused
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status, Sub
from tests.subscriptions.engine.bare import DAY, bought, funded, instant, metered, monthly, spans

BASIC = monthly("basic", 300_00)  # in April 10.00 a day
GRACEFUL = monthly("graceful", 300_00, grace_days=5)
TRIED = monthly("tried", 300_00, trial_days=7)


def april(money: int = 600_00) -> tuple[Book, Sub]:
    """Return a book and its subscription, paid for April."""
    book = funded(money)
    return book, bought(book, "04-01", BASIC)


def last(book: Book) -> Event:
    return book.journal.events[-1]


# A paid period.
def test_a_period_ends_later_and_its_rest_stands_in_a_charge_of_nothing() -> None:
    book, sub = april()
    assert extend(book, instant("04-11"), sub, 5) is None
    assert (sub.end, book.balance, sub.status) == (instant("05-06"), 300_00, Status.ACTIVE)
    assert spans(book.journal.charges) == [
        (instant("04-01"), instant("04-11"), 300_00),
        (instant("04-11"), instant("05-06"), 0),
    ]
    assert (last(book).type, last(book).until) == ("subscription.extended", instant("05-06"))


def test_the_next_payment_comes_at_the_new_end_and_later_ones_are_counted_from_it() -> None:
    book, sub = april(900_00)
    extend(book, instant("04-11"), sub, 5)
    settle(book, instant("06-07"))
    paid = [(row.start, row.end, row.amount) for row in book.journal.charges[2:]]
    assert paid == [
        (instant("05-06"), instant("06-06"), 300_00),
        (instant("06-06"), instant("07-06"), 300_00),
    ]


def test_a_saved_charge_is_cut_too() -> None:
    book, sub = april()
    book.journal.charges.clear()
    book.journal.newest.clear()
    extend(book, instant("04-11"), sub, 1)
    [cut] = book.journal.cuts
    assert (cut.start, cut.ended_at, cut.refund) == (instant("04-01"), instant("04-11"), None)
    assert [row.amount for row in book.journal.charges] == [0]


def test_unused_time_is_never_worth_more_than_was_paid() -> None:
    book, sub = april()
    extend(book, instant("04-01"), sub, 30)
    assert unused(sub, instant("04-01")) == 300_00
    # 30 of 60 days.
    assert unused(sub, instant("05-01")) == 150_00
    assert cancel(book, instant("05-01"), sub, when="now", refund_unused=True) is None
    assert book.balance == 450_00


def test_a_new_quantity_costs_its_share_of_the_longer_period() -> None:
    book, sub = april()
    extend(book, instant("04-01"), sub, 30)
    # 45 of 60 days of another 300.00.
    assert change_paid_quantity(book, instant("04-16"), sub, 2) is None
    assert book.balance == 75_00
    assert spans(book.journal.charges)[-1] == (instant("04-16"), instant("05-31"), 225_00)


def test_a_period_is_extended_more_than_once_and_at_its_very_start() -> None:
    book, sub = april()
    for _ in range(2):
        assert extend(book, instant("04-01"), sub, 1) is None
    assert sub.end == instant("05-03")
    assert spans(book.journal.charges) == [
        (instant("04-01"), instant("04-01"), 300_00),
        (instant("04-01"), instant("04-01"), 0),
        (instant("04-01"), instant("05-03"), 0),
    ]


def test_what_is_to_happen_at_the_end_happens_at_the_new_one() -> None:
    for request, outcome in (
        (lambda book, at, sub: cancel(book, at, sub), Status.CANCELLED),
        (lambda book, at, sub: set_auto_renew(book, at, sub, False), Status.EXPIRED),
        (lambda book, at, sub: change_plan(book, at, sub, monthly("mini", 50_00), when="period_end"), Status.ACTIVE),
    ):
        book, sub = april()
        request(book, instant("04-02"), sub)
        extend(book, instant("04-11"), sub, 5)
        settle(book, instant("05-06") - 1)
        assert (sub.status, sub.terms.plan) == (Status.ACTIVE, "basic")
        settle(book, instant("05-06"))
        assert sub.status is outcome
        assert sub.terms.plan == ("mini" if outcome is Status.ACTIVE else "basic")


def test_it_does_not_matter_when_the_book_is_settled() -> None:
    def played(*settlings: str) -> tuple[object, ...]:
        book, sub = april(900_00)
        for at in (*settlings, "07-01"):
            if at > "04-11" and last(book).at < instant("04-11"):
                extend(book, instant("04-11"), sub, 5)
            settle(book, instant(at))
        return spans(book.journal.charges), book.balance, sub.status, sub.end

    assert played() == played("04-05", "04-11", "05-01", "05-06", "06-06")


def test_looking_ahead_finds_the_new_end() -> None:
    book, sub = april(300_00)
    extend(book, instant("04-11"), sub, 5)
    assert book.next_boundary() == (instant("05-06"), sub)
    assert settled(book, instant("05-05")).subs[0].status is Status.ACTIVE
    assert settled(book, instant("05-06")).subs[0].status is Status.SUSPENDED


# A trial, and days of grace.
def test_a_trial_ends_later_and_is_paid_for_then() -> None:
    book = funded(300_00)
    sub = bought(book, "04-01", TRIED)
    assert extend(book, instant("04-05"), sub, 3) is None
    assert (sub.trial_end, last(book).until, book.journal.charges) == (instant("04-11"), instant("04-11"), [])
    settle(book, instant("04-11"))
    assert (sub.status, sub.start, book.balance) == (Status.ACTIVE, instant("04-11"), 0)


def overdue() -> tuple[Book, Sub]:
    """Return a book and its subscription, in its days of grace from 1 to 6 May."""
    book = funded(300_00)
    sub = bought(book, "04-01", GRACEFUL)
    settle(book, instant("05-02"))
    assert (sub.status, sub.grace_end) == (Status.PAST_DUE, instant("05-06"))
    return book, sub


def test_days_of_grace_go_on_and_a_payment_within_them_keeps_the_rhythm() -> None:
    book, sub = overdue()
    assert extend(book, instant("05-05"), sub, 10) is None
    assert (sub.grace_end, last(book).until, book.balance) == (instant("05-16"), instant("05-16"), 0)
    settle(book, instant("05-15"))
    top_up(book, instant("05-15"), 300_00)
    assert (sub.status, sub.start, sub.end) == (Status.ACTIVE, instant("05-01"), instant("06-01"))


def test_days_of_grace_that_no_payment_followed_are_charged_all_the_same() -> None:
    book, sub = overdue()
    extend(book, instant("05-05"), sub, 10)
    settle(book, instant("05-16"))
    # 15 of the 31 days of May: 300.00 x 15/31 = 145.16...
    assert (sub.status, book.debt) == (Status.SUSPENDED, 145_17)


def test_grace_is_never_longer_than_the_period_that_is_not_paid() -> None:
    book, sub = overdue()
    # Until 1 June there are 26 days.
    assert extend(book, instant("05-02"), sub, 27) is Refusal.GRACE_TOO_LONG
    assert sub.grace_end == instant("05-06")
    assert extend(book, instant("05-02"), sub, 26) is None
    settle(book, instant("06-01"))
    assert (sub.status, book.debt) == (Status.SUSPENDED, 300_00)


# Refusals.
@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1])
def test_days_beyond_the_limits_are_refused(days: int) -> None:
    book, sub = april()
    assert extend(book, instant("04-02"), sub, days) is Refusal.OUT_OF_RANGE
    assert (sub.end, book.at) == (instant("05-01"), instant("04-02"))


def test_what_does_not_run_towards_an_end_is_refused() -> None:
    book = funded(100_00)
    running, waiting = bought(book, "04-01", metered("server", 1_00)), bought(book, "04-01", BASIC)
    for sub in (running, waiting):
        assert extend(book, instant("04-02"), sub, 1) is Refusal.NOTHING_TO_EXTEND
    book, sub = april()
    pause(book, instant("04-02"), sub)
    assert extend(book, instant("04-03"), sub, 1) is Refusal.PAUSED
    cancel(book, instant("04-04"), sub)
    assert extend(book, instant("04-05"), sub, 1) is Refusal.FINAL


def test_a_period_that_is_over_is_settled_first() -> None:
    book, sub = april(300_00)
    assert extend(book, instant("05-01"), sub, 1) is Refusal.NOTHING_TO_EXTEND
    assert sub.status is Status.SUSPENDED


def test_a_closed_account_gets_nothing() -> None:
    book, sub = april()
    block(book, instant("04-02"))
    assert extend(book, instant("04-03"), sub, 1) is Refusal.BLOCKED
    assert sub.end == instant("04-01") + 30 * DAY
