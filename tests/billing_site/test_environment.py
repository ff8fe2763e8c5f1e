"""Every environment variable that is read is in .env.example, and every variable there is read."""

import json
import os
import re
import runpy
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from billing_site.environment import Environment
from billing_site.settings import api

ROOT = Path(settings.BASE_DIR)
READERS = [file for folder in ("", "local/", "settings/") for file in ROOT.glob(f"billing_site/{folder}*.py")]
# Set by our own programs, not by an operator.
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "PYTHONUNBUFFERED", "PYTHONWARNINGS"}


def documented() -> dict[str, str]:
    """Return the variables of .env.example with their values."""
    return dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def read_by_the_code() -> set[str]:
    pattern = r"""(?:\benv\.\w+\(|\brate\(|environ\.(?:get|setdefault)\(|environ\[)\s*["']([A-Z][A-Z0-9_]*)["']"""
    return {name for file in READERS for name in re.findall(pattern, file.read_text())} - NOT_OURS


def read_by_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))


def test_every_variable_that_is_read_is_documented():
    assert read_by_the_code() | read_by_compose() <= documented().keys()


def test_every_documented_variable_is_read():
    assert documented().keys() - read_by_the_code() - read_by_compose() == set()


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
    with pytest.raises(ImproperlyConfigured, match=f"API_RATE_USER is {text}. It must be a rate such as 30/m"):
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
    with pytest.raises(ImproperlyConfigured, match=f"{name} is 0. It must be a number from 1 to 36500"):
        runpy.run_path(str(ROOT / f"billing_site/settings/{module}.py"))


# --- The reader -----------------------------------------------------------------------------------------------------


def reading(**variables: str) -> Environment:
    return Environment(variables)


def test_a_blank_variable_is_the_same_as_one_that_is_not_set():
    env = reading(A="", B="  ")
    for name in ("A", "B", "C"):
        assert env.str(name, default="x") == "x"
        assert env.int(name, default=7) == 7
        assert env.float(name, default=1.5, most=9) == 1.5
        assert env.bool(name, default=True) is True
        assert env.list(name, default=["x"]) == ["x"]
        assert env.choice(name, ("x", "y"), default="y") == "y"
        assert env.zone(name, default="UTC") == "UTC"
        assert env.url(name, ("redis",), example="redis://r") == ""


@pytest.mark.parametrize(("text", "value"), [("1", True), ("yes", True), ("True", True), ("0", False), ("off", False)])
def test_a_flag_is_read(text, value):
    assert reading(A=text).bool("A", default=not value) is value


@pytest.mark.parametrize(
    ("text", "read", "message"),
    [
        ("ture", lambda env: env.bool("A", default=True), "A is ture. It must be 1 or 0. Example: A=1"),
        ("8x", lambda env: env.int("A", default=8), "A is 8x. It must be 0 or more, without a fraction. Example: A=8"),
        ("-1", lambda env: env.int("A", default=8), "A is -1. It must be 0 or more, without a fraction. Example: A=8"),
        (
            "70000",
            lambda env: env.int("A", default=8000, least=1, most=65535),
            "A is 70000. It must be a number from 1 to 65535, without a fraction. Example: A=8000",
        ),
        (
            "9" * 18,
            lambda env: env.int("A", default=8, least=1),
            f"A is {'9' * 18}. It must be a number from 1 to 2000000000, without a fraction. Example: A=8",
        ),
        (
            "40000",
            lambda env: env.days("A", default=14),
            "A is 40000. It must be a number from 1 to 36500, without a fraction. Example: A=14",
        ),
        *(
            (
                text,
                lambda env: env.float("A", default=2.5, most=120),
                f"A is {text}. It must be a number above zero, at most 120. Example: A=2.5",
            )
            for text in ("nan", "0", "1e300")
        ),
        (
            "10.0.0.0/8,::ffff:10.0.0.0/104",
            lambda env: env.networks("A"),
            (
                "A is ::ffff:10.0.0.0/104. It must be networks such as 10.0.0.0/8 or 2001:db8::/32, with commas "
                "between them. Example: A=10.0.0.0/8"
            ),
        ),
        (
            "x y",
            lambda env: env.word("A", "[a-z]+", allowed="a word", example="x"),
            "A is x y. It must be a word. Example: A=x",
        ),
        (
            "x,y;z",
            lambda env: env.words("A", "[a-z]+", allowed="words", example="x"),
            "A is y;z. It must be words. Example: A=x",
        ),
        (
            "Europe",
            lambda env: env.zone("A", default="UTC"),
            "A is Europe. It must be the name of a time zone. Example: A=Europe/Berlin",
        ),
        (
            "Z" * 300,
            lambda env: env.zone("A", default="UTC"),
            f"A is {'Z' * 300}. It must be the name of a time zone. Example: A=Europe/Berlin",
        ),
        ("z", lambda env: env.choice("A", ("x", "y"), default="x"), "A is z. It must be one of x, y. Example: A=x"),
        (
            "Mars/Base",
            lambda env: env.zone("A", default="UTC"),
            "A is Mars/Base. It must be the name of a time zone. Example: A=Europe/Berlin",
        ),
    ],
)
def test_an_error_names_the_variable_what_is_allowed_and_an_example(text, read, message):
    with pytest.raises(ImproperlyConfigured) as error:
        read(reading(A=text))
    assert str(error.value) == message


@pytest.mark.parametrize("password", ["a/b", "a?b", "a#b", "1/b", "1?b", "1#b", "a@/b", "[b"])
def test_a_password_that_breaks_its_url_is_refused_and_not_shown(password):
    env = reading(DATABASE_URL=f"postgresql://billing:{password}@db.example.com:5432/billing")
    with pytest.raises(ImproperlyConfigured) as error:
        env.url("DATABASE_URL", ("postgresql",), example="postgresql://billing:PASSWORD@db:5432/billing")
    assert str(error.value).startswith("DATABASE_URL is not a URL that begins with postgresql://")
    assert "/ as %2F" in str(error.value)
    assert password not in str(error.value)


def test_a_variable_of_the_process_wins_over_the_file_unless_it_is_blank(tmp_path):
    (tmp_path / ".env").write_text("A=file\nB='with # and $x'\nC=file\n")
    env = reading(A="process", C="")
    env.load(tmp_path / ".env")
    assert [env.str(name) for name in "ABC"] == ["process", "with # and $x", "file"]


def test_without_the_file_nothing_is_added(tmp_path):
    env = reading(A="1")
    env.load(tmp_path / ".env")
    assert env.variables == {"A": "1"}


# Reads all settings as production does, once as they are and once with each variable set to nonsense.
READ_ALL = """
import json, os, sys
from django.core.exceptions import ImproperlyConfigured
from billing_site.environment import env

def read():
    for name in [name for name in sys.modules if name.startswith("billing_site.settings")]:
        del sys.modules[name]
    import billing_site.settings

read()
from billing_site.local import fake_gateways, run
run.commands(), fake_gateways.chosen()
said = {}
for name in list(env.defaults):
    before, os.environ[name] = os.environ.get(name), "?!{"
    try:
        read()
    except ImproperlyConfigured as error:
        said[name] = str(error)
    except Exception as error:
        said[name] = f"{type(error).__name__}: {error}"
    del os.environ[name]
    if before is not None:
        os.environ[name] = before
print(json.dumps({"defaults": {name: value for name, value in env.defaults.items()}, "said": said}))
"""


@pytest.fixture(scope="module")
def read_all() -> dict[str, dict[str, object]]:
    """Return the default of each variable, and what is said when it is nonsense."""
    environment = {"PATH": os.environ["PATH"], "LOCAL": "0", "SECRET_KEY": "x" * 50}
    command = [sys.executable, "-c", READ_ALL]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


def test_the_example_has_the_defaults_of_the_code(read_all):
    defaults = {name: as_text(value) for name, value in read_all["defaults"].items()}
    # Production's default, which the comment gives beside that of a local machine.
    of_production = {"LOCAL", "LOG_FORMAT", "LOG_LEVEL", "STAFF_SECOND_FACTOR"}
    differing = {
        name: (value, defaults[name])
        for name, value in documented().items()
        if name in defaults and name not in of_production and value.strip("'") != defaults[name]
    }
    assert differing == {}
    assert defaults.keys() <= documented().keys()


def as_text(value: object) -> str:
    """Return a default as a variable has it. A JSON object without members is blank."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value == "{}" else str(value)


def test_nonsense_in_a_variable_is_refused_with_its_name_and_an_example(read_all):
    for name, text in read_all["said"].items():
        assert text.startswith(name), text
        assert f"Example: {name}=" in text, text
    assert {"PORT", "HTTPS", "EMAIL_URL", "DATABASE_URL", "LOG_LEVEL", "API_RATE_USER"} <= read_all["said"].keys()


def test_documents_give_the_defaults_of_the_code(read_all):
    """`NAME` (7) and `NAME=7` in a document are the default, and every variable that is named there is read."""
    makes = set(re.findall(r"\$\((?:or \$\()?([A-Z_]+)\)", (ROOT / "Makefile").read_text()))
    known = read_all["defaults"].keys() | read_by_compose() | makes
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        text = document.read_text()
        for name, value in re.findall(r"`([A-Z][A-Z0-9_]+)` \((\d[\d,.]*)\)", text) + re.findall(
            r"\(`([A-Z][A-Z0-9_]+)`, (\d[\d,.]*)\)", text
        ):
            assert as_text(read_all["defaults"][name]) == value.replace(",", ""), f"{document.name}: {name}"
        for name in re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)=", text):
            assert name in known, f"{document.name}: {name}"
