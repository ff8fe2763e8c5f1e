"""`manage.py reconcile`, `clearing` and `record_payout`: what they print, and their exit codes."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from payments import comparison, refunds
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sessions import Snapshot
from payments.models import GatewayReport, Payment, Payout, Refund
from tests.payments.rows import balance

# No transaction is open around a command, as in production.
pytestmark = pytest.mark.django_db(transaction=True)


def call(name: str, *arguments: str) -> tuple[int, str]:
    """Run a command and return its exit code and its output."""
    out, code = StringIO(), 0
    try:
        call_command(name, *arguments, stdout=out, stderr=StringIO())
    except SystemExit as exit_:
        code = int(str(exit_.code))
    except CommandError as error:
        return error.returncode, str(error)
    return code, out.getvalue()


def no_answer(_self: Sandbox, **_span: Any) -> Iterator[Snapshot]:
    raise GatewayError("No answer.", permanent=False, code="timeout")


def test_nothing_open_gives_exit_code_0(paid: Payment):
    code, output = call("reconcile")
    assert code == 0
    assert "1 listed · 1 of ours · 0 mended · 0 left" in output


def test_what_was_missed_is_mended_and_gives_exit_code_0(opened: Payment, choose: Callable[..., Any], alice: User):
    choose(opened, "webhook_lost")
    code, output = call("reconcile")
    assert (code, balance(alice)) == (0, 1000_00)
    assert f"mended  status: {opened.gateway_id} {opened.public_id} · here: pending, 1000.00 RUB" in output


def test_open_payments_that_are_due_are_swept_first(opened: Payment, choose: Callable[..., Any], alice: User):
    choose(opened, "webhook_lost")
    Payment.objects.update(check_at=timezone.now() - timedelta(minutes=1))
    code, output = call("reconcile")
    assert (code, balance(alice)) == (0, 1000_00)
    assert "Open payments checked: 1" in output
    assert "0 mended" in output


@pytest.mark.parametrize("arguments", [[], ["--gateway", "sandbox"], ["--full"]])
def test_a_gateway_without_keys_that_has_payments_gives_exit_code_2(
    paid: Payment, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
):
    monkeypatch.setattr(Sandbox, "is_configured", lambda _self: False)
    monkeypatch.setattr(Sandbox, "list_payments", no_answer)
    code, output = call("reconcile", *arguments)
    assert code == 2
    assert "INCOMPLETE. It has no keys, so it was not asked." in output
    # Without payments in the span there is nothing to ask about.
    monkeypatch.setattr(comparison, "SPAN", timedelta(0))
    assert call("reconcile")[0] == 0


def test_refunds_that_are_due_are_swept_too(paid: Payment, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "refund", no_answer)
        refund = refunds.issue(paid, now=timezone.now(), amount=100_00)
    assert refund.status == "pending"
    Refund.objects.update(check_at=timezone.now() - timedelta(minutes=1))
    call("reconcile")
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_discrepancies_left_give_exit_code_1(paid: Payment):
    SandboxSession.objects.all().delete()
    code, output = call("reconcile")
    assert code == 1
    assert "LEFT  missing at the gateway:" in output
    assert "docs/runbook.md" in output


def test_a_gateway_that_could_not_be_asked_gives_exit_code_2(paid: Payment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Sandbox, "list_payments", no_answer)
    code, output = call("reconcile")
    assert code == 2
    assert "INCOMPLETE. The list is incomplete: No answer." in output


def test_an_unknown_gateway_gives_exit_code_2(db: None):
    code, output = call("reconcile", "--gateway", "nobody")
    assert code == 2
    assert "nobody" in output


def test_json_is_one_object(paid: Payment):
    SandboxSession.objects.all().delete()
    code, output = call("reconcile", "--json", "--full", "--gateway", "sandbox")
    result = json.loads(output)
    [gateway] = result["gateways"]
    [row] = gateway["discrepancies"]
    assert (code, result["exit_code"], gateway["complete"], gateway["report"]) == (
        1, 1, True, GatewayReport.objects.get().pk,
    )  # fmt: skip
    assert (row["kind"], row["payment"], row["mended"]) == ("missing_there", paid.public_id, False)


def test_a_dry_run_writes_nothing(opened: Payment, choose: Callable[..., Any]):
    choose(opened, "webhook_lost")
    Payment.objects.update(check_at=timezone.now() - timedelta(minutes=1))
    code, output = call("reconcile", "--dry-run", "--json")
    opened.refresh_from_db()
    assert (code, json.loads(output)["swept"]) == (1, 0)
    assert (opened.status, GatewayReport.objects.count()) == ("pending", 0)


def test_a_terminal_shows_progress(paid: Payment, monkeypatch: pytest.MonkeyPatch):
    terminal = StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    call_command("reconcile", stdout=StringIO(), stderr=terminal)
    assert "payments listed" in terminal.getvalue()


def test_clearing_prints_balance_and_age(paid: Payment):
    # 1000.00 less the fee of 2.9 %.
    code, output = call("clearing", "--json")
    [account] = json.loads(output)
    assert (code, account["balance"], account["days"]["0-2"]) == (0, "971.00", "971.00")
    assert account["oldest"][0]["name"] == paid.public_id
    code, output = call("clearing")
    assert "971.00" in output
    assert f"{paid.public_id} of" in output


def test_a_payout_is_recorded_once_by_its_reference(paid: Payment):
    words = ("record_payout", "sandbox", "971.00", "RUB", "--on", f"{timezone.now():%Y-%m-%d}", "--reference", "17")
    assert [call(*words)[1].split(". ")[0] for _ in range(2)] == [
        "sandbox: 971.00 RUB is posted", "sandbox: 971.00 RUB is posted already",
    ]  # fmt: skip
    assert json.loads(call("clearing", "--json")[1])[0]["balance"] == "0.00"
    assert call(*words, "--returned")[1].startswith("sandbox: 971.00 RUB is sent back.")
    assert Payout.objects.count() == 1


@pytest.mark.parametrize(
    ("gateway", "amount", "day"), [("nobody", "1.00", "2026-11-01"), ("sandbox", "1.001", "2026-11-01"),
                                   ("sandbox", "1.00", "2999-01-01"), ("sandbox", "1.00", "yesterday")]
)  # fmt: skip
def test_a_payout_that_cannot_be_is_refused(db: None, gateway: str, amount: str, day: str):
    code, _ = call("record_payout", gateway, amount, "RUB", "--on", day, "--reference", "17")
    assert (code, Payout.objects.count()) == (1, 0)
