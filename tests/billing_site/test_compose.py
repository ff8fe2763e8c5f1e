"""docker-compose.yml and the Dockerfile. `make lint` checks the former against the compose specification."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from billing_site.local import run

TEXT = (Path(settings.BASE_DIR) / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
LONG_RUNNING = ["postgres", "redis", "web", "worker", "payments-worker", "deliveries-worker", "beat"]


def test_it_has_the_services_of_the_product():
    assert set(SERVICES) == {*LONG_RUNNING, "migrate"}


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_each_service_has_a_health_check_and_restarts(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert "stop_grace_period" in SERVICES[name]


@pytest.mark.parametrize("name", ["web", "worker", "payments-worker", "deliveries-worker", "beat"])
def test_web_worker_and_scheduler_wait_for_the_migrations(name):
    needs = SERVICES[name]["depends_on"]
    assert needs["migrate"]["condition"] == "service_completed_successfully"
    assert needs["postgres"]["condition"] == needs["redis"]["condition"] == "service_healthy"


def test_every_queue_has_a_worker():
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    commands = [SERVICES[name]["command"] for name in ("worker", "payments-worker", "deliveries-worker")]
    served = {command[command.index("--queues") + 1] for command in commands}
    assert served == routed | {settings.CELERY_TASK_DEFAULT_QUEUE}
    assert served == {queue.name for queue in settings.CELERY_TASK_QUEUES}
    local = {command[command.index("--queues") + 1] for command in run.commands().values() if "--queues" in command}
    assert local == served


def test_there_is_exactly_one_scheduler():
    assert SERVICES["beat"]["deploy"]["replicas"] == 1


def test_data_is_kept_in_volumes():
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]
    assert "--appendonly" in SERVICES["redis"]["command"]


def test_foreign_images_are_pinned():
    foreign = [service["image"] for name, service in SERVICES.items() if name in ("postgres", "redis")]
    assert all(re.search(r":\d+\.\d+", image) for image in foreign)
    assert SERVICES["postgres"]["image"].startswith("postgres:18.")


def test_secrets_come_from_the_environment():
    secrets = re.findall(r"(\w*(?:SECRET|KEY|PASSWORD)\w*): (.+)", TEXT)
    assert secrets
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]+\}", value) for _, value in secrets)
    assert set(re.findall(r"://\w+:([^@\n]+)@", TEXT)) == {"${POSTGRES_PASSWORD:?set it in .env}"}


def test_the_image_does_not_run_as_root():
    dockerfile = (Path(settings.BASE_DIR) / "Dockerfile").read_text()
    assert re.search(r"^USER (?!root)\w+", dockerfile, re.MULTILINE)
    assert dockerfile.index("USER ") < dockerfile.index("CMD ")
