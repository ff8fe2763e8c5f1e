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
    """Workers and scheduler are well: the last run was a moment ago."""
    health.tick_finished(now=datetime.now(UTC))


def test_it_lives_whatever_the_database_does(client):
    """No database is allowed in this test, and no host name fits."""
    answer = client.get("/livez", headers={"host": "10.0.0.7"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_it_is_ready_when_all_parts_are(client, billed):
    answer = client.get("/readyz", headers={"host": "10.0.0.7"})
    assert answer.json()["checks"] == dict.fromkeys(
        ["database", "clock", "migrations", "last_billing_run", "broker"], "ok"
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(("off", "said"), [(59, "ok"), (-59, "ok"), (70, "7"), (-70, "7")])
def test_a_machine_whose_clock_is_wrong_takes_no_requests(db, billed, off, said):
    answer = health.readiness(now=clock.now() + timedelta(seconds=off))
    found = json.loads(answer.content)["checks"]["clock"]
    assert found == said if said == "ok" else re.fullmatch(r"(69|70|71) s off the database's", found)


def test_probes_need_no_tls(client, billed, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/readyz").status_code == 200


def test_a_missing_migration_makes_it_not_ready(client, billed):
    """The code of a new release on the tables of the old one."""
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(*sorted(name for name in recorder.applied_migrations() if name[0] == "ledger")[-1])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert answer.json()["checks"]["migrations"].endswith("not applied")


def test_a_database_that_is_gone_makes_it_not_ready(client, db, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"host": "/nowhere", "connect_timeout": 1})
    broken = connection.copy()
    monkeypatch.setattr(health, "connection", broken)
    answer = client.get("/readyz")
    broken.close()
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "unreachable"


def test_a_broker_that_is_gone_makes_it_not_ready(client, billed, monkeypatch):
    monkeypatch.setattr(app, "connection_for_write", lambda: Connection("redis://127.0.0.1:1/0"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"] == "unreachable"


def test_a_cache_that_is_gone_makes_it_not_ready_and_fails_no_billing_run(client, billed, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/1"}}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["last_billing_run"] == "not known: the cache is unreachable"
    health.tick_finished(now=datetime.now(UTC))


def test_billing_that_stopped_makes_it_not_ready(client, db):
    health.tick_finished(now=datetime.now(UTC) - timedelta(minutes=10))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["last_billing_run"] == "600 s ago"


# Runs come every minute; three may be missed.
@pytest.mark.parametrize(("age", "said"), [(0, "ok"), (180, "ok"), (181, "181 s ago")])
def test_three_minutes_without_a_run_are_too_many(db, age, said):
    health.tick_finished(now=NOON)
    assert health.tick(now=NOON + timedelta(seconds=age)) == said


def test_a_site_that_never_billed_says_so(db):
    cache.delete(health.TICK)
    assert health.tick(now=NOON) == "none yet"
