"""docs/ops/logs.md: every event and every field that is written is documented, and every documented one is written."""

import ast
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts import tokens
from billing_site.request_log import RequestLog, cause_of
from payments.web import account

ROOT = Path(settings.BASE_DIR)
TEXT = (ROOT / "docs/ops/logs.md").read_text()
APPS = ("accounts", "billing_site", "core", "events", "ledger", "payments", "subscriptions")
# They write to a terminal, or a library writes the line.
NOT_THE_SITE = {"local", "bench", "management"}
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
EVERY_LINE = {"timestamp", "level", "logger", "event"}


def table(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table whose header begins with this heading, by the names in the first one."""
    part = TEXT.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines()[2:]]
    return {name: [cell.strip() for cell in row[1:]] for row in rows for name in names(row[0])}


def names(cell: str) -> list[str]:
    return re.findall(r"`([\w.]+)`", cell)


FIELDS = table("field | of")
ENDS = {event: set(names(cells[0])) for event, cells in table("event | fields").items()}
EVENTS = {event: (cells[0], set(names(cells[1]))) for event, cells in table("event | level").items()}


def written_events() -> dict[str, tuple[str, set[str]]]:
    """Return the level and the fields of each event that the code logs."""
    found: dict[str, tuple[str, set[str]]] = {}
    files = (path for app in APPS for path in (ROOT / app).rglob("*.py") if not NOT_THE_SITE & set(path.parts))
    for node in (node for path in files for node in ast.walk(ast.parse(path.read_text()))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="log" | "logger"), attr=attr),
                args=[ast.Constant(value=str(event))],
                keywords=keywords,
            ) if attr in LEVELS:
                level, fields = found.setdefault(event, (LEVELS[attr], set()))
                assert level == LEVELS[attr], f"{event} has two levels"
                fields |= {str(keyword.arg) for keyword in keywords} | ({"exception"} if attr == "exception" else set())
    return found


def test_every_event_is_documented_with_its_level_and_its_fields():
    assert written_events() == EVENTS


def last_line(stream: io.StringIO, event: str) -> dict[str, Any]:
    return [line for line in map(json.loads, stream.getvalue().splitlines()) if line["event"] == event][-1]


def test_the_line_of_a_request_has_the_documented_fields(client, db, written):
    client.get("/pricing/")
    line = last_line(written, "request_finished")
    assert set(line) == EVERY_LINE | ENDS["request_finished"] - {"cause"}
    assert (line["method"], line["route"], line["code"]) == ("GET", "pricing/", 200)
    assert 0 < line["duration_ms"] < 60_000


def test_a_bug_is_logged_once_with_its_cause_and_its_traceback(db, written, monkeypatch, alice):
    def fails(*args: Any, **named: Any) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(account, "render", fails)
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    assert client.get("/account/").status_code == 500
    line = last_line(written, "request_failed")
    assert set(line) == EVERY_LINE | ENDS["request_failed"]
    assert (line["route"], line["code"], line["cause"]) == ("account/", 500, "ZeroDivisionError: division by zero")
    assert "Traceback" in line["exception"]
    assert '"request_finished"' not in written.getvalue()


@pytest.mark.parametrize("path", ["/api/transactions/", "/account/"])
def test_an_answer_with_503_is_logged_with_its_cause(db, written, monkeypatch, alice, path):
    """Nothing raises through to the log, because the error is answered."""

    def fails(*args: Any, **named: Any) -> None:
        raise OperationalError("the connection is lost") from OSError("reset by peer")

    monkeypatch.setattr(account, "render", fails)
    monkeypatch.setattr("payments.api.transactions.LogPages.page_of", fails)
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    headers = (
        {"authorization": f"Bearer {tokens.issue(alice, now=datetime.now(UTC)).access}"}
        if path.startswith("/api/")
        else {}
    )
    assert client.get(path, headers=headers).status_code == 503
    line = last_line(written, "request_finished")
    assert set(line) == EVERY_LINE | ENDS["request_finished"]
    assert line["cause"] == "OperationalError: the connection is lost from OSError: reset by peer"


def test_a_method_that_is_no_method_is_not_logged(client, db, written):
    """It could be a secret, and this field is not searched for any."""
    client.generic("SK_LIVE_51H8XYZCANARY", "/pricing/")
    assert (line := last_line(written, "request_finished"))["method"] == "other"
    assert line["request"] == "other pricing/"
    assert "CANARY" not in written.getvalue()


def test_a_view_that_answers_5xx_by_itself_is_its_own_cause(written):
    RequestLog(lambda _request: HttpResponse(status=502))(RequestFactory().get("/"))
    assert last_line(written, "request_finished")["cause"] == "the view answered 502 Bad Gateway"


def test_an_error_page_that_fails_leaves_no_fields_for_the_next_request(written):
    def fails(_request: Any) -> HttpResponse:
        structlog.contextvars.bind_contextvars(cause="of the last one")
        raise ValueError("no such template")

    with pytest.raises(ValueError, match="no such template"):
        RequestLog(fails)(RequestFactory().get("/"))
    assert structlog.contextvars.get_contextvars() == {}


def test_a_cause_is_one_line_of_at_most_500_characters():
    assert cause_of(ValueError("two\nlines   here")) == "ValueError: two lines here"
    assert len(cause_of(ValueError("x" * 999))) == 500


def test_every_field_of_a_request_and_a_task_is_in_the_table_of_fields():
    described = EVERY_LINE.union(*ENDS.values())
    assert described == FIELDS.keys()
