"""Fixtures for all tests: two customers, a disabled one, staff and a superuser, and a separate database server."""

import os
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.core.management.commands import flush
from django.db import connection, connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils.translation import override
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from accounts.models import User
from billing_site.local.postgres import Postgres
from billing_site.local.valkey import Valkey
from tests import selection
from tests.browser.chromium import chromium

# The browser starts with the first test that uses it.
__all__ = ["chromium"]

PASSWORD = "correct horse battery staple"

# `quick` is for every run and tries the same examples each time, so that a change is judged by itself. `thorough` looks
# for new ones, for the night: HYPOTHESIS_PROFILE=thorough make test PYTEST_ARGS="--timeout 0".
hypothesis_settings.register_profile(
    "quick", max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile("thorough", max_examples=3000, deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_configure(config: pytest.Config) -> None:
    selection.register(config)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Without DATABASE_URL, start a separate database server for tests, without fsync: `make run` keeps its own."""
    if settings.EMBEDDED_POSTGRES:
        server = Postgres(settings.VAR_DIR / "postgres-test", fsync=False)
        server.hold()
        connections.databases["default"]["OPTIONS"]["host"] = str(server.socket_dir)


@pytest.fixture(scope="session", autouse=True)
def _valkey() -> None:
    """Broker and cache are a server of the tests' own (tests/settings.py says which databases of it)."""
    Valkey(settings.VAR_DIR / "valkey-test").hold()
    cache.clear()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Before the database is dropped, end the sessions of killed processes, which PostgreSQL notices late."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Return the hash of the password that all test users share. It is made only once."""
    return make_password(PASSWORD)


@pytest.fixture
def alice(db: None, password_hash: str) -> User:
    """A customer."""
    return _person("alice", password_hash)


@pytest.fixture
def mallory(db: None, password_hash: str) -> User:
    """Another customer, who must not see or change anything of Alice's."""
    return _person("mallory", password_hash)


@pytest.fixture
def disabled(db: None, password_hash: str) -> User:
    """A customer whose account is disabled."""
    return _person("disabled", password_hash, is_active=False)


@pytest.fixture
def staff(db: None, password_hash: str) -> User:
    """A member of staff without any permissions."""
    return _person("staff", password_hash, is_staff=True)


@pytest.fixture
def superuser(db: None, password_hash: str) -> User:
    return _person("root", password_hash, is_staff=True, is_superuser=True)


@pytest.fixture
def child_environment(db: None) -> dict[str, str]:
    """Return the environment in which another process (worker, web) uses the test's database, broker and cache."""
    parameters = connection.get_connection_params()
    host = str(parameters.get("host", ""))
    login = quote(str(parameters.get("user", ""))) + (":" + quote(str(p)) if (p := parameters.get("password")) else "")
    where = (
        f"/{parameters['dbname']}?host={quote(host)}"
        if host.startswith("/") or not host
        else (f"{host}:{parameters.get('port', 5432)}/{parameters['dbname']}")
    )
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "billing_site.settings", "LOCAL": "1", "DATABASE_URL": f"postgresql://{login}@{where}",
        "CELERY_BROKER_URL": settings.CELERY_BROKER_URL, "CACHE_URL": str(settings.CACHES["default"]["LOCATION"]),
    }  # fmt: skip


# Tables whose rows come from the migrations and are the same for every test. Nothing empties them.
FIXED = frozenset({"django_content_type", "auth_permission"})
GUARDED = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 = 32"
DISABLED = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D'"


@pytest.fixture(scope="session", autouse=True)
def _tests_alone_may_empty_guarded_tables() -> Iterator[None]:
    """Let Django empty the tables after a test that commits, although triggers of the ledger refuse it.

    A superuser's session deletes the few rows without any trigger, which is much faster than TRUNCATE, under the locks
    that TRUNCATE would take. Other sessions truncate with the triggers disabled. Both enable again what a test has
    disabled to plant an error. Content types and permissions stay, so that they need not be created again.
    """
    original = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, style: Any, tables: Sequence[str], **kwargs: Any) -> list[str]:
        emptied = [self.quote_name(table) for table in tables if table not in FIXED]
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('is_superuser')")
            is_superuser = cursor.fetchone() == ("on",)
            cursor.execute(DISABLED if is_superuser else GUARDED)
            found = [table for (table,) in cursor.fetchall()]
        enable = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in found]
        if is_superuser:
            return [
                "SET LOCAL session_replication_role = replica",
                f"LOCK TABLE {', '.join(emptied)} IN ACCESS EXCLUSIVE MODE",
                "; ".join(f"DELETE FROM {table}" for table in emptied),
                *enable,
            ]
        disable = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in found]
        return [*disable, *original(self, style, [table for table in tables if table not in FIXED], **kwargs), *enable]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_: None)
        yield


@pytest.fixture(autouse=True)
def _no_language_left_over() -> Iterator[None]:
    """Start each test in the default language: a request changes its thread's language for good."""
    with override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Clear the cache after each test: throttles count in it."""
    yield
    cache.clear()


def _person(name: str, password_hash: str, **more: bool) -> User:
    return User.objects.create(username=name, email=f"{name}@example.com", password=password_hash, **more)
