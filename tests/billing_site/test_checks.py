"""What production refuses. Each process is a real one: settings are read once, at its start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import Error

from billing_site import checks

ROOT = Path(settings.BASE_DIR)
GOOD = {
    "LOCAL": "0",
    "DEBUG": "0",
    "HTTPS": "1",
    "HSTS_SUBDOMAINS": "1",
    "SITE_URL": "https://billing.example.com",
    "ALLOWED_HOSTS": "billing.example.com",
    "SECRET_KEY": "5Gq0vXyJtR8mWb2LzKd7NcPfUhSa3eTo-5Gq0vXyJtR8mWb2LzKd7",
    "JWT_SIGNING_KEY": "u1YwQk9ZrB6sEvM4xTj8HgDnCiLp2FaX-u1YwQk9Z",
    "SANDBOX_WEBHOOK_SECRET": "whsec_Zm9yLXRoZS1jaGVjay1vbmx5LUhrN3BXcTJaeFYw",
    "DATABASE_URL": "postgresql://billing@database.invalid/billing",
}


def run(*command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    wanted = {"PATH": os.environ["PATH"], **GOOD, **changes}
    environment = {name: value for name, value in wanted.items() if value is not None}
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_with_all_it_needs_it_passes_the_deployment_checks():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("blank", ["", None, "local-only-not-a-secret-" + "0" * 40])
def test_a_blank_or_known_secret_key_stops_everything(blank):
    done = run("manage.py", "version", SECRET_KEY=blank)
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


WEB = ["-c", "import billing_site.wsgi"]
WORKER = ["-m", "celery", "-A", "billing_site", "worker", "--pool", "solo"]
BEAT = ["-m", "celery", "-A", "billing_site", "beat", "--pidfile="]


@pytest.mark.parametrize("command", [WEB, WORKER, BEAT], ids=["web", "worker", "beat"])
def test_nothing_starts_with_debug_on(command):
    done = run(*command, DEBUG="1")
    assert done.returncode != 0
    assert "billing.E001" in done.stderr + done.stdout


@pytest.fixture
def production(settings):
    """This process's settings, as production has them."""
    settings.LOCAL = False
    settings.DEBUG = False
    settings.SECRET_KEY = GOOD["SECRET_KEY"]
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "SIGNING_KEY": GOOD["JWT_SIGNING_KEY"]}
    settings.ALLOWED_HOSTS = ["billing.example.com"]
    settings.SANDBOX_WEBHOOK_SECRET = GOOD["SANDBOX_WEBHOOK_SECRET"]
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    return settings


def found() -> set[str | None]:
    return {message.id for message in checks.production(None) if isinstance(message, Error)}


def test_a_good_production_has_nothing_to_refuse(production):
    assert found() == set()


def test_debug_is_refused(production):
    production.DEBUG = True
    assert found() == {"billing.E001"}


@pytest.mark.parametrize("key", ["short", "a" * 60])
def test_a_guessable_secret_key_is_refused(production, key):
    production.SECRET_KEY = key
    assert found() == {"billing.E002"}


@pytest.mark.parametrize("key", ["", "short", settings.LOCAL_JWT_SIGNING_KEY])
def test_a_missing_short_or_known_token_key_is_refused(production, key):
    production.SIMPLE_JWT = {**production.SIMPLE_JWT, "SIGNING_KEY": key}
    assert found() == {"billing.E003"}


def test_tokens_and_sessions_do_not_share_a_key(production):
    production.SIMPLE_JWT = {**production.SIMPLE_JWT, "SIGNING_KEY": production.SECRET_KEY}
    assert found() == {"billing.E004"}


@pytest.mark.parametrize("hosts", [[], ["*"], [".example.com"], ["billing.example.com", "*"]])
def test_wildcard_hosts_are_refused(production, hosts):
    production.ALLOWED_HOSTS = hosts
    assert found() == {"billing.E005"}


@pytest.mark.parametrize("secret", ["", "   ", settings.LOCAL_WEBHOOK_SECRET])
def test_a_blank_or_known_webhook_secret_is_refused(production, secret):
    production.SANDBOX_WEBHOOK_SECRET = secret
    assert found() == {"billing.E006"}


def test_a_gateway_whose_secret_is_not_even_a_setting_is_refused(production):
    production.PAYMENT_GATEWAYS = ["sandbox", "newpay"]
    assert found() == {"billing.E006"}


@pytest.mark.parametrize("secret", ["whsec_c2hvcnQ=", "whsec_no base64", "x" * 41])
def test_a_webhook_secret_the_gateway_cannot_use_is_refused(production, secret):
    production.SANDBOX_WEBHOOK_SECRET = secret
    assert found() == {"billing.E008"}


def test_the_sandbox_is_refused_beside_live_keys(production):
    production.STRIPE_SECRET_KEY = "sk_live_abcdefghijklmnop"
    assert found() == {"billing.E007"}


def test_a_local_machine_may_have_all_of_it(production):
    production.LOCAL, production.DEBUG, production.ALLOWED_HOSTS = True, True, ["*"]
    assert found() == set()
