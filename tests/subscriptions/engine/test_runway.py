"""The runway: when the wallet runs short with no more money, and which notice that calls for. By hand."""

from subscriptions.engine import funds
from subscriptions.engine.access import next_due
from subscriptions.engine.book import Book
from subscriptions.engine.operations import cancel
from subscriptions.engine.runway import Notice, Runway, may_fall_short, notice, runway, shortages
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status
from tests.subscriptions.engine.bare import DAY, HOUR, SECOND, bought, funded, instant, metered, monthly

START = instant("03-01")
SERVER = metered("server", 1_00)  # a kopeck lasts 36 s
BASIC = monthly("basic", 300_00)


def ends(book: Book, within: int) -> tuple[int, list[object]] | None:
    """Return how long the wallet lasts, and for which subscriptions it does not."""
    found = runway(book, START + within)
    return (found.ends_at - START, [sub.id for sub in found.subs]) if found else None


def test_a_meter_ends_with_the_last_kopeck() -> None:
    book = funded(36_00)
    bought(book, "03-01", SERVER)
    assert ends(book, 36 * HOUR + 1) == (36 * HOUR, [0])
    assert ends(book, 36 * HOUR) is None


def test_meters_that_end_together_are_named_together() -> None:
    # A kopeck lasts one 10 s and the other 5 s: three in 10 s. 36.00 are 3600 of them: 12,000 s.
    book = funded(36_00)
    bought(book, "03-01", metered("small", 3_60))
    bought(book, "03-01", metered("big", 7_20))
    assert ends(book, DAY) == (12_000 * SECOND, [0, 1])
    # With one kopeck more the older goes on for 10 s.
    funds.top_up(book, START, 1)
    assert ends(book, DAY) == (12_000 * SECOND, [1])


def test_it_ends_at_the_first_renewal_that_is_not_paid() -> None:
    # 900.00: March, April and May.
    book = funded(900_00)
    bought(book, "03-01", BASIC)
    assert ends(book, 92 * DAY) == (92 * DAY, [0])
    assert ends(book, 92 * DAY - 1) is None


def test_it_ends_where_the_grace_begins() -> None:
    book = funded(300_00)
    bought(book, "03-01", monthly("graceful", 300_00, grace_days=10))
    assert ends(book, 100 * DAY) == (31 * DAY, [0])


def test_a_meter_takes_the_money_of_a_renewal() -> None:
    # 300.00 are left for April, and the server takes a kopeck of it in the last hour.
    book = funded(600_00)
    bought(book, "03-01", BASIC)
    bought(book, "03-31 23:00", metered("slow", 1))
    assert ends(book, 100 * DAY) == (31 * DAY, [0])


def test_it_ends_at_no_boundary_that_needs_no_money() -> None:
    book = funded(300_00)
    bought(book, "03-01", monthly("free", 0))
    bought(book, "03-01", metered("gratis", 0))
    sub = bought(book, "03-01", BASIC)
    assert cancel(book, START, sub) is None
    assert ends(book, 3650 * DAY) is None
    assert not may_fall_short(book, START + 20 * DAY)


def test_the_book_itself_is_not_played() -> None:
    book = funded(36_00)
    sub = bought(book, "03-01", SERVER)
    assert ends(book, 10 * DAY)
    assert (book.balance, book.at, sub.status, sub.billed_until) == (36_00, START, Status.ACTIVE, START)


def short(book: Book, within: int = 365 * DAY) -> dict[object, int]:
    """Return how long after the start the wallet first cannot pay for each subscription that it cannot pay for."""
    return {sub: at - START for sub, at in shortages(book, START + within).items()}


def test_renewals_are_paid_in_order_of_time_from_one_balance() -> None:
    # 600.00 are left: the first renews on 1 Apr, the second on 5 Apr, and the third on 9 Apr finds nothing.
    book = funded(1_500_00)
    for day in ("03-01", "03-05", "03-09"):
        bought(book, day, BASIC)
    assert short(book, 45 * DAY) == {2: 39 * DAY}


def test_a_dearer_renewal_leaves_its_money_to_a_later_one() -> None:
    # 400.00 are left: too little for 500.00 on 1 Apr, enough for 300.00 on 5 Apr.
    book = funded(1_200_00)
    bought(book, "03-01", monthly("dear", 500_00))
    bought(book, "03-05", BASIC)
    assert short(book, 40 * DAY) == {0: 31 * DAY}


def test_a_meter_stops_when_a_renewal_has_taken_its_money() -> None:
    # 300.00 and 24.00 a day for 31 days are 1044.00. Six more are used by 6:00.
    book = funded(1_350_00)
    bought(book, "03-01", BASIC)
    bought(book, "03-01", SERVER)
    assert short(book) == {1: 31 * DAY + 6 * HOUR, 0: 61 * DAY}


def test_what_can_be_paid_or_costs_nothing_is_never_short() -> None:
    book = funded(1_000_00)
    bought(book, "03-01", BASIC)
    bought(book, "03-01", monthly("free", 0))
    bought(book, "03-01", metered("gratis", 0))
    assert short(book, 62 * DAY) == {}
    assert short(Book()) == {}


def test_a_year_of_hourly_payments_is_played() -> None:
    # 8,000 hours, and the payment after them is not found.
    book = funded(8_000)
    bought(book, "03-01", monthly("hourly", 1, interval="hour"))
    assert ends(book, 366 * DAY) == (8_000 * HOUR, [0])


def test_may_fall_short_is_never_wrong_when_false() -> None:
    # The month is renewed on 1 and 2 Apr..., the server uses 24.00 a day, a trial starts a meter on 8 Mar.
    for money in (1_000_00, 1_343_99, 1_344_00, 1_344_01):
        book = funded(money)
        for terms in (BASIC, SERVER, metered("tried", 10, trial_days=7)):
            bought(book, "03-01", terms)
        for hours in range(1, 24 * 60, 7):
            until = START + hours * HOUR
            assert may_fall_short(book, until) or runway(book, until) is None


def test_a_renewal_at_the_last_instant_leaves_what_the_meter_needs_then() -> None:
    # At 1 Apr the server begins its third kopeck: 300.02 and 300.00 are one too few, found at that very instant.
    book = funded(600_02)
    bought(book, "03-01", BASIC)
    bought(book, "03-31 23:58:48", SERVER)
    assert may_fall_short(book, instant("04-01"))
    assert ends(book, 31 * DAY) == (31 * DAY, [0])


def test_days_of_grace_end_whatever_the_wallet_holds() -> None:
    # In grace since a kopeck was due to the server; that is cancelled, and the wallet holds the price, but no money
    # came: the grace runs out.
    book = funded(600_01)
    bought(book, "03-01", monthly("graceful", 300_00, grace_days=10))
    server = bought(book, "03-31 23:59:24", SERVER)
    settle(book, instant("04-01"))
    assert cancel(book, instant("04-01"), server) is None
    assert book.balance == 300_00
    assert may_fall_short(book, instant("04-11"))
    assert ends(book, 41 * DAY) == (41 * DAY, [0])


def test_the_tightest_notice_in_force_is_given_and_the_next_is_named() -> None:
    # 100 hours; looked at 72.5, 72, 24 and half an hour before the end.
    book = funded(100_00)
    sub = bought(book, "03-01", SERVER)
    end = Runway(START + 100 * HOUR, (sub,))
    expected = {27.5: (None, 28), 28: (72, 76), 76: (24, 99), 99.5: (1, None)}
    for passed, (given, coming) in expected.items():
        settle(book, START + int(passed * HOUR))
        told = notice(book, next_due(book, HOUR))
        assert told.end
        # It is of a copy of the subscription.
        assert (told.hours, told.end.ends_at, [one.id for one in told.end.subs]) == (given, end.ends_at, [sub.id])
        assert told.wake_at == (None if coming is None else START + coming * HOUR)


def test_a_wallet_that_lasts_and_a_book_with_nothing_due_call_for_no_notice() -> None:
    book = funded(10_000_00)
    bought(book, "03-01", SERVER)
    assert notice(book, next_due(book, HOUR)) == Notice(None, None, None)
    assert notice(book, None) == Notice(None, None, None)
