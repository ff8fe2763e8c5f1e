"""Renewals that the wallet cannot pay, and what is missing for them. By hand."""

from subscriptions.engine import funds
from subscriptions.engine.book import Book
from subscriptions.engine.renewal import missing, next_unpaid
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status
from tests.subscriptions.engine.bare import DAY, HOUR, bought, funded, instant, metered, monthly

START = instant("03-01")
BASIC = monthly("basic", 300_00)
# A kopeck lasts 36 s.
SERVER = metered("server", 1_00)
# April begins 31 days after 1 March.
APRIL = 31 * DAY


def unpaid(book: Book, within: int = 400 * DAY) -> tuple[int, list[object]] | None:
    """Return when the first renewal is not paid, and for which subscriptions."""
    found = next_unpaid(book, START + within)
    return (found.at - START, [sub.id for sub in found.subs]) if found else None


def test_what_is_missing_is_the_rest_of_the_price() -> None:
    book = funded(400_00)
    bought(book, "03-01", BASIC)
    assert unpaid(book) == (APRIL, [0])
    assert missing(book, [0], START + APRIL) == 200_00
    # A kopeck less is not enough, and this much is.
    funds.top_up(book, START, 199_99)
    assert unpaid(book) == (APRIL, [0])
    funds.top_up(book, START, 1)
    assert unpaid(book) == (APRIL + 30 * DAY, [0])
    assert missing(book, [0], START + APRIL) == 0


def test_a_renewal_beyond_the_horizon_is_not_looked_for() -> None:
    book = funded(300_00)
    bought(book, "03-01", BASIC)
    assert unpaid(book, APRIL - 1) is None
    assert unpaid(book, APRIL) == (APRIL, [0])


def test_a_meter_that_stops_is_no_renewal() -> None:
    book = funded(36_00)
    bought(book, "03-01", SERVER)
    assert unpaid(book) is None


def test_a_meter_on_the_way_takes_its_part() -> None:
    # 100.00 are left. The server takes 744.00 up to 1 April, and its next kopeck is due at that very instant.
    book = funded(400_00)
    bought(book, "03-01", BASIC)
    bought(book, "03-01", SERVER)
    assert unpaid(book) == (APRIL, [0])
    assert missing(book, [0], START + APRIL) == 300_00 + 744_01 - 100_00


def test_an_hour_before_the_meter_takes_an_hour() -> None:
    # It stopped after 100 hours. Money that comes at 23:00 on 31 March starts it again: 1.00, and the next kopeck.
    book = funded(400_00)
    bought(book, "03-01", BASIC)
    bought(book, "03-01", SERVER)
    settle(book, START + APRIL - HOUR)
    assert book.subs[1].status is Status.SUSPENDED
    assert missing(book, [0], START + APRIL) == 300_00 + 1_01


def test_two_that_renew_together_are_paid_together() -> None:
    book = funded(700_00)
    bought(book, "03-01", BASIC)
    bought(book, "03-01", monthly("more", 350_00))
    # 50.00 are left.
    assert unpaid(book) == (APRIL, [0, 1])
    assert missing(book, [0, 1], START + APRIL) == 600_00


def test_the_end_of_a_trial_is_a_renewal() -> None:
    book = Book()
    settle(book, START)
    bought(book, "03-01", monthly("tried", 300_00, trial_days=14))
    assert unpaid(book) == (14 * DAY, [0])
    assert missing(book, [0], START + 14 * DAY) == 300_00


def test_one_that_is_past_due_lacks_its_price() -> None:
    book = funded(400_00)
    bought(book, "03-01", monthly("graceful", 300_00, grace_days=10))
    settle(book, START + APRIL + DAY)
    assert book.subs[0].status is Status.PAST_DUE
    assert unpaid(book) is None
    assert missing(book, [0], START + APRIL + DAY) == 200_00


def test_a_suspended_one_with_a_debt_lacks_both() -> None:
    # April has 30 days: ten days of grace cost 100.00. The wallet pays 40.00, and 60.00 are owed.
    book = funded(340_00)
    bought(book, "03-01", monthly("graceful", 300_00, grace_days=10))
    later = START + APRIL + 20 * DAY
    settle(book, later)
    assert (book.subs[0].status, book.balance, book.debt) == (Status.SUSPENDED, 0, 60_00)
    assert missing(book, [0], later) == 360_00


def test_money_revives_older_ones_first() -> None:
    # Both are suspended; the older one takes 250.00 of whatever comes.
    book = funded(550_00)
    bought(book, "03-01", monthly("less", 250_00))
    bought(book, "03-01", BASIC)
    settle(book, START + APRIL)
    assert [sub.status for sub in book.subs] == [Status.SUSPENDED, Status.SUSPENDED]
    assert missing(book, [1], START + APRIL) == 550_00
    # Where the older one cannot be paid, only the wanted one is.
    cheap = funded(600_00)
    bought(cheap, "03-01", monthly("dear", 350_00))
    bought(cheap, "03-01", monthly("less", 250_00))
    settle(cheap, START + APRIL)
    assert missing(cheap, [1], START + APRIL) == 250_00
