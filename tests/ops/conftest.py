"""An empty database for the tests of docs/ops."""

from collections.abc import Iterator

import pytest
from django.db import connection


@pytest.fixture
def empty_database(child_environment: dict[str, str]) -> Iterator[str]:
    """Return the address of an empty database on the tests' server. It is dropped in the end."""
    own = connection.settings_dict["NAME"]
    name = f"{own}_empty"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    server, database, options = child_environment["DATABASE_URL"].rpartition(f"/{own}")
    assert database
    yield f"{server}/{name}{options}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
