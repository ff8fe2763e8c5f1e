"""`manage.py doctor`: each examination, healthy and broken, and the command."""

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from kombu import Connection

from billing_site import health, status, task_runs
from billing_site.celery import app
from billing_site.doctor import database, examination, gateways, servers, work
from billing_site.doctor.result import Result, Verdict, fails, ok, warning
from core import clock
from core.models import Heartbeat, LedgerCheck, TaskRun
from ledger import wallets
from payments import checkout
from payments.gateways import registry
from payments.gateways.errors import GatewayError
from payments.models import Payment, WebhookEvent
from subscriptions.models import BillingClock

pytestmark = pytest.mark.django_db


def verdicts(examine: Callable[[], Iterator[Result]]) -> list[str]:
    return [str(result.verdict) for result in examine()]


def only(examine: Callable[[], Iterator[Result]]) -> Result:
    [result] = examine()
    return result


class TestDatabase:
    def test_a_healthy_one(self):
        for examine in (database.server, database.migrations, database.rights, database.clocks, database.parameters):
            assert set(verdicts(examine)) == {"ok"}, examine.__name__
        assert only(database.server).says.startswith("PostgreSQL 1")

    @pytest.mark.parametrize(("version", "verdict"), [(14, "fails"), (15, "ok"), (18, "ok"), (19, "fails")])
    def test_versions_15_to_18_are_right(self, monkeypatch, version, verdict):
        monkeypatch.setattr(database, "OLDEST", database.OLDEST - version + server_version())
        monkeypatch.setattr(database, "NEWEST", database.NEWEST - version + server_version())
        assert verdicts(database.server) == [verdict]

    def test_a_setting_that_loses_money_is_found(self, settings):
        settings.LOCAL = False
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        found = [result for result in database.parameters() if "synchronous_commit" in result.says]
        assert [(result.verdict, result.do) for result in found] == [
            (Verdict.FAILS, "Set synchronous_commit = on in postgresql.conf.")
        ]

    def test_a_role_without_rights_is_found(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('is_superuser')")
            # A superuser may do everything, so the test becomes somebody else for its transaction.
            if cursor.fetchone() == ("on",):
                cursor.execute("CREATE ROLE doctor_test_role")
                cursor.execute("GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO doctor_test_role")
                cursor.execute("REVOKE INSERT ON ledger_transaction FROM doctor_test_role")
                cursor.execute("SET LOCAL ROLE doctor_test_role")
            else:
                cursor.execute("REVOKE INSERT ON ledger_transaction FROM CURRENT_USER")
            result = only(database.rights)
            cursor.execute("RESET ROLE")
        assert result.verdict is Verdict.FAILS
        assert result.says.endswith(" may not use ledger_transaction")

    @pytest.mark.parametrize(("off", "verdict"), [(4, "ok"), (-4, "ok"), (60, "fails"), (-60, "fails")])
    def test_a_clock_that_is_off_is_found(self, monkeypatch, off, verdict):
        real = clock.now
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=off))
        assert verdicts(database.clocks) == [verdict]

    def test_a_missing_migration_is_found(self, monkeypatch):
        monkeypatch.setattr(health, "migrations", lambda: "2 not applied")
        assert only(database.migrations) == fails("migrations", "2 not applied", "Run `manage.py migrate`.")


def server_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10000


class TestServices:
    def test_a_broker_that_answers_tells_its_queues(self, empty_queues):
        assert only(servers.broker) == ok("broker", "tasks that wait: billing 0, payments 0, deliveries 0")

    def test_a_broker_that_is_down_is_found(self, monkeypatch):
        monkeypatch.setattr(app, "connection_for_write", lambda: Connection("redis://127.0.0.1:1/0"))
        assert only(servers.broker).verdict is Verdict.FAILS

    def test_a_long_queue_is_found(self, monkeypatch):
        monkeypatch.setattr(status, "broker", lambda: status.Broker({"billing": 1001}, ""))
        assert only(servers.broker).verdict is Verdict.WARNING

    def test_a_cache_that_is_down_is_found(self, settings):
        assert only(servers.the_cache).verdict is Verdict.OK
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/1"}}
        assert only(servers.the_cache).verdict is Verdict.FAILS

    def test_a_mail_server_is_really_connected_to(self, settings, mail_server):
        settings.MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_server
        assert only(servers.mail) == ok("mail", f"127.0.0.1:{mail_server} lets us in")

    def test_a_mail_server_that_is_down_is_found(self, settings):
        settings.MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        result = only(servers.mail)
        assert result.verdict is Verdict.FAILS
        assert "ConnectionRefusedError" in result.says

    def test_no_mail_server_is_a_failure_and_a_provider_cannot_be_tried(self, settings):
        settings.MAIL_BACKEND = ""
        assert only(servers.mail).verdict is Verdict.FAILS
        settings.MAIL_BACKEND = "anymail.backends.test.EmailBackend"
        assert only(servers.mail).verdict is Verdict.UNKNOWN

    @pytest.mark.parametrize(("free", "verdict"), [(2, "fails"), (9, "warning"), (11, "ok")])
    def test_the_disk_is_judged_by_what_is_free(self, monkeypatch, free, verdict):
        usage = SimpleNamespace(total=100, free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
        assert verdicts(servers.disk) == [verdict]

    def test_settings_are_checked_as_for_a_deployment(self, settings):
        assert verdicts(servers.configuration) == ["ok"]
        settings.LOCAL, settings.DEBUG = False, True
        assert "billing.E001" in " ".join(result.says for result in servers.configuration())


@pytest.fixture
def mail_server() -> Iterator[int]:
    """Return the port of a mail server that lets everybody in."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer, peer.makefile("rwb") as stream:
                stream.write(b"220 mail.example.com\r\n")
                stream.flush()
                for line in stream:
                    is_end = line.upper().startswith(b"QUIT")
                    stream.write(b"221 bye\r\n" if is_end else b"250 mail.example.com\r\n")
                    stream.flush()
                    if is_end:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=30)


class Silent:
    """A gateway that says what a test wants."""

    name = "sandbox"

    def __init__(self, *, error: GatewayError | None = None, problems: Any = None) -> None:
        self.error, self.problems = error, problems
        self.can = type("Can", (), {"is_manual": False, "knows_its_webhooks": problems is not None})

    def list_payments(self, **_span: Any) -> Iterator[Any]:
        if self.error:
            raise self.error
        yield from ()

    def webhook_problems(self, url: str) -> list[str]:
        if isinstance(self.problems, GatewayError):
            raise self.problems
        return self.problems


@pytest.fixture
def gateway(monkeypatch):
    """Return a function that makes this the only gateway."""

    def use(**behaviour: Any) -> list[Result]:
        monkeypatch.setattr(registry, "configured", lambda: [Silent(**behaviour)])
        return list(gateways.examine())

    return use


class TestGateways:
    def test_the_sandbox_of_a_local_run_is_well(self):
        assert {str(result.verdict) for result in gateways.examine()} <= {"ok", "unknown"}

    def test_one_that_does_not_answer_or_refuses_our_key_is_found(self, gateway):
        found = gateway(error=GatewayError("Invalid API Key", permanent=False, code="api_key_invalid"))
        assert found[0].verdict is Verdict.FAILS
        assert "api_key_invalid: Invalid API Key" in found[0].says

    def test_wrong_settings_are_found(self, settings):
        settings.PAYMENT_GATEWAYS = ["sandbox", "newpay"]
        assert next(gateways.examine()).says.startswith("PAYMENT_GATEWAYS names 'newpay'")

    def test_the_set_up_of_webhooks_is_asked_for(self, gateway, settings):
        settings.SITE_URL = "https://billing.example.com"
        assert gateway(problems=[])[1] == ok(
            "webhooks sandbox", "are sent to https://billing.example.com/webhooks/sandbox/"
        )
        assert gateway(problems=["it is disabled"])[1].verdict is Verdict.FAILS
        assert gateway(problems=GatewayError("no", permanent=False, code="x"))[1].verdict is Verdict.UNKNOWN
        assert gateway()[1].verdict is Verdict.UNKNOWN

    def test_payments_without_any_webhook_are_found(self, gateway, alice):
        now = clock.now()
        payment = checkout.start(alice, now=now, amount=5_00, currency="EUR", gateway="sandbox")
        received = {"amount_received": 5_00, "received_currency": "EUR", "confirmed_at": now}
        Payment.objects.filter(pk=payment.pk).update(status=Payment.Status.CONFIRMED, **received)
        assert gateway()[-1].says == "payments were made in the last day, and no webhook came"
        WebhookEvent.objects.create(
            gateway="sandbox", event_id="1", type="x", gateway_id="", payload={}, received_at=now
        )
        assert gateway()[-1].verdict is Verdict.OK


class TestWork:
    def test_a_new_installation_fails_until_scheduler_and_workers_run(self):
        assert verdicts(work.scheduler) == ["fails"]
        assert verdicts(work.workers) == ["fails", "fails", "fails"]
        assert verdicts(work.ledger) == ["unknown"]

    def test_a_working_one_is_well(self):
        for task in task_runs.scheduled():
            task_runs.record(task, seconds=0.1)
        Heartbeat.objects.create(name="beat", at=clock.now())
        LedgerCheck.objects.create(started_at=clock.now(), seconds=1, checks=40, wrong=0)
        for examine in (work.scheduler, work.workers, work.schedule, work.books, work.parked, work.ledger):
            assert set(verdicts(examine)) == {"ok"}, examine.__name__

    def test_a_late_task_is_found_with_its_last_error(self):
        task_runs.record("subscriptions.tasks.bill_due", seconds=0.1, error=ValueError("no"))
        TaskRun.objects.update(succeeded_at=clock.now() - timedelta(hours=1))
        result = next(work.schedule())
        assert result.verdict is Verdict.FAILS
        assert result.says.startswith("subscriptions.tasks.bill_due: no run without an error for 36")
        assert result.do == "ValueError: no"

    @pytest.mark.parametrize(
        ("late", "says"),
        [
            (timedelta(minutes=5), "1 are overdue"),
            (timedelta(days=8), "1 are overdue by more than BILLING_MAX_CATCH_UP and wait for staff"),
        ],
    )
    def test_overdue_books_are_found(self, alice, late, says):
        wallet = wallets.wallet_id_of(alice.pk, "EUR")
        BillingClock.objects.create(wallet_id=wallet, customer=alice, due_at=clock.now() - late)
        result = only(work.books)
        assert result.verdict is Verdict.FAILS
        assert result.says.startswith(says)

    def test_parked_things_are_a_warning_that_says_where_to_decide(self, alice):
        wallet = wallets.wallet_id_of(alice.pk, "EUR")
        BillingClock.objects.create(wallet_id=wallet, customer=alice, parked_at=clock.now(), parked_reason="x")
        where = "Decide in the admin: subscriptions_billingclock."
        assert only(work.parked) == warning("parked", "1 books wait for staff", where)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [({"wrong": 3}, "3 wrong rows"), ({"error": "TimeoutError: "}, "TimeoutError: "), ({}, "the last one was at")],
    )
    def test_a_bad_ledger_check_is_found(self, changes, says):
        at = clock.now() - timedelta(hours=30)
        LedgerCheck.objects.create(**{"started_at": at, "seconds": 1, "checks": 40, "wrong": 0} | changes)
        result = only(work.ledger)
        assert result.verdict is Verdict.FAILS
        assert result.says.startswith(says)


class TestCommand:
    @pytest.fixture
    def said(self, monkeypatch):
        """Return a function that runs the command with these results, and returns exit code and output."""

        def run(*results: Result, options: tuple[str, ...] = ()) -> tuple[int, str]:
            monkeypatch.setattr(examination, "examine", lambda: list(results))
            out, code = StringIO(), 0
            try:
                call_command("doctor", *options, stdout=out)
            except SystemExit as ended:
                code = int(str(ended.code))
            return code, out.getvalue()

        return run

    def test_it_prints_each_line_and_what_to_do(self, said):
        code, output = said(ok("disk", "9 GiB free"), warning("parked", "1 [book] waits", "Decide."))
        assert code == 0
        assert all(word in output for word in ("disk", "9 GiB free", "1 [book] waits", "Decide."))

    def test_a_failure_gives_exit_code_1(self, said):
        assert said(fails("mail", "down", "Start it."))[0] == 1

    def test_json_has_the_same(self, said):
        code, output = said(fails("mail", "down", "Start it."), options=("--json",))
        line = {"part": "mail", "verdict": "fails", "says": "down", "do": "Start it."}
        assert (code, json.loads(output)) == (1, {"healthy": False, "results": [line]})

    def test_everything_is_examined_and_nothing_raises(self, monkeypatch):
        """On the database of the tests. What it says depends on this machine."""
        results = examination.examine()
        parts = {result.part for result in results}
        assert {
            "settings",
            "broker",
            "cache",
            "mail",
            "disk",
            "database",
            "migrations",
            "rights",
            "connections",
        } <= parts
        assert {"clock", "gateway sandbox", "scheduler", "worker billing", "books", "parked", "ledger check"} <= parts
        assert all(result.do for result in results if result.verdict in (Verdict.FAILS, Verdict.WARNING))

    def test_an_examination_that_raises_is_one_line_and_the_others_go_on(self, monkeypatch):
        def broken() -> Iterator[Result]:
            yield ok("first", "fine")
            raise ValueError("broken by sk_live_51H8xYzCanaryCanary\nat two lines")

        monkeypatch.setattr(examination, "WITHOUT_DATABASE", (broken, servers.the_cache))
        first, second, third, *_ = examination.examine()
        assert (first.part, third.part) == ("first", "cache")
        assert second.verdict is Verdict.FAILS
        assert second.says == "ValueError: broken by [redacted] at two lines"

    def test_without_a_database_the_rest_is_examined(self, monkeypatch):
        broken = connection.copy()
        broken.settings_dict["OPTIONS"] = {"host": "/nowhere", "connect_timeout": 1}
        monkeypatch.setattr(database, "connection", broken)
        results = examination.examine()
        assert results[-1].do == "Start PostgreSQL, or correct DATABASE_URL."
        assert "scheduler" not in {result.part for result in results}
