"""Fixtures for a site of real processes on the test's database, broker and cache."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from tests.flows.site import Site
from tests.relay import Relay, relayed
from tests.settings import BROKER_DATABASE, VALKEY


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Collect the static files, hashed and compressed, once per session, because it takes some seconds."""
    var = tmp_path_factory.mktemp("collected")
    environment = os.environ | {"VAR_DIR": str(var), "DJANGO_SETTINGS_MODULE": "billing_site.settings", "LOCAL": "1"}
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, env=environment, cwd=settings.BASE_DIR, check=True, timeout=120)
    return var / "static"


@pytest.fixture
def site(transactional_db: None, child_environment: dict[str, str], collected: Path, tmp_path: Path) -> Iterator[Site]:
    """A site of which nothing runs yet, on an empty broker. Everything that a test starts is stopped at its end."""
    (tmp_path / "static").symlink_to(collected)
    with redis.Redis.from_url(VALKEY.cache_url(BROKER_DATABASE)) as broker:
        broker.flushdb()
        site = Site(child_environment, tmp_path)
        try:
            yield site
        finally:
            site.stop(*site.running)
            broker.flushdb()


@pytest.fixture
def relay(site: Site) -> Iterator[Relay]:
    """Let the processes of the site reach the database by a relay."""
    parameters = connection.get_connection_params()
    file = Path(str(parameters["host"])) / f".s.PGSQL.{parameters.get('port', 5432)}"
    with relayed(file) as relay:
        where = f"{parameters['user']}@127.0.0.1:{relay.port}/{parameters['dbname']}"
        site.environment["DATABASE_URL"] = f"postgresql://{where}"
        try:
            yield relay
        finally:
            # Before the relay: a scheduler that stops writes to the database.
            site.stop(*site.running)
