"""Every committed event is read once, in each customer's order, also if a lower id commits after a higher one."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from django.db import connection

from core import columns
from events import reader
from events.models import Event, EventReader
from tests.concurrency.sessions import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TYPES = ("x",)


class Session:
    """Another session of the database with a transaction of its own."""

    def __init__(self, link: "psycopg.Connection[Any]") -> None:
        self.link = link

    def number(self) -> int:
        """Return the transaction's number, which it gets now if it has none."""
        row = self.link.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        assert row is not None
        return int(row[0])

    def write(self, customer: Any, subject: str, kind: str = "x") -> None:
        self.link.execute(
            "INSERT INTO events_event (customer_id, type, subject, data, effective_at)"
            " VALUES (%s, %s, %s, '{}', now())",
            [customer.pk, kind, subject],
        )

    def commit(self) -> None:
        self.link.commit()

    def roll_back(self) -> None:
        self.link.rollback()


def login() -> dict[str, Any]:
    """Return how to connect to the server of the tests' database."""
    parameters = connection.get_connection_params()
    return {name: parameters[name] for name in ("host", "port", "user", "password") if parameters.get(name)}


@pytest.fixture
def sessions() -> Iterator[list[Session]]:
    """Three sessions."""
    database = connection.get_connection_params()["dbname"]
    with ExitStack() as stack:
        yield [Session(stack.enter_context(psycopg.connect(**login(), dbname=database))) for _ in range(3)]


def read(batch: int = 1000, name: str = "test") -> list[str]:
    """Return the subjects that the reader has not had."""
    seen: list[str] = []
    reader.read(name, TYPES, lambda events: seen.extend(event.subject for event in events), batch=batch)
    return seen


def test_a_transaction_of_the_server_itself_holds_nothing_back(sessions, alice, monkeypatch):
    """As autovacuum has one, whose process has no user."""
    of_the_server, writes, _ = sessions
    of_the_server.number()
    writes.write(alice, "one")
    writes.commit()
    assert read() == []
    backend = of_the_server.link.info.backend_pid
    activity = f"""(
        SELECT datname, backend_xid, CASE WHEN pid <> {backend} THEN usesysid END AS usesysid FROM pg_stat_activity)"""
    monkeypatch.setattr(reader, "FOREIGN", reader.FOREIGN.replace("pg_stat_activity", activity))
    assert read() == ["one"]


@pytest.mark.parametrize("begins", [True, False], ids=["begins", "ends"])
def test_a_transaction_of_another_database_may_begin_or_end_meanwhile(sessions, alice, monkeypatch, begins):
    with psycopg.connect(**login(), dbname="postgres") as link:
        elsewhere, statements = Session(link), []
        if not begins:
            elsewhere.number()
        sessions[0].write(alice, "one")
        sessions[0].commit()

        def run(sql: str, params: Any) -> Any:
            statements.append(sql)
            rows = columns.run(sql, params)
            if sql == reader.FOREIGN and statements.count(sql) == 1:
                (elsewhere.number if begins else elsewhere.commit)()
            return rows

        monkeypatch.setattr(reader, "run", run)
        assert read() == ["one"]
    assert statements.index(reader.FOREIGN) < statements.index(reader.HORIZON)


def test_an_event_that_commits_after_a_higher_id_is_not_skipped(alice, mallory, sessions):
    early, late, _ = sessions
    early.write(alice, "low id")
    late.write(mallory, "high id")
    late.commit()
    # The one with the low id is still open, and nothing that began after it is read.
    assert read() == []
    early.commit()
    assert read() == ["low id", "high id"]
    assert read() == []


def test_an_event_that_commits_in_order_is_read_at_once(alice, mallory, sessions):
    early, late, _ = sessions
    early.write(alice, "low id")
    late.write(mallory, "high id")
    early.commit()
    assert read() == ["low id"]
    late.commit()
    assert read() == ["high id"]


def test_a_long_transaction_in_another_database_holds_nothing_up(alice, sessions):
    with psycopg.connect(**login(), dbname="postgres") as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")
        sessions[0].write(alice, "one")
        sessions[0].commit()
        assert read() == ["one"]


def test_a_transaction_that_was_rolled_back_leaves_a_gap_and_holds_nothing_up(alice, sessions):
    early, late, _ = sessions
    early.write(alice, "never")
    late.write(alice, "true")
    early.roll_back()
    late.commit()
    assert read() == ["true"]


@pytest.mark.parametrize(("same_customer", "at_first"), [(True, []), (False, ["second"])])
def test_a_customers_events_are_read_in_their_order_whatever_their_numbers(
    alice, mallory, sessions, same_customer, at_first
):
    """One transaction has its number first and then waits, as for a wallet, while another one writes."""
    waits, open_one, writes = sessions
    assert waits.number() < open_one.number() < writes.number()
    writes.write(alice, "first")
    writes.commit()
    waits.write(alice if same_customer else mallory, "second")
    waits.commit()
    # The horizon is the number of the open one: above that of "second", below that of "first".
    assert read() == at_first
    open_one.commit()
    assert at_first + read() == (["first", "second"] if same_customer else ["second", "first"])


def test_only_events_of_the_types_are_read_and_others_are_passed(alice, sessions):
    one, _, _ = sessions
    for number in range(5):
        one.write(alice, f"x{number}")
        one.write(alice, f"y{number}", "y")
    one.commit()
    assert read(batch=2) == ["x0", "x1", "x2", "x3", "x4"]
    one.write(alice, "y9", "y")
    one.write(alice, "x9")
    one.commit()
    assert read() == ["x9"]


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_batches_and_windows_of_any_size_give_each_event_once(alice, mallory, sessions, batch):
    written = []
    for round_ in range(4):
        for session, owner in zip(sessions, (alice, mallory, alice), strict=True):
            for number in range(round_ + 1):
                session.write(owner, f"{round_} {number} {owner}")
                written.append(f"{round_} {number} {owner}")
            session.commit()
    assert read(batch=batch) == written


def test_a_reader_that_dies_reads_the_same_batch_again(alice, sessions):
    sessions[0].write(alice, "one")
    sessions[0].write(alice, "two")
    sessions[0].commit()
    handled = []

    def dies(events: list[Event]) -> None:
        handled.append(events[0].subject)
        if len(handled) == 2:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        reader.read("test", TYPES, dies, batch=1)
    assert handled == ["one", "two"]
    assert read() == ["two"]


def test_two_readers_of_one_name_share_and_others_have_their_own_position(alice, sessions):
    for number in range(40):
        sessions[0].write(alice, f"{number:02}")
        sessions[0].commit()
    parts = at_once([lambda: read(batch=3)] * 4)
    assert sorted(subject for part in parts for subject in part) == [f"{number:02}" for number in range(40)]
    assert len(read(name="other")) == 40


def test_a_database_restored_from_a_dump_goes_on_where_it_was(alice, sessions):
    """The new server counts transactions anew: what was read is not read again, and nothing new is left out."""
    far = 10**15
    for subject, number in (("read before", far - 5), ("left over", far + 5)):
        Event.objects.create(customer=alice, type="x", subject=subject, effective_at="2026-03-01T12:00Z",
                             transaction_number=number)  # fmt: skip
    last = Event.objects.get(subject="read before").pk
    EventReader.objects.create(name="test", window_start=far - 9, window_end=far, last_id=last, highest_id=last)
    sessions[0].write(alice, "new")
    sessions[0].commit()
    assert [subject for _ in range(3) for subject in read()] == ["left over", "new"]
    # Long after, when the new server has come to the old numbers.
    EventReader.objects.update(window_end=1)
    assert "read before" not in read()
