"""SIGKILL of a billing run at every point of a batch. A later run ends with the rows of one that nobody disturbed."""

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
    town.found(PEOPLE)
    town.settle_twins(NOW)
    return child_environment


def settled() -> int:
    return BillingClock.objects.filter(settled_at=NOW, wallet__owner__username__startswith="citizen").count()


def came_out_as_if_nothing_had_happened() -> None:
    town.run_on(NOW)
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
    died = town.child(environment, "bill_due", "--catch-up", now=NOW.isoformat(), at=point, turn=2)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert settled() == done * BATCH
    assert broken_rules() == []
    came_out_as_if_nothing_had_happened()


def test_several_killed_runs_are_finished_by_the_next_run(environment):
    """Each dies at some statement, wherever that is; what was done stays done."""
    before = 0
    for turn in (9, 17, 17, 9):
        died = town.child(environment, "bill_due", "--catch-up", now=NOW.isoformat(), at="statement", turn=turn)
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert before <= settled() < PEOPLE
        before = settled()
    assert before > 0
    came_out_as_if_nothing_had_happened()
