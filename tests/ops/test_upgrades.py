"""docs/ops/upgrade.md: its commands work, each migration can be taken back, and HUP loses no request."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml

from tests.flows.site import Site, wait_for
from tests.ops.migrate_back import APPS
from tests.ops.pages import ROOT, blocks, run

pytestmark = pytest.mark.timeout(400)
PAGE = "upgrade.md"
IN_CONTAINER = re.compile(r"^docker compose (?:run --rm --no-deps|exec) web (python .*)$", re.MULTILINE)


@pytest.mark.django_db(transaction=True)
def test_the_commands_before_and_after_a_release_work(child_environment: dict[str, str]) -> None:
    plan, check, _doctor, books = IN_CONTAINER.findall(blocks(PAGE, "Before", "sh") + blocks(PAGE, "Do it", "sh"))
    assert "No planned migration operations." in run(plan, child_environment)
    # `make lint` runs it, with settings of production.
    assert check.removeprefix("python ") in (ROOT / "Makefile").read_text()
    assert "Clean:" in run(books, child_environment)


def test_its_services_are_those_of_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    text = (ROOT / "docs/ops" / PAGE).read_text()
    named = set()
    for words in re.findall(r"^ *docker compose (.*)$", text, re.MULTILINE):
        arguments = [word for word in words.split(" python ")[0].split()[1:] if not word.startswith("-")]
        named |= set(arguments) - {"HUP"}
    assert named == {"web", "migrate", "beat", "worker", "payments-worker", "deliveries-worker"} & set(services)
    assert "BILLING_IMAGE" in services["web"]["image"]


@pytest.mark.django_db(transaction=True)
def test_each_migration_can_be_taken_back(child_environment: dict[str, str], empty_database: str) -> None:
    back = [line.split()[2:] for line in IN_CONTAINER.findall(blocks(PAGE, "The way back", "sh"))]
    steps = [["migrate"], *back, *(["migrate", app, "zero"] for app in APPS), ["count"], ["migrate"]]
    # In one process, because each start of manage.py takes seconds.
    environment = child_environment | {"DATABASE_URL": empty_database}
    done = subprocess.run(
        [sys.executable, "-m", "tests.ops.migrate_back", json.dumps(steps)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "left: 0 tables, 0 functions"


@pytest.mark.django_db(transaction=True)
def test_hup_replaces_the_processes_and_loses_no_request(child_environment: dict[str, str], tmp_path: Path) -> None:
    site = Site(child_environment, tmp_path)
    site.start_web()
    try:
        master = site.running["web"].pid
        before = children(master)
        os.kill(master, signal.SIGHUP)
        answers: list[int] = []

        def is_replaced() -> bool:
            answers.append(requests.get(f"{site.url}/livez", timeout=60).status_code)
            return bool(children(master)) and not children(master) & before

        wait_for(is_replaced, "new web processes")
        assert set(answers) == {200}
    finally:
        site.stop("web")


def children(pid: int) -> set[int]:
    """Return the processes that a process has started and that run."""
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
