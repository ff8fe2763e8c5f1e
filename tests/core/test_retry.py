import psycopg
import pytest
from django.db import DataError, IntegrityError, InternalError, OperationalError, connection, transaction

from core import retry
from core.errors import Unavailable


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Do not wait between tries."""
    monkeypatch.setattr("core.retry.time.sleep", lambda seconds: None)


def raises(state: str) -> None:
    """Make the database raise an error with this SQLSTATE."""
    with connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = %s; END $$", [state])


class Flaky:
    """Fails with `state` for the first `times` calls."""

    def __init__(self, state: str, times: int) -> None:
        self.state, self.times, self.calls = state, times, 0
        self.__qualname__ = "flaky"

    def __call__(self) -> str:
        self.calls += 1
        with transaction.atomic():
            if self.calls <= self.times:
                raises(self.state)
        return "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
def test_a_transaction_that_the_database_aborted_runs_again(state):
    flaky = Flaky(state, times=4)
    assert retry.retried(flaky)() == "done"
    assert flaky.calls == 5


@pytest.mark.django_db(transaction=True)
def test_five_failures_raise_unavailable_and_never_insufficient_funds():
    flaky = Flaky("40P01", times=9)
    with pytest.raises(Unavailable) as caught:
        retry.retried(flaky)()
    assert (flaky.calls, caught.value.code) == (5, "unavailable")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("state", "error"), [("23514", IntegrityError), ("22003", DataError), ("57014", OperationalError)]
)
def test_any_other_error_is_raised_at_once(state, error):
    flaky = Flaky(state, times=1)
    with pytest.raises(error):
        retry.retried(flaky)()
    assert flaky.calls == 1


@pytest.mark.django_db
def test_a_function_inside_an_outer_transaction_runs_once():
    flaky = Flaky("40001", times=1)
    with pytest.raises(OperationalError) as caught:
        retry.retried(flaky)()
    assert isinstance(caught.value.__cause__, psycopg.errors.SerializationFailure)
    assert flaky.calls == 1


@pytest.mark.django_db(transaction=True)
def test_a_server_that_takes_no_writes_since_a_failover_counts_as_away():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        with pytest.raises(InternalError) as caught:
            cursor.execute("DELETE FROM core_heartbeat")
    assert retry.is_unreachable(caught.value)
