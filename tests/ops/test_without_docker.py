"""docs/ops/without-docker.md: its services run what docker-compose.yml runs, and its commands are there."""

import re
import shlex

import yaml

from tests.ops.pages import ROOT, blocks

PAGE = "without-docker.md"


def test_its_services_are_those_of_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    compose = [service["command"] for service in services.values() if service.get("command", [""])[0] == "celery"]
    lines = re.findall(r"ExecStart=/srv/billing/app/\.venv/bin/(.*)", blocks(PAGE, "Run", "ini"))
    said = [shlex.split(line.replace("%%", "%")) for line in lines]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert said[0] == ["gunicorn", "--config", "python:billing_site.gunicorn"]
    assert '"python:billing_site.gunicorn"' in dockerfile
    assert sorted(said[1:]) == sorted(compose)


def test_its_commands_are_there() -> None:
    install = blocks(PAGE, "Install", "sh")
    for command in re.findall(r"manage\.py (\w+)", install):
        assert command in ("migrate", "collectstatic", "check", "createsuperuser")
    assert (ROOT / "billing_site/local/translations.py").exists()
    assert "requirements.txt" in install
