"""Access, status and available money are right at every instant, even if no worker runs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.money import Money
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


def test_access_ends_with_the_paid_period_without_a_run(alice):
    [subscription] = start(alice, 990_00, basic())
    assert overview.access(subscription, now=NOON) == overview.Access(True, APRIL, "active")
    assert overview.access(subscription, now=APRIL - MICROSECOND) == overview.Access(True, APRIL, "active")
    assert overview.access(subscription, now=APRIL) == overview.Access(False, None, "suspended")
    # It is kept for 30 days.
    assert overview.access(subscription, now=APRIL + 30 * 24 * HOUR - MICROSECOND).reason == "suspended"
    assert overview.access(subscription, now=APRIL + 30 * 24 * HOUR) == overview.Access(False, None, "expired")


def test_access_continues_if_the_wallet_can_renew(alice):
    [subscription] = start(alice, 2000_00, basic())
    assert overview.access(subscription, now=APRIL) == overview.Access(True, MAY, "active")
    assert overview.access(subscription, now=MAY) == overview.Access(False, None, "suspended")


def test_metered_access_ends_when_the_wallet_runs_dry(alice):
    [subscription] = start(alice, 3_60, hourly())
    # 360 kopecks, each of which pays for ten seconds.
    dry = at(hours=1)
    assert overview.access(subscription, now=NOON) == overview.Access(True, dry, "active")
    assert overview.access(subscription, now=dry) == overview.Access(True, dry, "active")
    assert overview.access(subscription, now=dry + MICROSECOND) == overview.Access(False, None, "suspended")
    row = Subscription.objects.get()
    assert (row.status, row.billed_until) == ("active", NOON)


def test_a_renewal_and_a_meter_share_one_wallet(alice):
    """A monthly plan and a meter on one wallet: the meter uses the money that the renewal would need."""
    plan, server = start(alice, 990_00 + 2000_00, basic(), hourly())
    # 2000.00 lasts 555.5 hours; the month has 744. So the renewal is not funded, and the plan is suspended.
    assert overview.access(plan, now=APRIL).active is False
    end = overview.access(server, now=NOON).until
    assert end == at(seconds=2_000_000)
    assert overview.access(server, now=end + HOUR) == overview.Access(False, None, "suspended")


@pytest.mark.parametrize(
    ("days", "status", "active"), [(0, "trialing", True), (6.99, "trialing", True), (7, "suspended", False)]
)
def test_a_trial_ends_without_a_run(alice, days, status, active):
    [subscription] = start(alice, 0, sell("trial", RUB=100_00, trial_days=7)["RUB"])
    found = overview.access(subscription, now=at(days=days))
    assert (found.active, found.reason) == (active, status)


def test_grace_gives_access_until_it_ends(alice):
    [subscription] = start(alice, 100_00, sell("graceful", RUB=100_00, grace_days=3)["RUB"])
    assert overview.access(subscription, now=APRIL) == overview.Access(True, APRIL + 72 * HOUR, "past_due")
    assert overview.access(subscription, now=APRIL + 72 * HOUR) == overview.Access(False, None, "suspended")


def test_access_without_a_known_end_has_no_date(alice):
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


def test_available_counts_use_that_is_not_saved_yet(alice):
    start(alice, 2000_00, basic(), hourly())
    view = overview.peek(alice, "RUB", now=at(hours=10))
    # 2000 - 990 = 1010 is saved; ten hours at 3.60 are used, and the kopeck that begins now is due.
    assert (view.balance, view.available) == (1010_00, 973_99)
    settle(alice, at(hours=10))
    view = overview.peek(alice, "RUB", now=at(hours=10))
    assert (view.balance, view.available) == (974_00, 973_99)


def test_statuses_are_those_of_the_instant(alice):
    plan, server = start(alice, 990_00 + 3_60, basic(), hourly())
    view = overview.peek(alice, "RUB", now=at(hours=2))
    assert (view.status_of(plan), view.status_of(server)) == (Status.ACTIVE, Status.SUSPENDED)
    assert view.access_to(server).active is False
    assert server.status == "active"


def test_an_overview_writes_nothing_and_creates_no_wallet(alice, mallory):
    [subscription] = start(alice, 5_00, hourly())
    before = picture()
    with CaptureQueriesContext(connection) as caught:
        overview.access(subscription, now=at(days=5))
        overview.peek(alice, "RUB", now=at(days=5))
        view = overview.peek(mallory, "RUB", now=at(days=5))
    assert not [query["sql"] for query in caught.captured_queries if not query["sql"].lstrip().startswith("SELECT")]
    assert (view.balance, view.available, view.subs) == (0, 0, {})
    assert picture() == before


def test_an_overview_before_the_settled_instant_is_of_that_instant(alice):
    [subscription] = start(alice, 3_60, hourly())
    settle(alice, at(hours=5))
    subscription.refresh_from_db()
    assert overview.access(subscription, now=NOON) == overview.Access(False, None, "suspended")


def test_the_overview_predicts_what_settling_saves(alice):
    """Every three days for two months: the overview before settling equals the rows after it."""
    rows = start(alice, 1500_00, basic(), hourly(), sell("trial", RUB=100_00, trial_days=9, grace_days=2)["RUB"])
    said = {}
    for day in range(0, 64, 3):
        view = overview.peek(alice, "RUB", now=at(days=day))
        said[day] = (view.available, [str(view.status_of(row)) for row in rows])
    for day, (available, statuses) in said.items():
        settle(alice, at(days=day))
        for row in rows:
            row.refresh_from_db()
        assert [row.status for row in rows] == statuses
        # The server needs a kopeck for what begins at this instant.
        due_now = 1 if statuses[1] == "active" else 0
        assert BillingClock.objects.get().wallet.balance == available + due_now


def test_grace_is_as_long_as_what_was_just_paid_for(alice):
    """A trial cost nothing, so that the first unpaid period gets no days on trust."""
    [subscription] = start(alice, 0, sell("tried", RUB=100_00, trial_days=7, grace_days=3)["RUB"])
    assert overview.access(subscription, now=at(days=7)) == overview.Access(False, None, "suspended")


def test_a_state_has_the_quantity_of_the_instant_and_what_is_scheduled(alice):
    [subscription] = start(alice, 5000_00, basic())
    with books.open(alice, "RUB", now=NOON) as book:
        book.change_quantity(subscription, 3, when="period_end")
    before, after = (overview.one(subscription, now=now) for now in (APRIL - MICROSECOND, APRIL))
    assert (before.quantity, before.scheduled_quantity) == (1, 3)
    assert before.next_charge == overview.NextCharge(APRIL, Money(2970_00, "RUB"))
    assert (after.quantity, after.scheduled_quantity) == (3, None)
    assert after.next_charge == overview.NextCharge(MAY, Money(2970_00, "RUB"))
    assert Subscription.objects.get().quantity == 1


def test_a_state_says_when_waiting_ends(alice):
    [order] = start(alice, 0, basic())
    assert overview.one(order, now=NOON).wait_end == at(days=14)
    assert overview.one(order, now=at(days=14)).status == Status.EXPIRED
    [paid] = start(alice, 50_00, sell("short", RUB=50_00, keep_days=5)["RUB"])
    assert overview.one(paid, now=APRIL).wait_end == APRIL + 5 * 24 * HOUR


def test_days_of_grace_cost_their_part_of_the_period(alice):
    [subscription] = start(alice, 300_00, sell("graceful", RUB=300_00, grace_days=3)["RUB"])
    # 300.00 for the 30 days of April.
    assert overview.one(subscription, now=APRIL + 24 * HOUR).grace_cost == 10_00
    # Nobody has paid them: they are a debt.
    view = overview.peek(alice, "RUB", now=APRIL + 72 * HOUR)
    assert (view.debt, view.available, view.status_of(subscription)) == (30_00, 0, Status.SUSPENDED)


def test_an_order_after_the_books_were_read_is_not_shown_half(alice):
    [first] = start(alice, 3000_00, basic())
    held = overview.of(alice, now=NOON)
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        book.subscribe(sell("other", RUB=1_00)["RUB"])
    assert Subscription.objects.filter(customer=alice).count() == 2
    assert [each.pk for each in held.rows()] == [first.pk]


def test_a_subscription_that_ends_before_the_books_are_read_is_shown_as_ended(alice):
    [row] = start(alice, 100_00, hourly())
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        book.cancel(Subscription.objects.get(pk=row.pk))
    assert row.ended_at is None
    state = overview.one(row, now=at(hours=1))
    assert (state.status, state.ended_at) == (Status.CANCELLED, at(hours=1))
