"""Access, status and what is available: right at every instant, although no worker has ever run."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions import books, overview
from subscriptions.models import BillingClock, Subscription
from subscriptions.models.subscription import Status
from tests.subscriptions.bank import HOUR, MICROSECOND, NOON, at, basic, hourly, settle
from tests.subscriptions.picture import picture
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db
APRIL, MAY = NOON.replace(month=4), NOON.replace(month=5)


def start(user, money: int, *prices, **terms) -> list[Subscription]:
    if money:
        pay_in(user, money, at=NOON)
    with books.open(user, "RUB", now=NOON) as book:
        return [book.subscribe(price, **terms) for price in prices]


def test_access_to_a_paid_period_ends_at_its_end_without_any_tick(alice):
    [mine] = start(alice, 990_00, basic())
    assert overview.access(mine, now=NOON) == overview.Access(True, APRIL, "active")
    assert overview.access(mine, now=APRIL - MICROSECOND) == overview.Access(True, APRIL, "active")
    assert overview.access(mine, now=APRIL) == overview.Access(False, None, "suspended")
    assert overview.access(mine, now=at(days=3000)) == overview.Access(False, None, "suspended")


def test_access_goes_on_where_the_money_for_it_is_there(alice):
    [mine] = start(alice, 2000_00, basic())
    assert overview.access(mine, now=APRIL) == overview.Access(True, MAY, "active")
    assert overview.access(mine, now=MAY) == overview.Access(False, None, "suspended")


def test_access_to_metered_use_ends_at_the_microsecond_the_wallet_does(alice):
    [mine] = start(alice, 3_60, hourly())
    dry = at(seconds=3610) - MICROSECOND
    assert overview.access(mine, now=NOON) == overview.Access(True, dry, "active")
    assert overview.access(mine, now=dry) == overview.Access(True, dry, "active")
    assert overview.access(mine, now=dry + MICROSECOND) == overview.Access(False, None, "suspended")
    row = Subscription.objects.get()
    assert (row.status, row.billed_until) == ("active", NOON)


def test_a_renewal_takes_the_money_that_metered_use_counted_on(alice):
    """Two on one wallet: at the boundary 990.00 go to the one, which ends the other earlier than it looked."""
    plan, server = start(alice, 990_00 + 2000_00, basic(), hourly())
    # Two thousand last 555.5 hours; the month has 744. So the renewal finds too little and is suspended.
    assert overview.access(plan, now=APRIL).active is False
    end = overview.access(server, now=NOON).until
    assert end == at(seconds=2_000_010) - MICROSECOND
    assert overview.access(server, now=end + HOUR) == overview.Access(False, None, "suspended")


@pytest.mark.parametrize(
    ("days", "status", "active"), [(0, "trialing", True), (6.99, "trialing", True), (7, "suspended", False)]
)
def test_a_trial_ends_by_itself(alice, days, status, active):
    [mine] = start(alice, 0, sell("trial", RUB=100_00, trial_days=7)["RUB"])
    found = overview.access(mine, now=at(days=days))
    assert (found.active, found.reason) == (active, status)


def test_grace_is_access_with_an_end(alice):
    [mine] = start(alice, 100_00, sell("graceful", RUB=100_00, grace_days=3)["RUB"])
    assert overview.access(mine, now=APRIL) == overview.Access(True, APRIL + 72 * HOUR, "past_due")
    assert overview.access(mine, now=APRIL + 72 * HOUR) == overview.Access(False, None, "suspended")


def test_no_end_in_sight_is_no_date(alice):
    [free] = start(alice, 0, hourly(0, "free"))
    assert overview.access(free, now=at(days=9999)) == overview.Access(True, None, "active")


def test_paused_cancelled_and_expired_have_no_access(alice):
    paused, cancelled, ending = start(alice, 3000_00, basic(), hourly(), sell("other", RUB=1_00)["RUB"])
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        book.pause(paused)
        book.cancel(cancelled)
        book.cancel(ending)
    for row in (paused, cancelled, ending):
        row.refresh_from_db()
    assert overview.access(paused, now=at(hours=1)) == overview.Access(False, None, "paused")
    assert overview.access(cancelled, now=at(hours=1)) == overview.Access(False, None, "cancelled")
    assert overview.access(ending, now=APRIL - MICROSECOND).active is True
    assert overview.access(ending, now=APRIL) == overview.Access(False, None, "cancelled")


def test_available_is_what_is_left_after_what_is_not_written_down_yet(alice):
    start(alice, 2000_00, basic(), hourly())
    view = overview.peek(alice, "RUB", now=at(hours=10))
    # 2000 - 990 = 1010 are written; ten hours of 3.60 are used.
    assert (view.balance, view.available) == (1010_00, 974_00)
    settle(alice, at(hours=10))
    view = overview.peek(alice, "RUB", now=at(hours=10))
    assert (view.balance, view.available) == (974_00, 974_00)


def test_the_status_of_all_is_that_of_the_instant(alice):
    plan, server = start(alice, 990_00 + 3_60, basic(), hourly())
    view = overview.peek(alice, "RUB", now=at(hours=2))
    assert (view.status_of(plan), view.status_of(server)) == (Status.ACTIVE, Status.SUSPENDED)
    assert view.access_to(server).active is False
    assert server.status == "active"


def test_looking_writes_nothing_and_opens_no_wallet(alice, mallory):
    [mine] = start(alice, 5_00, hourly())
    before = picture()
    with CaptureQueriesContext(connection) as caught:
        overview.access(mine, now=at(days=5))
        overview.peek(alice, "RUB", now=at(days=5))
        view = overview.peek(mallory, "RUB", now=at(days=5))
    assert not [query["sql"] for query in caught.captured_queries if not query["sql"].lstrip().startswith("SELECT")]
    assert (view.balance, view.available, view.subs) == (0, 0, {})
    assert picture() == before


def test_a_now_before_the_clock_of_the_book_is_answered_as_of_that_clock(alice):
    [mine] = start(alice, 3_60, hourly())
    settle(alice, at(hours=5))
    mine.refresh_from_db()
    assert overview.access(mine, now=NOON) == overview.Access(False, None, "suspended")


def test_what_is_said_beforehand_is_what_is_written_later(alice):
    """Every hour of a month: the answer without ticks is the row after one."""
    rows = start(alice, 1500_00, basic(), hourly(), sell("trial", RUB=100_00, trial_days=9, grace_days=2)["RUB"])
    said = {}
    for day in range(0, 64, 3):
        view = overview.peek(alice, "RUB", now=at(days=day))
        said[day] = (view.available, [str(view.status_of(row)) for row in rows])
    for day, (available, statuses) in said.items():
        settle(alice, at(days=day))
        for row in rows:
            row.refresh_from_db()
        assert ([row.status for row in rows], BillingClock.objects.get().wallet.balance) == (statuses, available)
