"""A worker killed with SIGKILL in the middle of a billing run: the next one finishes with the same rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from subscriptions import books
from subscriptions.models import BillingClock
from tests.flows.site import Site, wait_for
from tests.subscriptions.bank import basic, broken_rules, people, settle
from tests.subscriptions.picture import of_one

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]
CUSTOMERS = 250


def subscribed(customers: list[User], *, at: datetime) -> None:
    """Subscribe each customer to a monthly plan at `at`, with money for a second month."""
    price = basic()
    for user in customers:
        with books.open(user, "RUB", now=at) as book:
            book.top_up(2000_00, key=f"in:{user.pk}", source="gateway_clearing:sandbox")
            book.subscribe(price)


def rows_of(user: User) -> dict[str, Any]:
    """Return every row about a customer, without the time at which the scheduler ran."""
    rows = of_one(user)
    rows["books"] = [row[1:] for row in rows["books"]]
    return rows


def test_the_next_worker_finishes_the_billing_run_of_a_killed_one(site: Site):
    now = datetime.now(UTC)
    *customers, twin = people(CUSTOMERS + 1)
    # The first month ended some days ago, however long it was.
    subscribed([*customers, twin], at=now - timedelta(days=32))
    settle(twin, now)
    due = BillingClock.objects.filter(due_at__lte=now)
    assert due.count() == CUSTOMERS

    site.start_worker(BILLING_BATCH="2")
    wait_for(lambda: due.count() <= CUSTOMERS - 20, "the run to begin", every=0.005)
    site.kill("worker")
    left = due.count()
    assert 0 < left < CUSTOMERS, f"{left} of {CUSTOMERS} books were left: not the middle of the run"
    assert broken_rules() == []

    site.start_worker(BILLING_BATCH="50")
    wait_for(lambda: due.count() == 0, "the next worker to finish the run")
    expected = rows_of(twin)
    assert len(expected["transactions"]) == 3
    for user in customers:
        assert rows_of(user) == expected
    assert site.manage("check_ledger").returncode == 0
