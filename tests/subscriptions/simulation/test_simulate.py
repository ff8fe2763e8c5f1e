"""`manage.py simulate`: what it prints, what it refuses, and that it leaves nothing behind."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given

from accounts.models import User
from events.models import Event
from ledger.models import Transaction
from subscriptions.models import Plan
from tests.subscriptions.engine.strategies import scenarios
from tests.subscriptions.simulation.scenario_files import SCENARIOS, play, scenario, schema

FILE = SCENARIOS["servers-on-one-wallet"]
BAD_AMOUNT = b'{"currency": "RUB", "until": "2026-03-01T00:00:00Z", "plans": [], "events": [%s]}' % (
    b'{"at": "2026-02-01T00:00:00Z", "do": "top_up", "customer": "ann", "amount": "1.005"}'
)


def simulate(*args: str) -> str:
    out = io.StringIO()
    call_command("simulate", *args, stdout=out)
    return out.getvalue()


def test_json_is_what_was_played_and_nothing_else() -> None:
    assert json.loads(simulate(str(FILE), "--json")) == play(scenario(FILE.stem))


def test_the_tables_to_read_hold_every_figure() -> None:
    printed = simulate(str(SCENARIOS["change-refused"]))
    assert "A change of plan that is refused, then not" in printed
    for word in ("ann", "plan", "active", "1150.00", "2026-04-01 00:00:00 - now", "unused_refund", "-1000.00"):
        assert word in printed
    assert "Refused: events[2], change_plan plan at 2026-04-16T00:00:00Z" in printed


def test_the_tables_to_read_show_what_is_owed() -> None:
    printed = simulate(str(SCENARIOS["dispute-lost"]))
    for line in ("customer balance RUB debt RUB", "carol 0.00 0.01", "chargeback -50.00 0.00", "debt_payment -225.00"):
        assert line in " ".join(re.sub("[^ -~]", " ", printed).split())


def test_a_refused_subscription_is_called_by_its_name(tmp_path: Path) -> None:
    plan = {"code": "decades", "amount": "1.00", "interval": "year", "interval_count": 11}
    asked = {"at": "2026-02-01T00:00:00Z", "do": "subscribe", "customer": "ann", "plan": "decades", "as": "s"}
    refused = tmp_path / "refused.json"
    head = {"currency": "RUB", "until": "2026-02-02T00:00:00Z"}
    refused.write_text(json.dumps(head | {"plans": [plan], "events": [asked]}))
    assert "Refused: events[0], subscribe s at 2026-02-01T00:00:00Z" in simulate(str(refused))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FILE.read_bytes())))
    assert json.loads(simulate("-", "--json")) == play(scenario(FILE.stem))


@pytest.mark.django_db
def test_through_the_database_it_prints_the_same_and_leaves_nothing() -> None:
    tables = (User, Plan, Transaction, Event)
    before = [model.objects.count() for model in tables]
    assert simulate(str(FILE), "--json", "--database") == simulate(str(FILE), "--json")
    assert [model.objects.count() for model in tables] == before


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (BAD_AMOUNT, "events[0].amount: '1.005' has 3 decimal places. RUB allows at most 2"),
        (BAD_AMOUNT.replace(b'"ann"', rb'"\ud800"'), "events[0].customer: '\\ud800' is not allowed in a text"),
    ],
)
def test_a_bad_scenario_ends_with_2_and_a_line_on_standard_error(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(content)
    command = [sys.executable, "manage.py", "simulate", str(bad)]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert complaint in line


def test_names_that_look_like_markup_are_printed_letter_by_letter(tmp_path: Path) -> None:
    names = "[/red]", "[bold]s[/]", ":smile:"
    money = {"at": "2026-02-01T00:00:00Z", "customer": names[0], "amount": "5.00"}
    asked = {"at": money["at"], "do": "subscribe", "customer": names[0], "plan": "[p]", "as": names[1]}
    events = [{"do": "top_up", **money}, asked, {"do": "withdraw", **money, "customer": names[2]}]
    plan = {"code": "[p]", "amount": "1.00", "interval": "month"}
    head = {"title": "[/x] :smile:", "story": "[red\nand \x1b[31m[/b]", "currency": "RUB"}
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps(head | {"until": "2026-02-02T00:00:00Z", "plans": [plan], "events": events}))
    printed = simulate(str(odd))
    for text in ("[/x] :smile:\n[red\nand \\x1b[31m[/b]\n", *names, "Refused: events[2], withdraw :smile: at"):
        assert text in printed


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "not JSON at line 1 column 2"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b'{"until": NaN}', "NaN is not a number"),
        (BAD_AMOUNT.replace(b'"1.005"', b"-Infinity"), "-Infinity is not a number"),
        (
            BAD_AMOUNT.replace(b'"1.005"', b"1.005"),
            "events[0].amount: '1.005' has 3 decimal places. RUB allows at most 2",
        ),
        (BAD_AMOUNT.replace(b'"ann"', rb'"a\u0000"'), "events[0].customer: '\\x00' is not allowed in a text"),
        (b"[]", "scenario: [] is not an object"),
        (b'{"title": "a", "a": {"b": 1, "b": 1}}', "the key 'b' is given twice in one object"),
        (b'{"currency": "RUB", "currency": "JPY"}', "the key 'currency' is given twice in one object"),
        (BAD_AMOUNT.replace(b'"1.005"', b'5, "amount": 7'), "the key 'amount' is given twice in one object"),
        (BAD_AMOUNT.replace(b'"1.005"', b"9" * 10_000), "events[0].amount: '9999"),
        (BAD_AMOUNT.replace(b'"1.005"', b"1e99999999999999999999"), "'1e99999999999999999999' has an exponent"),
        (BAD_AMOUNT.replace(b'"1.005"', b"[" * 900 + b"]" * 900), "events[0].amount: [[[[[["),
        ("{}".encode("utf-16"), "not UTF-8 at byte 0"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"title":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(content)
    with pytest.raises(CommandError) as refused:
        simulate(str(bad))
    assert complaint in str(refused.value)
    assert refused.value.returncode == 2


def test_a_number_of_the_file_stays_exact(tmp_path: Path) -> None:
    exact = tmp_path / "exact.json"
    exact.write_bytes(BAD_AMOUNT.replace(b'"1.005"', b"1000000000.10"))
    assert json.loads(simulate(str(exact), "--json"))["customers"] == {
        "ann": {"balance": "1000000000.10", "debt": "0.00"}
    }


@pytest.mark.parametrize("args", [(), ("--schema", "nothing"), (str(FILE), "--schema", "scenario")])
def test_one_file_or_one_schema_is_needed(args: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        simulate(*args)


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match=r"nowhere\.json: No such file"):
        simulate("nowhere.json")


@given(scenarios())
def test_whatever_can_be_played_keeps_to_the_schemas(drawn: dict[str, Any]) -> None:
    schema("scenario").validate(drawn)
    schema("simulation").validate(play(drawn))
