"""/livez and /readyz."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from kombu import Connection

from billing_site import health
from billing_site.celery import app
from core import clock

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def billed(db):
    """Record that a billing run has just finished."""
    health.tick_finished(now=datetime.now(UTC))


def test_livez_needs_neither_database_nor_a_known_host(client):
    """The test has no access to the database."""
    answer = client.get("/livez", headers={"host": "10.0.0.7"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_readyz_is_ready_when_every_part_is(client, billed):
    answer = client.get("/readyz", headers={"host": "10.0.0.7"})
    assert answer.json()["checks"] == dict.fromkeys(
        ["database", "clock", "migrations", "last_billing_run", "broker"], "ok"
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(("off", "expected"), [(59, "ok"), (-59, "ok"), (70, "7"), (-70, "7")])
def test_a_machine_with_a_wrong_clock_is_not_ready(db, billed, off, expected):
    answer = health.readiness(now=clock.now() + timedelta(seconds=off))
    result = json.loads(answer.content)["checks"]["clock"]
    assert result == expected if expected == "ok" else re.fullmatch(r"(69|70|71) s off the database's", result)


def test_probes_need_no_tls(client, billed, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/readyz").status_code == 200


def test_a_site_with_a_missing_migration_is_not_ready(client, billed):
    """As with the code of a new release on the tables of the old one."""
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(*sorted(name for name in recorder.applied_migrations() if name[0] == "ledger")[-1])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert answer.json()["checks"]["migrations"].endswith("not applied")


def test_a_site_without_a_database_is_not_ready(client, db, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"host": "/nowhere", "connect_timeout": 1})
    broken = connection.copy()
    monkeypatch.setattr(health, "connection", broken)
    answer = client.get("/readyz")
    broken.close()
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "unreachable"


def test_a_site_without_a_broker_is_not_ready(client, billed, monkeypatch):
    monkeypatch.setattr(app, "connection_for_write", lambda: Connection("redis://127.0.0.1:1/0"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"] == "unreachable"


def test_a_site_without_a_cache_is_not_ready_but_billing_runs_do_not_fail(client, billed, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/1"}}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["last_billing_run"] == "not known: the cache is unreachable"
    health.tick_finished(now=datetime.now(UTC))


def test_a_site_whose_billing_runs_stopped_is_not_ready(client, db):
    health.tick_finished(now=datetime.now(UTC) - timedelta(minutes=10))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["last_billing_run"] == "600 s ago"


# Runs come every minute; three may be missed.
@pytest.mark.parametrize(("age", "expected"), [(0, "ok"), (180, "ok"), (181, "181 s ago")])
def test_more_than_three_minutes_without_a_billing_run_are_too_many(db, age, expected):
    health.tick_finished(now=NOON)
    assert health.tick(now=NOON + timedelta(seconds=age)) == expected


def test_a_site_without_any_billing_run_says_so(db):
    cache.delete(health.TICK)
    assert health.tick(now=NOON) == "none yet"
