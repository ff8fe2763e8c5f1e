"""Lines of the log: found again by the request's id, also in a task's process, and without secrets."""

import io
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

from billing_site import logs
from billing_site.redaction import GONE, without_secrets

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


@pytest.fixture
def written(settings):
    """Write as production does, into a text that the test reads."""
    before = logging.getLogger().handlers[:]
    stream = io.StringIO()
    logging.config.dictConfig(logs.config("json", level="INFO"))
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    logging.config.dictConfig(settings.LOGGING)
    logging.getLogger().handlers[:] = before


@pytest.mark.parametrize("canary", CANARIES)
def test_no_secret_reaches_a_line_whichever_way_it_is_logged(written, canary):
    structlog.get_logger("canary").warning(f"said {canary}", detail={"deep": [f"in {canary} here"]}, note=canary)
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
def test_what_is_named_a_secret_is_one(name):
    assert without_secrets({"user": "anna", name: "whatever it is"}) == {"user": "anna", name: GONE}


def test_secrets_in_headers_addresses_and_forms_go_and_the_rest_stays():
    assert without_secrets("Authorization: Bearer abcdefgh123456 sent") == f"Authorization: Bearer {GONE} sent"
    assert without_secrets("GET /x?code=abc123&page=2") == f"GET /x?code={GONE}&page=2"
    assert without_secrets("postgresql://billing:hunter2@db/billing") == f"postgresql://billing:{GONE}@db/billing"
    assert without_secrets("GET /password/reset/key/1-abc/") == f"GET /password/reset/key/{GONE}/"


TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        (f"authorization=Bearer%20{TOKEN}", f"authorization={GONE}"),
        (f"a=1&Authorization=Bearer+{TOKEN}&b=2", f"a=1&Authorization={GONE}&b=2"),
        ("access_token=opaque-1234&page=2", f"access_token={GONE}&page=2"),
        ("%61uthorization=opaque", f"%61uthorization={GONE}"),
        ("c%6fde=482913", f"c%6fde={GONE}"),
        ("user[password]=hunter2", f"user[password]={GONE}"),
        (f"q=Bearer%20{TOKEN}", f"q={GONE}"),
        ("q=Bearer%20opaque-1234", f"q={GONE}"),
        ("q=Bearer%252520opaque-1234", f"q={GONE}"),
        ("q=%73k_live_51H8xYzCanaryCanary", f"q={GONE}"),
        ("q=4242%204242%204242%204242", f"q={GONE}"),
        ("q=4242+4242+4242+4242&page=2", f"q={GONE}&page=2"),
        ("next=%2Fx%3Ftoken%3Dopaque-1234", f"next={GONE}"),
        ("next=/x?token=opaque-1234", f"next=/x?token={GONE}"),
        ("q=%" + "25" * 1500 + "20", f"q={GONE}"),
    ],
)
def test_a_secret_in_a_query_goes_by_its_name_and_however_it_is_encoded(sent, written):
    for before in ("", "GET /api/payments/?", "https://billing.example.com/?x=1&"):
        assert without_secrets(before + sent) == before + written
        assert without_secrets({"query": before + sent}) == {"query": before + written}


def test_a_secret_in_a_path_goes_however_it_is_encoded():
    assert without_secrets("GET /files/Bearer%20opaque-1234/x") == f"GET /files/{GONE}/x"


def test_a_query_is_not_logged_with_its_token(client, db, written):
    client.get(f"/no-such-page/?authorization=Bearer%20{TOKEN}&page=2")
    assert "/no-such-page/" in written.getvalue()
    assert "eyJ" not in written.getvalue()


@pytest.mark.parametrize(
    "harmless",
    [
        "pay_01m7y5s59nekc9624q0eyjkhf7",
        "2026-11-21T04:28:07.284664Z",
        "4242424242424241",  # the check digit is wrong
        "1763699287284664",  # a clock in microseconds
        "balance 1342.00 RUB after 1500.00",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "GET /account/transactions/?from=2026-11-01&at=2026-11-21T04%3A28%3A07Z&currency=RUB",
        "GET /pricing/?q=%D1%82%D0%B0%D1%80%D0%B8%D1%84+100%25",
        "post(entry, form_key=key, currency='RUB')",
    ],
)
def test_what_only_looks_like_a_secret_stays(harmless):
    assert without_secrets(harmless) == harmless


def test_every_answer_carries_the_id_its_log_lines_have(client, db, written):
    answer = client.get("/no-such-page/")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert str(uuid.UUID(answer["X-Request-Id"])) == answer["X-Request-Id"]
    assert answer["X-Request-Id"] in {line.get("request_id") for line in lines if line["event"] == "request_finished"}


def test_the_id_is_ours_and_not_the_callers(client, db):
    """One that a caller chooses could be made to point at somebody else's lines."""
    answer = client.get("/no-such-page/", headers={"x-request-id": "chosen-by-the-caller"})
    assert str(uuid.UUID(answer["X-Request-Id"])) == answer["X-Request-Id"]


WORKER = [sys.executable, "-m", "celery", "--quiet", "-A", "billing_site", "worker", "--pool", "solo"]
ASK = """
import django; django.setup()
import structlog
from billing_site.celery import app
app.loader.import_default_modules()
structlog.contextvars.bind_contextvars(request_id="request-of-the-test")
app.tasks["subscriptions.tasks.bill_due"].delay()
"""


@pytest.mark.django_db(transaction=True)
def test_a_request_id_reaches_the_log_of_the_task_it_caused(child_environment, tmp_path):
    """A real worker, a real message: its line about the task carries the id that the asking process had."""
    environment = child_environment | {
        "LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "billing_site.settings", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    root = Path(product.BASE_DIR)
    log = tmp_path / "worker.log"
    with log.open("w") as out, subprocess.Popen(WORKER, env=environment, cwd=root, stdout=out, stderr=out) as worker:
        try:
            subprocess.run(
                [sys.executable, "-c", ASK], env=environment, cwd=root, check=True, stdout=subprocess.DEVNULL
            )
            give_up = time.monotonic() + 40
            while "request-of-the-test" not in log.read_text() and time.monotonic() < give_up:
                time.sleep(0.1)
        finally:
            worker.terminate()
    lines = [json.loads(line) for line in log.read_text().splitlines() if "request-of-the-test" in line]
    assert {"task_started", "task_succeeded"} & {line["event"] for line in lines}, log.read_text()[-2000:]


def test_the_schedulers_own_pokes_do_not_bury_the_rest():
    event = {"event": "task_started", "logger": "django_structlog.celery.receivers"}
    with pytest.raises(structlog.DropEvent):
        logs.without_pokes(logging.getLogger(), "info", dict(event))
    assert logs.without_pokes(logging.getLogger(), "info", event | {"request_id": "a request's"})
    assert logs.without_pokes(logging.getLogger(), "error", dict(event))
