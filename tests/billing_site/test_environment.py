"""Every environment variable that is read is in .env.example, and every variable there is read."""

import re
import runpy
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from billing_site.settings import api

ROOT = Path(settings.BASE_DIR)
READERS = [file for folder in ("", "local/", "settings/") for file in ROOT.glob(f"billing_site/{folder}*.py")]
# Set by our own programs, not by an operator.
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "PYTHONUNBUFFERED", "PYTHONWARNINGS"}


def documented() -> set[str]:
    """Return the variables of .env.example."""
    return set(re.findall(r"^([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def read_by_the_code() -> set[str]:
    pattern = r"""(?:\benv\.\w+\(|\brate\(|environ\.(?:get|setdefault)\(|environ\[)\s*["']([A-Z][A-Z0-9_]*)["']"""
    return {name for file in READERS for name in re.findall(pattern, file.read_text())} - NOT_OURS


def read_by_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))


def test_every_variable_that_is_read_is_documented():
    assert read_by_the_code() | read_by_compose() <= documented()


def test_every_documented_variable_is_read():
    assert documented() - read_by_the_code() - read_by_compose() == set()


def test_every_variable_has_a_comment():
    lines = (ROOT / ".env.example").read_text().splitlines()
    for previous, line in pairwise(lines):
        if re.match(r"[A-Z_]+=", line):
            assert previous.startswith("# ") or re.match(r"[A-Z_]+=", previous), line


def test_the_example_has_no_secret():
    secrets = re.findall(r"^\w*(?:SECRET|KEY|PASSWORD)\w*=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert secrets == []


def test_no_app_reads_the_environment_itself():
    apps = (
        file
        for app in ("core", "accounts", "events", "ledger", "subscriptions", "payments")
        for file in ROOT.glob(f"{app}/**/*.py")
    )
    assert [str(file) for file in apps if re.search(r"os\.environ|os\.getenv", file.read_text())] == []


def test_compose_sets_only_variables_that_are_read():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    names = {name for service in compose["services"].values() for name in service.get("environment", {})}
    of_postgres = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}
    assert names - of_postgres <= read_by_the_code()


@pytest.mark.parametrize("text", ["3", "3/", "x/m", "3/y", "0/m", "-1/m"])
def test_an_invalid_rate_stops_the_start_and_names_its_variable(monkeypatch, text):
    monkeypatch.setenv("API_RATE_USER", text)
    with pytest.raises(ImproperlyConfigured, match="API_RATE_USER must be a rate such as 30/m"):
        api.rate("API_RATE_USER", "1200/m")


@pytest.mark.parametrize(("text", "rate"), [("", "1200/m"), ("3/s", "3/s"), ("5/hour", "5/hour"), ("9/day", "9/day")])
def test_a_rate_is_read_and_blank_means_the_default(monkeypatch, text, rate):
    monkeypatch.setenv("API_RATE_USER", text)
    assert api.rate("API_RATE_USER", "1200/m") == rate


@pytest.mark.parametrize(
    ("name", "module"), [("GATEWAY_REPORT_DAYS", "billing"), ("WEBHOOK_EVENT_DAYS", "billing"), ("MAIL_DAYS", "mail")]
)
def test_a_retention_below_one_day_stops_the_start_and_names_its_variable(monkeypatch, name, module):
    monkeypatch.setenv(name, "0")
    with pytest.raises(ImproperlyConfigured, match=f"{name} is 0. It must be 1 or more"):
        runpy.run_path(str(ROOT / f"billing_site/settings/{module}.py"))
