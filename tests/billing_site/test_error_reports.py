"""Error reports: the library is loaded only if it is used, and no personal data or secret is sent."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

DSN = "http://public@127.0.0.1:9/1"
# A process of its own, because the library changes Django, Celery and logging for good. It prints what it would send.
REPORT = """
import json, logging, sys
sys.argv = ["manage.py", "--argv-canary"]
import django; django.setup()
import sentry_sdk, structlog
from sentry_sdk.transport import Transport

class Printed(Transport):
    def capture_envelope(self, envelope):
        for item in envelope.items:
            print("SENT", json.dumps(item.payload.json, default=str))

sentry_sdk.get_client().transport = Printed()
from django.test import Client

def fails(*args, secret="local-canary", **kwargs):
    structlog.get_logger("x").error("said_by_us", user_id=4711, email="field-canary@demo.test", route="api/plans/")
    logging.getLogger("x").error("said by a library: %s", "argument-canary")
    raise ZeroDivisionError("broken by sk_live_51H8xYzCanaryCanary\\nDETAIL:  Key (username)=(row-canary) exists.")

from unittest import mock
with mock.patch("subscriptions.api.plans.plans_on_sale", fails):
    client = Client(raise_request_exception=False)
    client.get("/api/plans/?currency=RUB", headers={
        "host": "127.0.0.1", "authorization": "Bearer header-canary", "cookie": "sessionid=cookie-canary",
        "user-agent": "agent-canary", "x-note": "query-canary",
    }, REMOTE_ADDR="203.0.113.77")
"""


def run(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"LOCAL": "1"} | environment, cwd=settings.BASE_DIR,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_without_a_dsn_the_library_is_not_loaded():
    code = "import django, sys; django.setup(); print('sentry_sdk' in sys.modules)"
    done = run(code, DJANGO_SETTINGS_MODULE="billing_site.settings", SENTRY_DSN="")
    assert done.stdout.strip() == "False", done.stderr


@pytest.fixture
def sent(child_environment) -> list[dict[str, Any]]:
    """Return the events that a request sends which ends in a bug."""
    done = run(REPORT, **child_environment | {"SENTRY_DSN": DSN, "SENTRY_TRACES": "1"})
    lines = [line.removeprefix("SENT ") for line in done.stdout.splitlines() if line.startswith("SENT ")]
    assert lines, done.stdout[-2000:] + done.stderr[-2000:]
    return [json.loads(line) for line in lines]


@pytest.mark.django_db(transaction=True)
def test_a_bug_is_reported_by_its_route_without_personal_data_and_secrets(sent):
    errors = [event for event in sent if "exception" in event]
    assert {each["type"] for event in errors for each in event["exception"]["values"]} == {"ZeroDivisionError"}
    assert all("plans" in event["transaction"] for event in errors)
    text = json.dumps(sent)
    for canary in ("header", "cookie", "query", "local", "agent", "argv", "field", "argument", "row"):
        assert f"{canary}-canary" not in text
    assert "203.0.113.77" not in text
    assert "CanaryCanary" not in text
    assert "4711" not in text
    said = {event["logentry"]["message"].split(" request_id=")[0] for event in sent if "logentry" in event}
    assert {"said_by_us route=api/plans/", "said by a library: %s"} <= said
    assert not any({"user", "request", "server_name", "breadcrumbs", "extra"} & set(event) for event in sent)
    frames = [
        frame for event in errors for each in event["exception"]["values"] for frame in each["stacktrace"]["frames"]
    ]
    assert not any("vars" in frame for frame in frames)
