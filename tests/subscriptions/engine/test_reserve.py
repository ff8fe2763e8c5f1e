"""When the wallet falls below what the customer wants to keep, and how much makes it last. By hand."""

from subscriptions.engine import funds
from subscriptions.engine.book import Book
from subscriptions.engine.reserve import enough_until, falls_below
from subscriptions.engine.runway import runway
from subscriptions.engine.settlement import settle
from tests.subscriptions.engine.bare import DAY, HOUR, SECOND, bought, funded, instant, metered, monthly

START = instant("03-01")
BASIC = monthly("basic", 300_00)
# A kopeck lasts 36 s.
SERVER = metered("server", 1_00)
APRIL = 31 * DAY


def below(book: Book, threshold: int, within: int = 400 * DAY) -> int | None:
    found = falls_below(book, threshold, START + within)
    return None if found is None else found - START


def test_a_meter_crosses_the_threshold_when_its_next_unit_begins() -> None:
    book = funded(36_00)
    bought(book, "03-01", SERVER)
    # The first kopeck is due at the start, so 35.99 can be spent; 26 hours later 9.99.
    assert below(book, 36_00) == 0
    assert below(book, 35_99) == 36 * SECOND
    assert below(book, 10_00) == 26 * HOUR
    assert below(book, 1) == 36 * HOUR - 36 * SECOND


def test_it_is_exact_to_the_microsecond() -> None:
    book = funded(36_00)
    bought(book, "03-01", SERVER)
    crossing = below(book, 10_00)
    assert crossing is not None
    settle(book, START + crossing - 1)
    assert below(book, 10_00) == crossing
    settle(book, START + crossing)
    assert below(book, 10_00) == crossing


def test_a_renewal_crosses_it_at_once() -> None:
    # 400.00 are left, then 100.00.
    book = funded(700_00)
    bought(book, "03-01", BASIC)
    assert below(book, 400_00) == APRIL
    assert below(book, 100_01) == APRIL
    assert below(book, 100_00) is None


def test_a_meter_and_a_renewal_together() -> None:
    # 400.00 less 300.00 on 1 April, and 24.00 a day: 4 days take 96.00, and 4.00 are left for 4 hours.
    book = funded(700_00 + 744_00)
    bought(book, "03-01", BASIC)
    bought(book, "03-01", SERVER)
    assert below(book, 4_00) == APRIL + 4 * DAY
    assert below(book, 4_00, APRIL + 4 * DAY - 1) is None


def test_nothing_falls_without_use() -> None:
    assert below(funded(100_00), 100_00) is None
    assert below(funded(100_00), 100_01) == 0


def test_enough_for_a_meter() -> None:
    book = funded(36_00)
    bought(book, "03-01", SERVER)
    # 240 hours cost 240.00; 36.00 are there.
    amount = enough_until(book, START + 240 * HOUR)
    assert 204_00 <= amount <= 204_03
    funds.top_up(book, START, amount)
    assert runway(book, START + 240 * HOUR) is None


def test_enough_for_renewals() -> None:
    # April and May cost 600.00; 100.00 are left.
    book = funded(400_00)
    bought(book, "03-01", BASIC)
    assert enough_until(book, START + 62 * DAY) == 500_00
    assert enough_until(book, START + 30 * DAY) == 0


def test_enough_for_two_that_renew_together() -> None:
    # 200.00 are left, and 150.00 twice are due.
    book = funded(500_00)
    bought(book, "03-01", monthly("one", 150_00))
    bought(book, "03-01", monthly("two", 150_00))
    assert enough_until(book, START + APRIL + DAY) == 100_00
