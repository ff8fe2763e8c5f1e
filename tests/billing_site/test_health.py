"""/livez, /readyz and /statusz."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from kombu import Connection

from billing_site import health, task_runs
from billing_site.celery import app
from core import clock
from core.models import Heartbeat, LedgerCheck, TaskRun
from ledger import wallets
from payments.models import WebhookEvent
from subscriptions.models import BillingClock

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
TOKEN = "a-token-for-operators"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
AUTHORIZED = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def operators(settings):
    settings.METRICS_TOKEN, settings.METRICS_NETWORKS = TOKEN, []
    return settings


@pytest.fixture
def working(db, operators, empty_queues):
    """Every task has just run, and the scheduler lives."""
    now = clock.now()
    for task in task_runs.scheduled():
        task_runs.record(task, seconds=0.5)
    Heartbeat.objects.create(name="beat", at=now)


@pytest.fixture
def broken_database(db, monkeypatch):
    """Let the probes find a database that does not answer."""
    broken = connection.copy()
    broken.settings_dict["OPTIONS"] = {"host": "/nowhere", "connect_timeout": 1}
    monkeypatch.setattr(health, "connection", broken)
    monkeypatch.setattr(clock, "connection", broken)
    yield
    broken.close()


@pytest.fixture
def broken_broker(monkeypatch):
    monkeypatch.setattr(app, "connection_for_write", lambda: Connection("redis://127.0.0.1:1/0"))


@pytest.fixture
def broken_cache(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/1"}}


def test_livez_needs_neither_database_nor_a_known_host(client):
    """The test has no access to the database."""
    answer = client.get("/livez", headers={"host": "10.0.0.7"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_readyz_is_about_the_database_and_its_migrations_only(client, db):
    answer = client.get("/readyz", headers={"host": "10.0.0.7"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "checks": {"database": "ok", "migrations": "ok"}}


def test_probes_need_no_tls(client, db, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/readyz").status_code == 200


def test_a_site_without_broker_and_cache_is_ready(client, db, broken_broker, broken_cache):
    """Pages are served and payments are taken, so no web process may be taken out."""
    assert client.get("/readyz").status_code == 200


def test_a_site_with_a_missing_migration_is_not_ready(client, db):
    """As with the code of a new release on the tables of the old one."""
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(*sorted(name for name in recorder.applied_migrations() if name[0] == "ledger")[-1])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert answer.json()["checks"]["migrations"].endswith("not applied")


def test_a_site_without_a_database_is_not_ready(client, broken_database):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "checks": {"database": "unreachable"}}


@pytest.mark.parametrize("part", ["database", "migrations"])
def test_whatever_a_check_raises_readyz_answers_503(client, db, monkeypatch, part):
    def raises():
        raise RuntimeError("anything")

    raises.__name__ = part
    monkeypatch.setattr(health, part, raises)
    client.raise_request_exception = False
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"][part] == "unreachable"


@pytest.mark.parametrize("path", ["/statusz", "/metrics"])
class TestWhoMayRead:
    def test_the_token_opens_it(self, client, working, path):
        assert client.get(path, headers=AUTHORIZED | {"host": "10.0.0.7"}).status_code == 200

    @pytest.mark.parametrize(
        "sent", ["", "Bearer", "Bearer ", "Bearer another", f"Basic {TOKEN}", TOKEN, "Bearer \xff"]
    )
    def test_anything_else_does_not(self, client, db, operators, path, sent):
        answer = client.get(path, headers={"authorization": sent})
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
        assert answer.content == b""

    @pytest.mark.parametrize(("address", "status"), [("10.1.2.3", 200), ("10.2.0.1", 401), ("2001:db8::1", 200)])
    def test_a_listed_address_opens_it(self, client, working, settings, path, address, status):
        settings.METRICS_TOKEN, settings.METRICS_NETWORKS = "", ["10.1.0.0/16", "2001:db8::/32"]
        assert client.get(path, REMOTE_ADDR=address).status_code == status

    def test_a_forged_header_does_not(self, client, db, settings, path):
        settings.METRICS_TOKEN, settings.METRICS_NETWORKS = "", ["10.1.0.0/16"]
        assert client.get(path, REMOTE_ADDR="8.8.8.8", headers={"x-forwarded-for": "10.1.2.3"}).status_code == 401

    def test_without_settings_there_is_no_such_page(self, client, db, settings, path):
        settings.METRICS_TOKEN, settings.METRICS_NETWORKS = "", []
        assert client.get(path, headers={"authorization": "Bearer "}).status_code == 404


def status_of(client) -> tuple[int, dict]:
    """Return the HTTP status and the JSON of /statusz."""
    answer = client.get("/statusz", headers=AUTHORIZED)
    return answer.status_code, answer.json()


def test_a_site_that_works_says_so_with_its_figures(client, working):
    code, answer = status_of(client)
    assert (code, answer["status"], answer["failing"]) == (200, "ok", [])
    assert answer["beat"]["seconds_ago"] < 60
    assert set(answer["worker"]["queues"]) == {"billing", "payments", "deliveries"}
    assert answer["broker"] == {"status": "ok", "queues": {"billing": 0, "payments": 0, "deliveries": 0}}
    assert answer["books"] == {"status": "ok", "due": 0, "overdue": 0, "held_back": 0, "oldest_seconds": 0.0}
    assert answer["check_ledger"] == {"status": "ok", "at": None}
    assert answer["tasks"]["late"] == []
    assert answer["tasks"]["all"]["subscriptions.tasks.bill_due"]["every"] == 60
    assert answer["tasks"]["all"]["billing_site.tasks.check_ledger"]["every"] == 86400


def test_parked_rows_are_counted_and_are_no_failure(client, working):
    fields = {"gateway": "sandbox", "type": "x", "gateway_id": "", "payload": {}, "received_at": NOON}
    WebhookEvent.objects.create(event_id="1", status="parked", next_try_at=NOON, **fields)
    WebhookEvent.objects.create(event_id="2", status="processed", **fields)
    code, answer = status_of(client)
    assert code == 200
    assert answer["parked"]["webhook_events"] == 1
    assert answer["waiting"]["webhooks_in"] == 1
    assert sum(count for name, count in answer["parked"].items() if name != "status") == 1


@pytest.mark.parametrize(
    ("since", "counts", "status"),
    [
        (timedelta(minutes=2), (1, 0, 0), "ok"),
        (timedelta(minutes=4), (1, 1, 0), "overdue"),
        (timedelta(days=8), (0, 0, 1), "overdue"),
    ],
)
def test_due_books_are_counted_by_how_late_they_are(client, working, alice, since, counts, status):
    wallet = wallets.wallet_id_of(alice.pk, "EUR")
    BillingClock.objects.create(wallet_id=wallet, customer=alice, due_at=clock.now() - since)
    _code, answer = status_of(client)
    books = answer["books"]
    assert (books["due"], books["overdue"], books["held_back"]) == counts
    assert books["status"] == status


def test_a_scheduler_that_stopped_is_silent(client, working):
    Heartbeat.objects.update(at=clock.now() - timedelta(seconds=90))
    code, answer = status_of(client)
    assert (code, answer["failing"]) == (503, ["beat"])
    assert answer["beat"]["status"] == "silent"


def test_a_queue_without_a_worker_is_silent(client, working):
    TaskRun.objects.filter(task__startswith="payments.").update(finished_at=clock.now() - timedelta(minutes=10))
    code, answer = status_of(client)
    assert (code, answer["failing"]) == (503, ["worker"])
    assert answer["worker"]["status"] == "silent: payments"
    assert answer["worker"]["queues"]["payments"]["last_task_seconds_ago"] >= 600


def test_a_task_that_only_fails_is_late(client, working):
    TaskRun.objects.filter(task="subscriptions.tasks.bill_due").update(succeeded_at=clock.now() - timedelta(minutes=4))
    code, answer = status_of(client)
    assert (code, answer["failing"], answer["tasks"]["late"]) == (503, ["tasks"], ["subscriptions.tasks.bill_due"])


def test_without_a_broker_statusz_says_so(client, working, broken_broker):
    code, answer = status_of(client)
    assert (code, answer["failing"]) == (503, ["broker"])
    assert answer["broker"]["status"] == "unreachable"


def test_without_a_cache_statusz_says_so(client, working, broken_cache):
    code, answer = status_of(client)
    assert (code, answer["failing"]) == (503, ["cache"])


def test_without_a_database_statusz_says_so(client, operators, broken_database):
    code, answer = status_of(client)
    assert (code, answer["failing"]) == (503, ["database"])


@pytest.mark.parametrize(
    ("age", "wrong", "error", "status"),
    [
        (timedelta(hours=25), 0, "", "ok"),
        (timedelta(hours=27), 0, "", "old"),
        (timedelta(days=-300), 0, "", "old"),
        (timedelta(minutes=-1), 0, "", "ok"),
        (timedelta(hours=1), 2, "", "broken"),
        (timedelta(hours=1), 0, "SoftTimeLimitExceeded: ", "failed"),
    ],
)
def test_the_last_ledger_check_is_judged(client, working, age, wrong, error, status):
    at = clock.now() - age
    LedgerCheck.objects.create(started_at=at, seconds=1.5, checks=40, wrong=wrong, error=error)
    code, answer = status_of(client)
    assert answer["check_ledger"]["status"] == status
    assert answer["check_ledger"]["wrong"] == wrong
    assert code == (200 if status == "ok" else 503)


def test_a_ledger_check_dated_in_the_future_hides_no_later_one(client, working):
    for age, wrong in ((timedelta(days=-300), 0), (timedelta(hours=1), 2)):
        LedgerCheck.objects.create(started_at=clock.now() - age, seconds=1.5, checks=40, wrong=wrong)
    _code, answer = status_of(client)
    assert answer["check_ledger"]["status"] == "broken"


def test_without_a_database_the_metrics_say_so(operators, client, broken_database):
    text = client.get("/metrics", headers=AUTHORIZED).content.decode()
    assert "billing_database_up 0.0" in text
    assert "billing_broker_up 1.0" in text


def test_without_a_broker_and_a_cache_the_metrics_say_so(operators, client, working, broken_broker, broken_cache):
    text = client.get("/metrics", headers=AUTHORIZED).content.decode()
    assert "billing_database_up 1.0" in text
    assert "billing_broker_up 0.0" in text
    assert "billing_cache_up 0.0" in text


@pytest.mark.parametrize(("accepted", "sent"), [("", "text/plain; version="), (OPENMETRICS, OPENMETRICS)])
def test_the_metrics_are_in_the_format_that_is_accepted(client, working, accepted, sent):
    answer = client.get("/metrics", headers=AUTHORIZED | {"accept": accepted})
    assert answer["Content-Type"].startswith(sent)
