"""A database that gives no answer: statements end in time, and threads do not queue up for it."""

import threading
import time

import psycopg
import pytest
from django.db import OperationalError, connection

from core import retry
from core.columns import run
from core.database import patience
from core.database.base import silence
from core.database.patience import Silence

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh():
    """Connect anew, and leave no broken connection to the next test."""
    connection.close()
    yield
    silence.asked_again_at = 0.0
    connection.close()


def test_a_statement_without_an_answer_ends_as_an_outage_and_the_next_one_works():
    with patience.within(0.2), pytest.raises(OperationalError, match=r"no answer within 0\.2 s") as raised:
        run("SELECT pg_sleep(30)", [])
    assert retry.is_unreachable(raised.value)
    connection.close_if_unusable_or_obsolete()
    assert run("SELECT 1", []) == [(1,)]


def test_no_statement_is_limited_unless_a_program_that_serves_says_so(monkeypatch):
    assert patience.seconds() is None
    monkeypatch.setattr(patience, "_of_process", None)
    patience.limit_process(7)
    assert patience.seconds() == 7
    with patience.within(3):
        assert patience.seconds() == 3
        with patience.within(None):
            assert patience.seconds() is None
    assert patience.seconds() == 7


def test_the_server_ends_a_statement_whose_client_is_gone():
    [(interval,)] = run("SELECT current_setting('client_connection_check_interval')", [])
    assert interval == "1s"


def ask(silence: Silence, *, is_there: bool) -> None:
    with silence.broken():
        if not is_there:
            raise psycopg.errors.ConnectionTimeout("no answer")


def is_known(silence: Silence) -> bool:
    """Return the same as the property, of which mypy would believe that it never changes."""
    return silence.is_known


def test_a_silent_server_is_not_asked_for_a_while_and_then_by_one_thread(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    found = Silence()
    ask(found, is_there=True)
    assert not is_known(found)
    with pytest.raises(psycopg.errors.ConnectionTimeout):
        ask(found, is_there=False)
    assert is_known(found)
    with pytest.raises(psycopg.OperationalError, match="a moment ago"):
        ask(found, is_there=True)
    clock[0] += patience.SKIPPED_FOR
    with found.broken():
        refused: list[bool] = []
        other = threading.Thread(target=lambda: refused.append(is_refused(found)))
        other.start()
        other.join()
        assert refused == [True]
    assert not is_known(found)
    ask(found, is_there=True)


def is_refused(found: Silence) -> bool:
    try:
        ask(found, is_there=True)
    except psycopg.OperationalError:
        return True
    return False


def test_another_error_is_a_sign_of_life():
    found = Silence()
    found.asked_again_at = time.monotonic()
    with pytest.raises(psycopg.errors.TooManyConnections), found.broken():
        raise psycopg.errors.TooManyConnections
    assert not is_known(found)


def test_while_the_server_is_silent_no_connection_is_tried():
    run("SELECT 1", [])
    silence.asked_again_at = time.monotonic() + 60
    assert not connection.is_usable()
    connection.close()
    with pytest.raises(OperationalError, match="a moment ago"):
        run("SELECT 1", [])
