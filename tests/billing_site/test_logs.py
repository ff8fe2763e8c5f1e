"""Log lines have the request's id, also those of its tasks, and no secrets."""

import json
import logging.config
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
import structlog
from django.conf import settings as product
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User
from billing_site import logs, task_runs
from billing_site.redaction import GONE, said, without_secrets
from billing_site.request_log import cause_of
from core.models import TaskRun

CANARIES = [
    "sk_live_51H8xYzCanaryCanary",
    "rk_test_CanaryCanaryCanary",
    "whsec_Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5",
    "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl",
    "4242424242424242",
    "4242 4242 4242 4242",
    "5555-5555-5555-4444",
    "2200 0000 0000 0004",
]


@pytest.mark.parametrize("canary", CANARIES)
def test_no_secret_is_logged_by_structlog_the_standard_library_or_a_traceback(written, canary):
    structlog.get_logger("canary").warning(
        f"an event with {canary}", detail={"deep": [f"in {canary} here"]}, note=canary
    )
    logging.getLogger("canary").error("by the standard library: %s", canary)
    try:
        raise ValueError(f"broken by {canary}")
    except ValueError:
        logging.getLogger("canary").exception("trace")
    text = written.getvalue()
    assert len([json.loads(line) for line in text.splitlines()]) == 3
    assert canary not in text
    assert text.count(GONE) >= 5


@pytest.mark.parametrize("name", ["password", "Authorization", "HTTP_AUTHORIZATION", "api_key", "refresh_token", "cvc"])
def test_a_value_with_a_secret_name_is_redacted(name):
    assert without_secrets({"user": "anna", name: "any value"}) == {"user": "anna", name: GONE}


def test_secrets_in_headers_and_urls_are_redacted_and_the_rest_stays():
    assert without_secrets("Authorization: Bearer abcdefgh123456 sent") == f"Authorization: Bearer {GONE} sent"
    assert without_secrets("GET /x?code=abc123&page=2") == f"GET /x?code={GONE}&page=2"
    assert without_secrets("postgresql://billing:hunter2@db/billing") == f"postgresql://billing:{GONE}@db/billing"
    assert without_secrets("GET /password/reset/key/1-abc/") == f"GET /password/reset/key/{GONE}/"


HASHES = [
    "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$aGFzaGhhc2g",
    "$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$aGFzaGhhc2g",
    "pbkdf2_sha256$1000000$c2FsdHNhbHQ$aGFzaGhhc2g=",
    "bcrypt_sha256$$2b$12$c2FsdHNhbHQaGFzaGhhc2g",
    "scrypt$16384$c2FsdHNhbHQ$8$5$aGFzaGhhc2g==",
]


@pytest.mark.parametrize("value", HASHES)
def test_a_hash_of_a_password_is_redacted(value):
    assert without_secrets(f"row (3, {value}, anna)") in (f"row (3, {GONE} anna)", f"row (3, {GONE}, anna)")


ROW = "Failing row contains (3, argon2$argon2id$v=19$c2FsdA, anna@demo.test,\nsecond line of anna, 2026-01-01)."


@pytest.mark.parametrize("name", ["DETAIL", "CONTEXT", "HINT", "QUERY", "LINE 1", "ПОДРОБНОСТИ", "КОНТЕКСТ"])
def test_what_postgresql_quotes_is_not_logged(written, name):
    """On a line of its own, on one line, as a repr, and in a traceback, whose other parts stay."""
    text = f'duplicate key value violates "username_is_used_once"\n{name}:  {ROW}\n'
    log = structlog.get_logger("canary")
    log.warning("plain", error=text, on_one_line=" ".join(text.split()), deep=[{"cause": repr(ValueError(text))}])
    try:
        try:
            raise ValueError(text)
        except ValueError as error:
            raise KeyError(text) from error
    except KeyError:
        log.exception("trace")
    said = written.getvalue()
    assert "anna" not in said
    assert "argon2" not in said
    lines = [json.loads(line) for line in said.splitlines()]
    assert "username_is_used_once" in lines[0]["error"]
    assert lines[1]["exception"].count("Traceback (most recent call last)") == 2
    assert "raise KeyError(text) from error" in lines[1]["exception"]


@pytest.mark.django_db
def test_a_real_error_of_postgresql_shows_no_row(written):
    # The traceback quotes the line below, so it names no value.
    name = "canary"
    User.objects.create(username=name, email="canary@demo.test", password=HASHES[0])
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        User.objects.create(username=name, email="other@demo.test", password=HASHES[0])
    assert "canary" in str(caught.value)
    assert "UniqueViolation" in cause_of(caught.value)
    task_runs.record("subscriptions.tasks.bill_due", seconds=1, error=caught.value)
    text = cause_of(caught.value) + TaskRun.objects.get().error + said(caught.value)
    logging.getLogger("x").error("failed", exc_info=caught.value)
    assert "canary" not in text + written.getvalue()


TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl"


HIDDEN = [
    f"authorization=Bearer%20{TOKEN}",
    f"a=1&Authorization=Bearer+{TOKEN}&b=2",
    "%61uthorization=opaque-1234",
    "c%6fde=opaque-1234",
    f"q=Bearer%20{TOKEN}",
    "q=Bearer%20opaque-1234",
    "q=%73k_live_51H8xYzCanaryCanary",
    "q=4242%204242%204242%204242",
    "q=4242+4242+4242+4242&page=2",
    "next=%2Fx%3Ftoken%3Dopaque-1234",
    "files/Bearer%20opaque-1234/x",
]


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("access_token=opaque-1234&page=2", f"access_token={GONE}&page=2"),
        ("user[password]=hunter2", f"user[password]={GONE}"),
        ("next=/x?token=opaque-1234", f"next=/x?token={GONE}"),
        ("authorization=opaque-1234&page=2", f"authorization={GONE}&page=2"),
        ("Set-Cookie: session=opaque-1234; Path=/", f"Set-Cookie: {GONE}; Path=/"),
        ('{"password": "two words", "page": 2}', f'{{"password": {GONE}, "page": 2}}'),
        ("{'api_key': 'two words', 'page': 2}", f"{{'api_key': {GONE}, 'page': 2}}"),
    ],
)
def test_a_value_after_a_secret_name_is_redacted(sent, written):
    for before in ("", "GET /api/payments/?", "https://billing.example.com/?x=1&"):
        assert without_secrets(before + sent) == before + written
        assert without_secrets({"query": before + sent}) == {"query": before + written}


@pytest.mark.parametrize("sent", HIDDEN)
def test_a_word_that_decodes_to_a_secret_is_redacted(sent):
    """As in messages of gunicorn about an invalid request, or of a client library about a URL."""
    assert without_secrets(f"Invalid: GET /x?{sent} HTTP/1.1") == f"Invalid: GET {GONE} HTTP/1.1"


# Nothing has to decode these, because no part of a URL is logged.
DEEPLY_HIDDEN = ["q=Bearer%252520opaque-1234", "q=%" + "25" * 1500 + "20", "opaque-1234", "%2e%2e/opaque-1234"]


ROUTES = {
    "GET (no route)",
    "GET ^api(?:/.*)?$",
    "GET api/payments/(?P<public_id>[A-Za-z0-9_-]+)/?$",
    "GET pay/<str:public_id>/",
    "GET pricing/",
}


def requests_in(text: str) -> set[str]:
    """Return the `request` of each log line that has one."""
    return {line["request"] for line in map(json.loads, text.splitlines()) if "request" in line}


@pytest.mark.parametrize("sent", HIDDEN + DEEPLY_HIDDEN)
def test_a_request_is_logged_by_its_route_without_its_path_and_query(client, db, written, sent):
    for before in ("/no-such-page/", "/api/no-such-thing/?", "/api/payments/", "/pay/", "/pricing/?"):
        client.get(before + sent + "/")
    text = written.getvalue()
    assert {"GET (no route)", "GET pricing/"} <= requests_in(text) <= ROUTES
    for secret in (sent, "opaque-1234", "eyJ", "4242 4242", "4242+4242"):
        assert secret not in text


def test_a_refused_form_is_logged_with_the_reason_and_without_path_and_query(db, written):
    Client(enforce_csrf_checks=True).post("/topup/?note=opaque-1234", {"code": "opaque-1234"})
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["reason"] for line in lines if line["event"] == "form_refused"] == ["CSRF cookie not set."]
    assert requests_in(written.getvalue()) == {"POST topup/"}
    assert "opaque-1234" not in written.getvalue()


@pytest.mark.parametrize(
    "harmless",
    [
        "pay_01m7y5s59nekc9624q0eyjkhf7",
        "2026-11-21T04:28:07.284664Z",
        "4242424242424241",  # the check digit is wrong
        "1763699287284664",  # a time in microseconds
        "balance 1342.00 RUB after 1500.00",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "GET /account/transactions/?from=2026-11-01&at=2026-11-21T04%3A28%3A07Z&currency=RUB",
        "GET /pricing/?q=%D1%82%D0%B0%D1%80%D0%B8%D1%84+100%25",
        "post(entry, form_key=key, currency='RUB')",
    ],
)
def test_harmless_text_is_not_redacted(harmless):
    assert without_secrets(harmless) == harmless


def test_every_response_has_the_request_id_of_its_log_lines(client, db, written):
    answer = client.get("/no-such-page/")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert str(uuid.UUID(answer["X-Request-Id"])) == answer["X-Request-Id"]
    assert answer["X-Request-Id"] in {line.get("request_id") for line in lines if line["event"] == "request_finished"}


@pytest.mark.parametrize(
    "sent",
    ["3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e04f8911d39a0c0305e82c3301", "req_01K9QX4T", "chosen-by-the-proxy"],
)
def test_a_well_formed_request_id_that_came_with_the_request_is_kept(client, db, written, sent):
    answer = client.get("/no-such-page/", headers={"x-request-id": sent})
    assert answer["X-Request-Id"] == sent
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["request_id"] for line in lines if line["event"] == "request_finished"] == [sent]


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "short",
        "x" * 65,
        "two words here",
        "-begins-with-a-dash",
        "line\\nbreak",
        "<script>alert(1)",
        "идентификатор",
    ],
)
def test_a_malformed_request_id_is_replaced(client, db, sent):
    answer = client.get("/no-such-page/", headers={"x-request-id": sent})
    assert str(uuid.UUID(answer["X-Request-Id"])) == answer["X-Request-Id"]


WORKER = [sys.executable, "-m", "celery", "--quiet", "-A", "billing_site", "worker", "--pool", "solo"]
SEND = """
import django; django.setup()
import structlog
from billing_site.celery import app
app.loader.import_default_modules()
structlog.contextvars.bind_contextvars(request_id="request-of-the-test")
app.tasks["subscriptions.tasks.bill_due"].delay()
"""


@pytest.mark.django_db(transaction=True)
def test_the_log_of_a_task_has_the_id_of_its_request(child_environment, tmp_path):
    """A real worker logs a real task under the request id of the process that sent it."""
    environment = child_environment | {
        "LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "billing_site.settings", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    root = Path(product.BASE_DIR)
    log = tmp_path / "worker.log"
    with log.open("w") as out, subprocess.Popen(WORKER, env=environment, cwd=root, stdout=out, stderr=out) as worker:
        try:
            subprocess.run(
                [sys.executable, "-c", SEND], env=environment, cwd=root, check=True, stdout=subprocess.DEVNULL
            )
            give_up = time.monotonic() + 40
            while "request-of-the-test" not in log.read_text() and time.monotonic() < give_up:
                time.sleep(0.1)
        finally:
            worker.terminate()
    # Whatever a worker writes is one JSON object a line, Celery's own lines too, but for what it says as it stops.
    said = [line for line in log.read_text().splitlines() if line and not line.startswith("worker: ")]
    everything = [json.loads(line) for line in said]
    lines = [line for line in everything if line.get("request_id") == "request-of-the-test"]
    assert {line.get("task") for line in lines} == {"subscriptions.tasks.bill_due"}
    assert {"task_started", "task_succeeded"} & {line["event"] for line in lines}, log.read_text()[-2000:]


def test_tasks_of_the_scheduler_are_logged_only_when_they_fail():
    event = {"event": "task_started", "logger": "django_structlog.celery.receivers"}
    with pytest.raises(structlog.DropEvent):
        logs.without_pokes(logging.getLogger(), "info", dict(event))
    assert logs.without_pokes(logging.getLogger(), "info", event | {"request_id": "a request's"})
    assert logs.without_pokes(logging.getLogger(), "error", dict(event))


FORGED = '\n\r\x1b[2J\x9b1A\x85\u2028\u202e{"event": "forged", "level": "info"}'


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_text_of_a_stranger_makes_a_line_of_its_own_or_steers_a_terminal(form):
    config = logs.config(form, level="INFO")
    formatter = config["formatters"]["line"]
    made = structlog.stdlib.ProcessorFormatter(**{key: value for key, value in formatter.items() if key != "()"})
    try:
        raise ValueError(f"no such plan: {FORGED}")
    except ValueError:
        trace = sys.exc_info()
    record = logging.LogRecord("canary", logging.ERROR, "", 0, "log-in of %s", (f"alice{FORGED}",), trace)
    lines = made.format(record).split("\n")
    ours = [line for line in lines if not line.startswith("    ")]
    assert len(ours) == 1
    assert "alice" in ours[0]
    for line in lines:
        assert logs.UNSAFE.search(line) is None
    if form == "json":
        assert json.loads(lines[0])["event"] == f"log-in of alice{FORGED}"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/nowhere%0a%0d%1b[2J%c2%85x/", {}),
        ("/", {"user-agent": FORGED}),
        ("/", {"x-request-id": "req_12345678\nforged"}),
        ("/", {"x-forwarded-for": f"203.0.113.7{FORGED}"}),
    ],
)
def test_no_request_forges_a_line(client, db, written, path, headers):
    client.get(path, headers=headers)
    client.post("/login/", {"login": f"alice{FORGED}", "password": "wrong"}, headers=headers)
    text = written.getvalue()
    assert text
    assert all(isinstance(json.loads(line), dict) for line in text.splitlines())
    assert '"event": "forged"' not in text
