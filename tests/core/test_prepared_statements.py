"""Prepared statements: kept by the session, logged as any other, and not used behind a pooler."""

from typing import Any

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from core import prepared_statements
from core.columns import run

SQL = "SELECT %s::bigint * 2"
pytestmark = pytest.mark.django_db


def kept() -> list[str]:
    """Return the statements that this session keeps."""
    return [text for (text,) in run("SELECT statement FROM pg_prepared_statements", [])]


def test_a_statement_is_kept_for_the_next_time() -> None:
    assert prepared_statements.run(SQL, [21]) == [(42,)]
    assert prepared_statements.run(SQL, [4]) == [(8,)]
    assert [text for text in kept() if "* 2" in text] == ["SELECT $1::bigint * 2"]


def test_nothing_is_kept_behind_a_pooler(settings: Any) -> None:
    settings.PREPARED_STATEMENTS = False
    assert prepared_statements.run("SELECT %s::bigint * 3", [14]) == [(42,)]
    assert [text for text in kept() if "* 3" in text] == []


def test_it_is_logged_and_its_errors_are_djangos() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert prepared_statements.run(SQL, [1]) == [(2,)]
    assert [query["sql"] for query in queries.captured_queries] == ["SELECT 1::bigint * 2"]
    with pytest.raises(DataError):
        prepared_statements.run("SELECT 1 / %s::bigint", [0])
