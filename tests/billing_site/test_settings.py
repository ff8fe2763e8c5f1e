"""Values of variables that cannot be meant stop the start; those that can are taken. Each starts a real process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ANYMAIL", '"MAILGUN_API_KEY": "key-123"'),
        ("ANYMAIL", "key-123"),
        ("METRICS_TOKEN", "short-key-123"),
        ("METRICS_TOKEN", "a token of many words key-123"),
        ("SENTRY_DSN", "nonsense:key-123"),
        ("SENTRY_DSN", "https://key-123@sentry.example.com/"),
        ("SITE_URL", "https://user:key-123@billing.example.com"),
        ("SITE_URL", "https://billing.example.com/?next=1"),
        ("SITE_URL", "https://"),
        ("ALLOWED_HOSTS", "https://billing.example.com"),
        ("ALLOWED_HOSTS", "billing.example.com:443"),
        ("COLLECTION_RETRY_DAYS", "-1"),
        ("COLLECTION_RETRY_DAYS", "1,999999999999"),
        ("GATEWAY_TIMEOUT", "1e300"),
        ("LOGIN_LOCKED_FOR", "999999999999999999"),
        ("JWT_ACCESS_SECONDS", "999999999999999999"),
        ("BILLING_METER_EVERY", "999999999999999999"),
        ("SELLER_EMAIL", "nobody"),
        ("SELLER_LOGO_URL", "javascript:x"),
        ("DEFAULT_FROM_EMAIL", "nobody"),
        ("SITE_COLOR", "teal"),
        ("SITE_COLOR_DARK", "#6cc"),
        ("TERMS_URL", "javascript:x"),
        ("CSP_FORM_ACTION", "x; script-src *"),
        ("RETURN_ORIGINS", "shop.example.com"),
        ("RETURN_ORIGINS", "https://shop.example.com/paid"),
        ("YOOKASSA_NETWORKS", "foo"),
        ("API_RATE_USER", "1/month"),
    ],
)
def test_a_value_that_cannot_be_meant_stops_the_start_and_no_secret_is_shown(name, text):
    environment = {"PATH": os.environ["PATH"], "LOCAL": "0", "SECRET_KEY": "x" * 50, name: text}
    command = [sys.executable, "-c", "import billing_site.settings"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert f"ImproperlyConfigured: {name} is " in last
    assert f"Example: {name}=" in last
    assert "key-123" not in done.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SITE_URL", "https://billing.example.com/shop/"),
        ("SITE_URL", "http://[::1]:8000"),
        ("ALLOWED_HOSTS", "billing.example.com,localhost,[::1],127.0.0.1"),
        ("DEFAULT_FROM_EMAIL", "billing@example.com"),
        ("DEFAULT_FROM_EMAIL", '"Müller, Söhne" <billing@example.com>'),
        ("CSP_FORM_ACTION", "https://*.example.com:8443,https:"),
        ("RETURN_ORIGINS", "https://shop.example.com, http://localhost:3000"),
        ("SENTRY_DSN", "https://key@sentry.example.com/team/12"),
        ("METRICS_NETWORKS", "10.0.0.0/8,::1"),
    ],
)
def test_what_is_meant_is_taken(name, text):
    environment = {"PATH": os.environ["PATH"], "LOCAL": "0", "SECRET_KEY": "x" * 50, name: text}
    command = [sys.executable, "-c", "import billing_site.settings"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
