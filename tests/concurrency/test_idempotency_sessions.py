"""A key whose request died with its database session is free at once; one whose session lives is held."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections

from core.api import idempotency
from core.idempotency import KeyReused
from core.models import IdempotencyKey
from tests.concurrency.sessions import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def claim(fingerprint: str = "f") -> idempotency.Claim | None:
    """Claim the key of user 1; return None if it is in use."""
    try:
        return idempotency.claim(1, key="k", fingerprint=fingerprint)
    except idempotency.KeyInUse:
        return None


class Other:
    """A request in another database session, which lasts until it is killed."""

    def __init__(self) -> None:
        self.pid = 0
        self.claim: idempotency.Claim | None = None
        self.ready, self.end = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        assert self.ready.wait(30)

    def run(self) -> None:
        self.claim = claim()
        self.pid = connection.connection.info.backend_pid
        self.ready.set()
        self.end.wait(60)
        connections.close_all()

    def kill(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [self.pid])
            assert cursor.fetchone() == (True,)
        self.end.set()
        self.thread.join(30)


@pytest.fixture
def other():
    one = Other()
    yield one
    one.end.set()
    one.thread.join(30)


def test_the_key_of_a_living_session_is_held(other):
    assert other.claim
    assert claim() is None


def test_the_key_of_a_dead_session_is_free_at_once_for_the_same_request_only(other):
    other.kill()
    with pytest.raises(KeyReused):
        claim("another request")
    assert claim()
    # The new session holds it now.
    assert at_once([claim]) == [None]


def test_one_of_many_takes_over_the_key_of_a_dead_session(other):
    other.kill()
    # A claim ends with its session, so all sessions last until each has tried.
    tried = threading.Barrier(8)

    def take() -> idempotency.Claim | None:
        try:
            return claim()
        finally:
            tried.wait(30)

    takers = at_once([take] * 8)
    assert sum(taker is not None for taker in takers) == 1


def test_the_number_of_a_dead_session_that_another_one_has_got_does_not_hold_the_key(other):
    other.kill()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [mine] = cursor.fetchone()
    IdempotencyKey.objects.update(session_pid=mine)
    assert claim()


def test_a_key_of_before_the_upgrade_is_held_for_a_minute(other):
    IdempotencyKey.objects.update(session_pid=None, session_started_at=None)
    other.kill()
    assert claim() is None
    IdempotencyKey.objects.update(created_at=datetime.now(UTC) - timedelta(seconds=61))
    assert claim()


def test_the_answer_of_a_dead_session_is_not_lost(other):
    assert other.claim
    idempotency.keep(other.claim, 201, {"number": 7})
    other.kill()
    with pytest.raises(idempotency.Replay) as replay:
        claim()
    assert (replay.value.status, replay.value.body) == (201, {"number": 7})
