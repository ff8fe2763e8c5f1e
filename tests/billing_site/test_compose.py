"""docker-compose.yml and the Dockerfile. `make lint` checks the former against the compose specification."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from billing_site.local import run

TEXT = (Path(settings.BASE_DIR) / "docker-compose.yml").read_text()
DOCKERFILE = (Path(settings.BASE_DIR) / "Dockerfile").read_text()
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


def test_every_image_is_pinned_by_its_digest():
    foreign = [SERVICES[name]["image"] for name in ("postgres", "redis")] + re.findall("^FROM (\\S+)", DOCKERFILE, re.M)
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}", image) for image in foreign), foreign
    assert SERVICES["postgres"]["image"].startswith("postgres:18.")


@pytest.mark.parametrize("name", [*LONG_RUNNING, "migrate"])
def test_each_service_is_confined(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    limits = service["deploy"]["resources"]["limits"]
    assert limits["memory"]
    assert limits["pids"]
    # Only the entrypoints of the two servers, which change their user, keep some rights.
    assert set(service.get("cap_add", [])) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert ("cap_add" in service) == (name in ("postgres", "redis"))


@pytest.mark.parametrize("name", ["web", "worker", "payments-worker", "deliveries-worker", "beat"])
def test_the_health_check_of_a_service_asks_only_that_service(name):
    kinds = {"worker": "billing", "payments-worker": "payments", "deliveries-worker": "deliveries"}
    command = ["CMD", "python", "-m", "billing_site.probe", kinds.get(name, name)]
    assert SERVICES[name]["healthcheck"]["test"] == command
    if "worker" in name:
        assert f"{kinds[name]}@%h" in SERVICES[name]["command"]


def test_the_final_image_has_no_build_tools():
    final = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    assert "pip uninstall" in final
    # Debian's packages are libraries that are loaded at run time; none is for building.
    [wanted] = re.findall(r"apt-get install((?: [\w.-]+)+)", DOCKERFILE)
    packages = [word for word in wanted.split() if not word.startswith("--")]
    assert packages == ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"]
    assert "rm -rf /var/lib/apt/lists/*" in final
    assert "--only-binary :all:" in DOCKERFILE


def test_secrets_come_from_the_environment():
    secrets = re.findall(r"(\w*(?:SECRET|KEY|PASSWORD)\w*): (.+)", TEXT)
    assert secrets
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]+\}", value) for _, value in secrets)
    # A password in a URL would have to be encoded.
    assert re.findall(r"://\w+:([^@\n]+)@", TEXT) == []


def test_the_image_does_not_run_as_root():
    assert re.search(r"^USER (?!root)\w+", DOCKERFILE, re.MULTILINE)
    assert DOCKERFILE.index("USER ") < DOCKERFILE.index("CMD ")
