"""Rows sent to PostgreSQL as arrays arrive unchanged: any text, NULL, numbers and instants to the microsecond."""

from datetime import UTC, datetime

import pytest

from core.columns import columns, run_on

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
