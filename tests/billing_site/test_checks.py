"""The checks that refuse unsafe production settings. Where a process is started it is a real one."""

import json
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
    "MFA_KEYS": "b25seS1mb3ItdGVzdHMtMDAwMDAwMDAwMDAwMDAwMGE=",
    "EMAIL_URL": "smtp+tls://mail.invalid:587",
    "SELLER_EMAIL": "help@example.com",
    "PAYMENT_GATEWAYS": "manual",
    "MANUAL_DETAILS": '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}',
}


def run(*command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run a Python command with GOOD settings, changed; None removes one."""
    values = {"PATH": os.environ["PATH"], **GOOD, **changes}
    environment = {name: value for name, value in values.items() if value is not None}
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("subdomains", ["1", ""])
def test_good_settings_pass_the_deployment_checks(subdomains):
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", HSTS_SUBDOMAINS=subdomains)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("blank", ["", None, "local-only-not-a-secret-" + "0" * 40])
def test_nothing_starts_with_a_blank_or_public_secret_key(blank):
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


def test_gunicorn_stops_as_a_whole_and_the_log_says_why():
    # One worker: when a second one fails while gunicorn halts for the first, gunicorn's own code raises once more and
    # ends with 1 instead.
    done = run("-m", "gunicorn", "--config", "python:billing_site.gunicorn", DEBUG="1", PORT="8391", WEB_WORKERS="1")
    assert done.returncode == 3, done.stdout + done.stderr
    refusals = [json.loads(line) for line in done.stdout.splitlines() if "start_refused" in line]
    assert {(line["event"], line["id"], line["level"]) for line in refusals} == {
        ("start_refused", "billing.E001", "error")
    }


@pytest.fixture
def production(settings):
    """Give this process good production settings."""
    settings.LOCAL = False
    settings.DEBUG = False
    settings.SECRET_KEY = GOOD["SECRET_KEY"]
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "SIGNING_KEY": GOOD["JWT_SIGNING_KEY"]}
    settings.ALLOWED_HOSTS = ["billing.example.com"]
    settings.SANDBOX_WEBHOOK_SECRET = GOOD["SANDBOX_WEBHOOK_SECRET"]
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    settings.MFA_KEYS = [GOOD["MFA_KEYS"]]
    settings.MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.SELLER_EMAIL = GOOD["SELLER_EMAIL"]
    return settings


def error_ids() -> set[str | None]:
    """Return the ids of the errors that the checks find."""
    return {message.id for message in checks.production(None) if isinstance(message, Error)}


def test_good_settings_have_no_errors(production):
    assert error_ids() == set()


def test_debug_is_refused(production):
    production.DEBUG = True
    assert error_ids() == {"billing.E001"}


@pytest.mark.parametrize("key", ["short", "a" * 60])
def test_a_guessable_secret_key_is_refused(production, key):
    production.SECRET_KEY = key
    assert error_ids() == {"billing.E002"}


@pytest.mark.parametrize("key", ["", "short", settings.LOCAL_JWT_SIGNING_KEY])
def test_a_missing_short_or_public_token_key_is_refused(production, key):
    production.SIMPLE_JWT = {**production.SIMPLE_JWT, "SIGNING_KEY": key}
    assert error_ids() == {"billing.E003"}


def test_one_key_for_tokens_and_sessions_is_refused(production):
    production.SIMPLE_JWT = {**production.SIMPLE_JWT, "SIGNING_KEY": production.SECRET_KEY}
    assert error_ids() == {"billing.E004"}


@pytest.mark.parametrize("hosts", [[], ["*"], [".example.com"], ["billing.example.com", "*"]])
def test_wildcard_hosts_are_refused(production, hosts):
    production.ALLOWED_HOSTS = hosts
    assert error_ids() == {"billing.E005"}


def gateway_problems() -> list[str]:
    """Return what the check of the gateways says, if there is no other error."""
    assert error_ids() <= {"billing.E008"}
    return [message.msg for message in checks.production(None) if isinstance(message, Error)]


@pytest.mark.parametrize(
    ("secret", "problem"),
    [("", "is blank"), ("   ", "is blank"), (settings.LOCAL_WEBHOOK_SECRET, "is the public local one")],
)
def test_a_blank_or_public_webhook_secret_is_refused(production, secret, problem):
    production.SANDBOX_WEBHOOK_SECRET = secret
    assert gateway_problems() == [f"SANDBOX_WEBHOOK_SECRET {problem}: anybody could send us webhooks"]


def test_a_public_webhook_secret_beside_a_good_one_is_refused(production):
    production.SANDBOX_WEBHOOK_SECRET += f" {settings.LOCAL_WEBHOOK_SECRET}"
    assert error_ids() == {"billing.E008"}


def test_a_gateway_that_the_code_does_not_know_is_refused(production):
    production.PAYMENT_GATEWAYS = ["sandbox", "newpay"]
    [problem] = gateway_problems()
    assert problem.startswith("PAYMENT_GATEWAYS names 'newpay'")


@pytest.mark.parametrize("offered", [["sandbox", "stripe"], ["sandbox"]], ids=["offered", "retired"])
def test_a_gateway_that_signs_needs_its_secret_also_when_it_is_not_offered(production, offered):
    production.PAYMENT_GATEWAYS, production.STRIPE_SECRET_KEY = offered, "sk_test_abcdefghijklmnop"
    [problem] = gateway_problems()
    assert problem.startswith("STRIPE_WEBHOOK_SECRET is blank")


def test_a_gateway_without_keys_that_is_not_offered_needs_nothing(production):
    production.STRIPE_SECRET_KEY = production.STRIPE_WEBHOOK_SECRET = ""
    assert error_ids() == set()


def test_no_webhook_secret_is_asked_of_a_gateway_that_has_none(production):
    production.PAYMENT_GATEWAYS = ["yookassa", "manual"]
    production.YOOKASSA_SHOP_ID, production.YOOKASSA_SECRET_KEY = "100500", "live_abcdefghijklmnop"
    production.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    assert error_ids() == set()


@pytest.mark.parametrize("secret", ["whsec_c2hvcnQ=", "whsec_no base64", "x" * 41])
def test_a_malformed_webhook_secret_is_refused(production, secret):
    production.SANDBOX_WEBHOOK_SECRET = secret
    assert error_ids() == {"billing.E008"}


@pytest.mark.parametrize("kind", ["sk_live_", "rk_live_"])
def test_the_sandbox_is_refused_beside_live_keys(production, kind):
    production.STRIPE_SECRET_KEY = f"{kind}abcdefghijklmnop"
    production.STRIPE_WEBHOOK_SECRET = "whsec_" + "a" * 32
    assert error_ids() == {"billing.E007"}


def test_the_sandbox_is_refused_beside_the_key_of_a_live_shop(production):
    production.YOOKASSA_SHOP_ID, production.YOOKASSA_SECRET_KEY = "100500", "live_abcdefghijklmnop"
    assert error_ids() == {"billing.E007"}


def test_a_local_machine_may_have_unsafe_settings(production):
    production.LOCAL, production.DEBUG, production.ALLOWED_HOSTS = True, True, ["*"]
    assert error_ids() == set()


@pytest.mark.parametrize(
    "keys", [[], ["short"], ["no base64 at all"], [settings.LOCAL_MFA_KEY], [GOOD["MFA_KEYS"], settings.LOCAL_MFA_KEY]]
)
def test_a_missing_malformed_or_public_key_of_second_factors_is_refused(production, keys):
    production.MFA_KEYS = keys
    assert error_ids() == {"billing.E009"}


@pytest.mark.parametrize("name", ["console", "dummy", "filebased", "locmem"])
def test_a_mail_backend_that_shows_or_loses_mails_is_refused(production, name):
    production.MAIL_BACKEND = f"django.core.mail.backends.{name}.EmailBackend"
    assert error_ids() == {"billing.E010"}


def test_a_mail_backend_that_does_not_exist_is_refused(production):
    production.MAIL_BACKEND = "nonsense.Backend"
    assert error_ids() == {"billing.E012"}


def test_the_public_key_is_refused_as_an_older_key_too(production):
    production.SECRET_KEY_FALLBACKS = [production.LOCAL_SECRET_KEY]
    assert error_ids() == {"billing.E011"}


def warning_ids() -> set[str | None]:
    return {message.id for message in checks.production(None) if not isinstance(message, Error)}


def test_the_sandbox_alone_is_a_warning(production):
    assert warning_ids() == {"billing.W002"}
    production.PAYMENT_GATEWAYS = ["sandbox", "manual"]
    assert "billing.W002" not in warning_ids()


def test_no_mail_server_is_a_warning(production):
    production.PAYMENT_GATEWAYS = ["manual"]
    production.MANUAL_DETAILS = GOOD["MANUAL_DETAILS"]
    assert warning_ids() == set()
    production.MAIL_BACKEND = ""
    assert warning_ids() == {"billing.W003"}


def test_no_address_to_write_to_is_a_warning(production):
    production.PAYMENT_GATEWAYS = ["manual"]
    production.MANUAL_DETAILS = GOOD["MANUAL_DETAILS"]
    production.SELLER_EMAIL = ""
    assert warning_ids() == {"billing.W004"}


def test_a_start_and_the_deployment_checks_say_what_cannot_be_meant():
    lacking = {"EMAIL_URL": "", "PAYMENT_GATEWAYS": "sandbox", "SELLER_EMAIL": ""}
    started = run(*WEB, **lacking)
    assert started.returncode == 0, started.stderr
    assert "billing.W002" in started.stdout
    assert "billing.W003" in started.stdout
    assert "billing.W004" in started.stdout
    checked = run("manage.py", "check", "--deploy", **lacking)
    assert "billing.W002" in checked.stderr
    assert "billing.W003" in checked.stderr
