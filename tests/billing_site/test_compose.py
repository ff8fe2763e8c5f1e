"""docker-compose.yml, read as data. That it is valid by the compose specification, `make lint` checks."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings

TEXT = (Path(settings.BASE_DIR) / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
LONG_RUNNING = ["postgres", "redis", "web", "worker", "beat"]


def test_it_has_what_the_product_needs():
    assert set(SERVICES) == {*LONG_RUNNING, "migrate"}


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_each_service_is_watched_and_comes_up_again(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert "stop_grace_period" in SERVICES[name]


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_nothing_serves_before_the_database_is_migrated(name):
    waits_for = SERVICES[name]["depends_on"]
    assert waits_for["migrate"]["condition"] == "service_completed_successfully"
    assert waits_for["postgres"]["condition"] == waits_for["redis"]["condition"] == "service_healthy"


def test_there_is_one_scheduler():
    assert SERVICES["beat"]["deploy"]["replicas"] == 1


def test_data_outlives_the_containers():
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]
    assert "--appendonly" in SERVICES["redis"]["command"]


def test_images_are_pinned():
    foreign = [service["image"] for name, service in SERVICES.items() if name in ("postgres", "redis")]
    assert all(re.search(r":\d+\.\d+", image) for image in foreign)
    assert SERVICES["postgres"]["image"].startswith("postgres:18.")


def test_no_secret_is_inside():
    secrets = re.findall(r"(\w*(?:SECRET|KEY|PASSWORD)\w*): (.+)", TEXT)
    assert secrets
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]+\}", value) for _, value in secrets)
    assert set(re.findall(r"://\w+:([^@\n]+)@", TEXT)) == {"${POSTGRES_PASSWORD:?set it in .env}"}


def test_the_image_does_not_run_as_root():
    dockerfile = (Path(settings.BASE_DIR) / "Dockerfile").read_text()
    assert re.search(r"^USER (?!root)\w+", dockerfile, re.MULTILINE)
    assert dockerfile.index("USER ") < dockerfile.index("CMD ")
