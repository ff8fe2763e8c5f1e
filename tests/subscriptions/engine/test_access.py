"""How long a subscription has access, and when its book is due next. Calculated by hand."""

from subscriptions.engine.access import dry_instant, live_until, next_due, settled
from subscriptions.engine.changes import change_plan
from tests.subscriptions.engine.bare import DAY, HOUR, SECOND, bought, funded, instant, metered, monthly

START = instant("03-01")
SERVER = metered("server", 1_00)  # a kopeck lasts 36 s
BASIC = monthly("basic", 300_00)


def test_a_copy_is_settled_and_the_book_is_not() -> None:
    book = funded(10_00)
    sub = bought(book, "03-01", SERVER)
    twin = settled(book, START + HOUR)
    assert (twin.balance, book.balance) == (9_00, 10_00)
    assert (twin.subs[0].billed_until, sub.billed_until) == (START + HOUR, START)


def test_a_book_is_due_at_its_next_boundary_or_when_its_meters_are_to_be_written_down() -> None:
    book = funded(400_00)
    bought(book, "03-01", BASIC)
    assert next_due(book, HOUR) == instant("04-01")
    bought(book, "03-01", metered("gratis", 0))
    assert next_due(book, HOUR) == instant("04-01")
    bought(book, "03-01", SERVER)
    assert next_due(book, HOUR) == START + HOUR
    assert next_due(funded(1), HOUR) is None


def test_a_book_is_due_a_microsecond_after_its_wallet_ran_dry() -> None:
    book = funded(50)
    bought(book, "03-01", SERVER)
    assert next_due(book, HOUR) == START + 1800 * SECOND + 1


def test_a_meter_lasts_as_long_as_its_money() -> None:
    # Three kopecks: each server pays one for 36 s, and the older gets the third.
    book = funded(3)
    old, new = bought(book, "03-01", SERVER), bought(book, "03-01", SERVER)
    assert [live_until(book, sub) for sub in (old, new)] == [START + 72 * SECOND, START + 36 * SECOND]
    assert [dry_instant(book, sub) for sub in (old, new)] == [START + 72 * SECOND, START + 36 * SECOND]


def test_a_free_meter_has_no_end() -> None:
    book = funded(1)
    free = bought(book, "03-01", metered("gratis", 0))
    bought(book, "03-01", SERVER)
    assert live_until(book, free) is None


def test_a_paid_period_a_trial_and_grace_last_until_their_end() -> None:
    book = funded(300_00)
    paid = bought(book, "03-01", monthly("graceful", 300_00, grace_days=5))
    tried = bought(book, "03-01", monthly("tried", 300_00, trial_days=7))
    assert (live_until(book, paid), live_until(book, tried)) == (instant("04-01"), instant("03-08"))
    later = settled(book, instant("04-02"))
    assert [live_until(later, sub) for sub in later.subs] == [instant("04-06"), None]


def test_a_slow_and_a_huge_meter_are_followed_to_their_ends() -> None:
    # One kopeck a week beside one a microsecond: two kopecks start both, and each ends with its own.
    book = funded(2)
    slow = bought(book, "03-01", monthly("slow", 1, interval="week", metered=True))
    huge = bought(book, "03-01", metered("huge", HOUR))
    assert (dry_instant(book, huge), dry_instant(book, slow)) == (START + 1, START + 7 * DAY)


def test_a_change_of_rate_moves_the_end() -> None:
    # 18 s used; the other half of the kopeck lasts 9 s at twice the rate.
    book = funded(1)
    sub = bought(book, "03-01", SERVER)
    assert change_plan(book, START + 18 * SECOND, sub, metered("double", 2_00)) is None
    assert dry_instant(book, sub) == START + 27 * SECOND
