from itertools import product

import pytest
from django.db import DatabaseError, connection, transaction

from payments import transitions
from payments.collection import states
from payments.models import Collection, CollectionDecision
from tests.payments.collection.story import Story

Status = Collection.Status
pytestmark = pytest.mark.django_db


def test_the_database_allows_the_same_moves_as_the_table() -> None:
    pairs = list(product(Status.values, repeat=2))
    with connection.cursor() as cursor:
        allowed = {pair for pair in pairs if cursor.execute("SELECT collections_may_move(%s, %s)", pair).fetchone()[0]}
    table = {(origin.value, to.value) for origin, targets in states.MOVES.items() for to in targets}
    assert allowed == table | {(status, status) for status in Status.values}


@pytest.fixture
def collected(story: Story) -> Collection:
    subscription = story.buy()
    story.agree()
    story.run()
    story.travel_ahead_of(subscription)
    story.run()
    return story.collection


def test_what_was_collected_is_final(story: Story, collected: Collection) -> None:
    with pytest.raises(transitions.IllegalMove):
        states.move(collected, Status.WAITING, now=story.now, next_at=story.now)
    with pytest.raises(DatabaseError, match="collected is final"), transaction.atomic():
        Collection.objects.update(status="waiting", next_at=story.now, ended_at=None)


@pytest.mark.parametrize("change", ["cause = 'renewal:other'", "wallet_id = 0", "due_at = now()"])
def test_a_collection_keeps_its_cause(collected: Collection, change: str) -> None:
    with pytest.raises(DatabaseError, match="never change"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE payments_collection SET {change}")


def test_nothing_of_it_is_deleted(collected: Collection) -> None:
    for rows in (Collection.objects.all(), CollectionDecision.objects.all()):
        with pytest.raises(DatabaseError, match="never"), transaction.atomic():
            rows._raw_delete(rows.db)


def test_staff_may_stop_it_for_good(story: Story) -> None:
    subscription = story.buy()
    story.agree()
    story.answer("insufficient_funds")
    story.travel_ahead_of(subscription)
    story.run()
    states.end(story.collection.pk, Status.STOPPED, "stopped_by_staff", now=story.now)
    story.later(hours=1)
    story.agree()
    story.run()
    assert (story.collection.status, len(story.attempts)) == ("stopped", 1)
