"""SIGKILL of a billing run at every point of a batch. The next run ends with the rows of an undisturbed one."""

import signal

import pytest

from subscriptions.models import BillingClock
from tests.faults import town
from tests.faults.town import BATCH, NOW
from tests.subscriptions.bank import broken_rules

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 10


@pytest.fixture
def environment(child_environment: dict[str, str]) -> dict[str, str]:
    town.populate(PEOPLE)
    town.settle_twins(NOW)
    return child_environment


def settled() -> int:
    return BillingClock.objects.filter(settled_at=NOW, wallet__owner__username__startswith="citizen").count()


def assert_next_run_completes() -> None:
    town.run_until_done(NOW)
    census = town.census()
    assert census["citizen"] == census["twin"]
    assert broken_rules() == []


@pytest.mark.parametrize(
    ("point", "done"),
    [
        ("claimed", 1), ("after_the_ledger", 1), ("after_charges", 1), ("after_events", 1), ("after_books", 1),
        ("before_commit", 1), ("after_commit", 2),
    ],
)  # fmt: skip
def test_a_killed_run_leaves_whole_batches_and_the_next_run_finishes(environment, point, done):
    died = town.run_child(environment, "bill_due", "--catch-up", now=NOW.isoformat(), at=point, turn=2)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert settled() == done * BATCH
    assert broken_rules() == []
    assert_next_run_completes()


def test_several_killed_runs_are_finished_by_the_next_run(environment):
    """Each run is killed at an arbitrary statement; what was committed stays."""
    before = 0
    for turn in (9, 17, 17, 9):
        died = town.run_child(environment, "bill_due", "--catch-up", now=NOW.isoformat(), at="statement", turn=turn)
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert before <= settled() < PEOPLE
        before = settled()
    assert before > 0
    assert_next_run_completes()
