"""A blocked customer: what stops, what is refused and what comes back. Calculated by hand."""

from subscriptions.engine import funds, operations
from subscriptions.engine.changes import change_plan, change_quantity
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status
from tests.subscriptions.engine.bare import HOUR, bought, funded, instant, metered, monthly

SERVER = metered("server", 1_00)  # a kopeck lasts 36 s
BASIC = monthly("basic", 300_00)
GRACEFUL = monthly("graceful", 300_00, grace_days=20)


def test_a_block_pauses_meters_and_lets_paid_periods_end() -> None:
    book = funded(1000_00)
    meter, paid = bought(book, "03-01", SERVER), bought(book, "03-01", BASIC)
    operations.block(book, instant("03-01") + HOUR)
    settle(book, instant("03-31"))
    assert (meter.status, paid.status, book.balance) == (Status.PAUSED, Status.ACTIVE, 1000_00 - 300_00 - 1_00)
    settle(book, instant("04-01"))
    assert (paid.status, book.balance) == (Status.SUSPENDED, 699_00)


def test_a_block_ends_days_of_grace_and_trials_start_nothing() -> None:
    # Two of 30 days of 300.00 are charged.
    book = funded(300_00)
    late = bought(book, "03-01", GRACEFUL)
    trial = bought(book, "04-01", monthly("tried", 1_00, trial_days=7))
    operations.block(book, instant("04-03"))
    assert (late.status, book.debt) == (Status.SUSPENDED, 20_00)
    funds.top_up(book, instant("04-04"), 1000_00)
    settle(book, instant("04-09"))
    assert (late.status, trial.status, book.balance) == (Status.SUSPENDED, Status.SUSPENDED, 980_00)


def test_a_blocked_customer_starts_and_changes_nothing() -> None:
    book = funded(1000_00)
    paid = bought(book, "03-01", BASIC)
    held, own = bought(book, "03-01", SERVER), bought(book, "03-01", SERVER)
    at = instant("03-02")
    assert operations.pause(book, at, own) is None
    operations.block(book, at)
    order = bought(book, "03-02", BASIC)
    assert order.status is Status.PENDING
    assert operations.start_waiting(book, at, order) is Refusal.BLOCKED
    assert operations.resume(book, at, own) is Refusal.BLOCKED
    assert operations.resume(book, at, held) is Refusal.BLOCKED
    assert change_plan(book, at, paid, SERVER) is Refusal.BLOCKED
    assert change_quantity(book, at, paid, 2) is Refusal.BLOCKED
    assert operations.cancel(book, at, paid, when="now") is None


def test_an_undone_block_resumes_what_it_paused_and_revives_the_rest() -> None:
    book = funded(1000_00)
    held, own = bought(book, "03-01", SERVER), bought(book, "03-01", SERVER)
    paid = bought(book, "03-01", BASIC)
    assert operations.pause(book, instant("03-01"), own) is None
    operations.block(book, instant("03-01"))
    operations.unblock(book, instant("04-05"))
    assert [sub.status for sub in (held, own, paid)] == [Status.ACTIVE, Status.PAUSED, Status.ACTIVE]
    assert (paid.start, book.balance) == (instant("04-05"), 400_00)
    settle(book, instant("04-05") + HOUR)
    assert book.balance == 399_00


def test_a_scheduled_quantity_counts_from_the_end_of_a_period_that_a_block_does_not_renew() -> None:
    # 100 x 1.00 paid on 1 March; 1 x 1.00 from the end of the period on: 500.00 - 100.00 - 1.00.
    book = funded(500_00)
    seats = bought(book, "03-01", monthly("seats", 1_00), quantity=100)
    assert change_quantity(book, instant("03-02"), seats, 1, when="period_end") is None
    operations.block(book, instant("03-30"))
    settle(book, instant("04-01"))
    assert (seats.status, seats.quantity, seats.scheduled_quantity) == (Status.SUSPENDED, 1, None)
    operations.unblock(book, instant("04-02"))
    assert (seats.status, seats.paid, book.balance) == (Status.ACTIVE, 1_00, 399_00)


def test_a_scheduled_plan_counts_from_the_end_of_a_period_that_a_block_does_not_renew() -> None:
    # The keeping of the new plan counts too: 60 days. 2 x 10.00 are charged when the account is opened again.
    book = funded(1000_00)
    small = monthly("small", 10_00, keep_days=60)
    paid = bought(book, "03-01", BASIC)
    assert change_plan(book, instant("03-02"), paid, small, when="period_end") is None
    assert change_quantity(book, instant("03-02"), paid, 2, when="period_end") is None
    operations.block(book, instant("03-30"))
    settle(book, instant("05-20"))
    assert (paid.status, paid.terms, paid.scheduled) == (Status.SUSPENDED, small, None)
    operations.unblock(book, instant("05-20"))
    assert (paid.status, paid.paid, book.balance) == (Status.ACTIVE, 20_00, 680_00)


def test_what_is_scheduled_for_a_metered_plan_waits_for_the_account_to_open() -> None:
    book = funded(1000_00)
    paid = bought(book, "03-01", BASIC)
    assert change_plan(book, instant("03-02"), paid, SERVER, when="period_end") is None
    operations.block(book, instant("03-30"))
    operations.unblock(book, instant("04-02"))
    settle(book, instant("04-02") + HOUR)
    assert (paid.status, paid.terms, book.balance) == (Status.ACTIVE, SERVER, 699_00)
