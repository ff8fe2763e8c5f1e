"""Rows sent to PostgreSQL as arrays arrive unchanged: any text, NULL, numbers and instants to the microsecond."""

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import DataError, IntegrityError, ProgrammingError, connection

from core.columns import ask, columns, pipeline, run, run_on, send_on

pytestmark = pytest.mark.django_db
ALL = columns("id bigint, note text, flag bool, at instant, count int")
SELECT = "SELECT id, note, flag, at, count, place FROM :rows AS row ORDER BY place"
# 2026-03-01 12:00 UTC in microseconds since 1970.
NOON = 1_772_366_400_000_000
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_rows_keep_their_values_and_their_order():
    notes = ["plain", "", "NULL", "None", 'a "quoted" word', "back\\slash", "a,b{c}", "тест '% 😀", None]
    rows = [(9 - place, note, place % 2 == 0, NOON + place, None) for place, note in enumerate(notes)]
    found = run_on(SELECT, ALL, rows)
    assert [row[:3] for row in found] == [row[:3] for row in rows]
    assert [row[3] for row in found] == [MOMENT.replace(microsecond=place) for place in range(len(notes))]
    assert [row[4:] for row in found] == [(None, place + 1) for place in range(len(notes))]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_column_of_one_value_is_the_same_as_one_that_varies(rows):
    found = run_on(SELECT, ALL, [(n, 'a "quoted" \\ word', True, NOON + 1, 5) for n in range(rows)])
    assert found == [(n, 'a "quoted" \\ word', True, MOMENT.replace(microsecond=1), 5, n + 1) for n in range(rows)]


@pytest.mark.parametrize("year", [1970, 2026, 2255, 2300, 9999])
def test_instants_are_exact_in_any_year(year):
    moment = datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (moment.resolution)
    # One that varies is converted by SQL, one that is sent once here.
    for rows in ([(1, micros), (2, micros - 1)], [(1, micros), (2, micros)]):
        found = run_on("SELECT id, at FROM :rows AS row ORDER BY place", columns("id bigint, at instant"), rows)
        assert found[0][1] == moment


CREATE = "CREATE TEMPORARY TABLE note (id bigint PRIMARY KEY, word text) ON COMMIT DROP"
INSERT = "INSERT INTO note SELECT id, word FROM :rows AS row"
NOTE = columns("id bigint, word text")


@pytest.fixture
def notes():
    """An empty table `note`."""
    with connection.cursor() as cursor:
        cursor.execute(CREATE)


@pytest.mark.usefixtures("notes")
class TestPipeline:
    def test_statements_arrive_in_order_and_rows_can_be_read_between_them(self):
        with pipeline():
            send_on(INSERT, NOTE, [(1, "one"), (2, "two")])
            send_on("UPDATE note SET word = row.word FROM :rows AS row WHERE note.id = row.id", NOTE, [(2, "second")])
            assert run("SELECT word FROM note ORDER BY id", []) == [("one",), ("second",)]
            send_on(INSERT, NOTE, [(3, "three")])
        assert run("SELECT count(*) FROM note", []) == [(3,)]

    def test_the_first_error_is_raised_as_django_raises_it(self):
        def send():
            with pipeline():
                send_on(INSERT, NOTE, [(1, "one"), (1, "again")])
                send_on(INSERT, NOTE, [(2, "two")])

        with pytest.raises(IntegrityError) as caught:
            send()
        cause = caught.value.__cause__
        assert isinstance(cause, psycopg.IntegrityError)
        assert cause.diag.constraint_name == "note_pkey"

    def test_an_error_of_ours_is_raised_as_it_is_and_what_was_sent_is_done(self):
        def send():
            with pipeline():
                send_on(INSERT, NOTE, [(1, "one")])
                raise LookupError

        with pytest.raises(LookupError):
            send()
        assert run("SELECT count(*) FROM note", []) == [(1,)]

    def test_a_statement_without_rows_is_never_taken_for_one_with_none(self):
        with pytest.raises(ProgrammingError, match="didn't produce records"), pipeline():
            run("DELETE FROM note", [])


def test_several_statements_are_asked_at_once_and_each_returns_its_own_rows():
    with pipeline():
        first, second = ask("SELECT %s::int", [1]), ask("SELECT n FROM generate_series(1, %s) AS n", [3])
        assert second() == [(1,), (2,), (3,)]
        assert first() == [(1,)]


def test_outside_a_pipeline_the_rows_are_there_too():
    assert ask("SELECT %s::int", [1])() == [(1,)]


def test_an_error_of_one_of_several_statements_is_raised():
    def ask_all():
        with pipeline():
            answers = [ask("SELECT 1", []), ask("SELECT 1 / %s::int", [0]), ask("SELECT 3", [])]
            return answers[0]()

    with pytest.raises(DataError):
        ask_all()
