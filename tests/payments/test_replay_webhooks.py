"""`manage.py replay_webhooks` and the action of the admin process stored events again."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from payments.models import Payment, WebhookEvent
from payments.webhooks import process, replays
from tests import chosen
from tests.payments.checkouts import start
from tests.payments.rows import balance, times_credited
from tests.payments.test_commands import call

# No transaction is open around a command, as in production.
pytestmark = pytest.mark.django_db(transaction=True)


def stored(event_id: str, gateway_id: str, *, hour: int = 12, **fields: Any) -> WebhookEvent:
    """Store an event about a payment that was processed on 2 November at this hour."""
    at = datetime(2026, 11, 2, hour, tzinfo=UTC)
    values = {"gateway": "sandbox", "type": "session.succeeded", "subject": "payment", "status": "processed"}
    row: WebhookEvent = WebhookEvent.objects.create(
        event_id=event_id, gateway_id=gateway_id, payload={}, received_at=at, processed_at=at, **values | fields
    )
    return row


@pytest.fixture
def missed(alice: User, choose: Callable[..., Any]) -> Payment:
    """A payment of 1000.00 roubles that was paid after its event had been processed."""
    payment = start(alice, amount=1000_00, currency="RUB")
    choose(payment, "webhook_lost")
    return payment


def test_one_event_is_processed_again_and_credits_once(missed: Payment, alice: User):
    stored("sevt_1", missed.gateway_id or "")
    for _ in range(2):
        code, output = call("replay_webhooks", "--event", "sevt_1")
        assert (code, balance(alice), times_credited(missed)) == (0, 1000_00, 1)
    assert (
        f"processed  sandbox sevt_1 session.succeeded, received 2026-11-02 12:00:00 UTC. {missed.public_id}" in output
    )
    assert "1 of 1 events processed again · 0 parked · 0 missed" in output


def test_events_are_chosen_by_gateway_status_and_time():
    rows = [
        stored("e1", "x", hour=1), stored("e2", "x", hour=2, status="parked"), stored("e3", "x", hour=3),
        stored("e4", "x", hour=2, gateway="stripe", status="parked"),
    ]  # fmt: skip

    def ids(**terms: Any) -> list[str]:
        return [row.event_id for row in replays.chosen(**terms)]

    assert ids(status="parked") == ["e2", "e4"]
    assert ids(gateway="sandbox", status="parked") == ["e2"]
    assert ids(since=rows[1].received_at, until=rows[2].received_at) == ["e2", "e4"]
    assert ids(event_ids=["e3", "e1"]) == ["e1", "e3"]


def test_an_event_that_cannot_be_processed_gives_exit_code_1(missed: Payment, alice: User):
    stored("e1", "sbx_nobody", hour=1, status="parked")
    stored("e2", missed.gateway_id or "", hour=2)
    code, output = call("replay_webhooks", "--gateway", "sandbox", "--since", "2026-11-02", "--until", "2026-11-03")
    assert (code, balance(alice)) == (1, 1000_00)
    assert "parked     sandbox e1" in output
    assert "docs/runbook.md, 'Webhook events'" in output.splitlines()[-1]


def test_a_dry_run_processes_nothing(missed: Payment, alice: User):
    row = stored("e1", missed.gateway_id or "")
    code, output = call("replay_webhooks", "--status", "processed", "--dry-run")
    row.refresh_from_db()
    assert (code, row.tries, balance(alice)) == (0, 0, 0)
    assert output.splitlines()[-1] == "1 events would be processed. Run it again without --dry-run."


def test_json_is_one_object(missed: Payment):
    stored("e1", missed.gateway_id or "")
    code, output = call("replay_webhooks", "--event", "e1", "--json")
    assert code == 0
    assert json.loads(output) == {
        "exit_code": 0, "total": 1, "parked": 0, "missed": 0,
        "events": [{
            "gateway": "sandbox", "event": "e1", "type": "session.succeeded", "status": "processed",
            "outcome": f"{missed.public_id}: confirmed.", "received_at": "2026-11-02T12:00:00+00:00",
        }],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Say which events: --event, --gateway, --status, --since or --until."),
        (["--event", "nothing"], "No stored event matches: nothing."),
        (["--gateway", "nobody"], "There is no gateway 'nobody'"),
        (["--since", "2026-11-03", "--until", "2026-11-02"], "--since must be before --until."),
    ],
)
def test_wrong_options_give_exit_code_2(options: list[str], said: str):
    code, output = call("replay_webhooks", *options)
    assert code == 2
    assert said in output


def test_a_terminal_shows_progress(missed: Payment, monkeypatch: pytest.MonkeyPatch):
    stored("e1", missed.gateway_id or "")
    terminal = StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    call_command("replay_webhooks", "--event", "e1", stdout=StringIO(), stderr=terminal)
    assert "Processing: 1 of 1 events · 0 parked" in terminal.getvalue()


def test_chosen_events_are_processed_once_whatever_becomes_of_each(
    client: Client, superuser: User, missed: Payment, alice: User
):
    events = stored("e1", "sbx_nobody"), stored("e2", missed.gateway_id or "")
    client.force_login(superuser)
    said = chosen.confirm(client, "/admin/payments/webhookevent/", "process-again", *events, times=2)
    assert "Process again: 2 rows were done before." in said
    assert [WebhookEvent.objects.get(pk=event.pk).status for event in events] == ["parked", "processed"]
    assert StaffAct.objects.count() == 2
    assert balance(alice) == 1000_00


def test_an_event_that_another_worker_has_is_missed(missed: Payment, monkeypatch: pytest.MonkeyPatch):
    row = stored("e1", missed.gateway_id or "")
    monkeypatch.setattr(process, "process", lambda *_args, **_terms: None)
    run = replays.replay([row.pk], now=timezone.now())
    assert (run.total, run.missed, run.events) == (1, 1, [])
