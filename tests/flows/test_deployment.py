"""The documented deployment: .env.example copied and filled, then web, workers and beat started as documented.

Once as plain programs that read .env themselves, and once as docker-compose.yml starts them: the same command lines,
environments and user, without Docker. A mail that a customer asks for must arrive, which takes all of them.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
import yaml
from django.conf import settings
from django.db import connection

from tests.events.mails import smtp_server
from tests.flows.site import free_port, wait_for
from tests.relay import Relay, relayed
from tests.settings import BROKER_DATABASE, VALKEY

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400), pytest.mark.django_db(transaction=True)]
ROOT = Path(settings.BASE_DIR)
PLAIN = {
    "web": "gunicorn --config python:billing_site.gunicorn",
    "worker": "celery --app billing_site worker --concurrency 1 --without-gossip --without-mingle",
    "beat": "celery --app billing_site beat --pidfile=",
}
PASSWORD = "it has / and ? and # and @ and % in it"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "tests", "docs", "__pycache__", ".*_cache", ".hypothesis")


class Deployment:
    """A copy of the checkout with a filled .env, beside real servers. Each program ends with the test."""

    def __init__(self, place: Path, postgres: Relay, valkey: Relay, mail: smtp_server.SmtpServer) -> None:
        self.place, self.postgres, self.valkey, self.mail = place, postgres, valkey, mail
        self.port = free_port()
        self.programs: dict[str, subprocess.Popen[bytes]] = {}

    def fill(self, **values: str) -> None:
        """Fill in what the first block of .env.example asks for, and `values`."""
        text = (ROOT / ".env.example").read_text()
        first = text[text.index("# --- Fill in all") : text.index("# --- Gateways")]
        filled = {
            "SECRET_KEY": "5Gq0vXyJtR8mWb2LzKd7NcPfUhSa3eTo-5Gq0vXyJtR8mWb2LzKd7",
            "JWT_SIGNING_KEY": "u1YwQk9ZrB6sEvM4xTj8HgDnCiLp2FaX-u1YwQk9Z",
            "MFA_KEYS": "b25seS1mb3ItdGVzdHMtMDAwMDAwMDAwMDAwMDAwMGE=",
            "POSTGRES_PASSWORD": f"'{PASSWORD}'",
            "SITE_URL": f"http://127.0.0.1:{self.port}",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.server_address[1]}",
        }
        assert filled.keys() == set(re.findall(r"^([A-Z_]+)=$", first, re.MULTILINE))
        secret = {"SANDBOX_WEBHOOK_SECRET": "whsec_Zm9yLXRoZS1jaGVjay1vbmx5LUhrN3BXcTJaeFYw"}
        for name, value in (filled | secret | {"PORT": str(self.port)} | values).items():
            text, count = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert count == 1, name
        (self.place / ".env").write_text(text)

    def start(self, name: str, command: list[str], environment: Mapping[str, str], prefix: list[str]) -> None:
        program = [*prefix, str(Path(sys.executable).parent / command[0]), *command[1:]]
        temporary = self.place / "tmp"
        temporary.mkdir(exist_ok=True)
        with (self.place / f"{name}.log").open("wb") as out:
            self.programs[name] = subprocess.Popen(
                program, cwd=self.place, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={"PATH": os.environ["PATH"], "TMPDIR": str(temporary), **environment},
            )  # fmt: skip

    def stop(self) -> None:
        for program in self.programs.values():
            program.terminate()
        for program in self.programs.values():
            program.wait(60)

    def log(self) -> str:
        return "".join(file.read_text() for file in sorted(self.place.glob("*.log")))

    def answers(self) -> bool:
        assert all(program.poll() is None for program in self.programs.values()), self.log()
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/livez", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False


@pytest.fixture
def deployment(collected: Path, tmp_path: Path) -> Iterator[Deployment]:
    place = tmp_path / "checkout"
    shutil.copytree(ROOT, place, ignore=LEFT_OUT)
    (place / "var").mkdir()
    (place / "var" / "static").symlink_to(collected)
    parameters = connection.get_connection_params()
    socket_file = Path(str(parameters["host"])) / f".s.PGSQL.{parameters.get('port', 5432)}"
    with ExitStack() as stack:
        server = redis.Redis.from_url(VALKEY.cache_url(BROKER_DATABASE))
        server.flushdb()
        stack.callback(server.flushdb)
        made = Deployment(
            place,
            stack.enter_context(relayed(socket_file)),
            stack.enter_context(relayed(VALKEY.socket)),
            stack.enter_context(smtp_server.serving({})),
        )
        stack.callback(made.stop)
        yield made


def urls(deployment: Deployment, *, user: str, password: str = "") -> dict[str, str]:
    """Return the addresses of the servers, and no address of the mail server."""
    database = f"postgresql://{user}{password}@127.0.0.1:{deployment.postgres.port}/{connection.settings_dict['NAME']}"
    broker = f"redis://127.0.0.1:{deployment.valkey.port}"
    return {
        "DATABASE_URL": database,
        "CELERY_BROKER_URL": f"{broker}/{BROKER_DATABASE}",
        "CACHE_URL": f"{broker}/{BROKER_DATABASE + 1}",
    }


def ask_for_a_mail(deployment: Deployment) -> None:
    """Have a password reset, and wait until a worker has sent its mail."""
    wait_for(deployment.answers, "the web server")
    visitor = requests.Session()
    page = f"http://127.0.0.1:{deployment.port}/password/reset/"
    form = visitor.get(page, timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
    assert token, form.text
    sent = {"csrfmiddlewaretoken": token[1], "email": "alice@example.com"}
    assert visitor.post(page, data=sent, headers={"Referer": page}, timeout=30).ok
    wait_for(lambda: deployment.mail.taken or not deployment.answers(), "the mail")
    assert f"http://127.0.0.1:{deployment.port}/password/reset/key/" in deployment.mail.taken[0].replace("=\n", "")


def user() -> str:
    return str(connection.get_connection_params()["user"])


def test_a_copied_and_filled_file_starts_web_worker_and_beat(deployment, alice):
    deployment.fill(**urls(deployment, user=user()))
    for name, command in PLAIN.items():
        deployment.start(name, command.split(), {}, [])
    ask_for_a_mail(deployment)
    assert PASSWORD not in deployment.log()


# --- As docker-compose.yml starts them ------------------------------------------------------------------------------


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    """Return the value with ${NAME}, ${NAME:-default} and ${NAME:?error} replaced, as compose does; $$ is $."""
    if isinstance(value, dict):
        return {key: interpolated(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    pattern = r"\$\{(\w+)(?::([-?])([^${}]*))?\}"
    while found := re.search(pattern, value):
        name, kind, rest = found.groups()
        filled = variables.get(name, "")
        assert filled or kind != "?", f"{name}: {rest}"
        value = value[: found.start()] + (filled or (rest if kind == "-" else "")) + value[found.end() :]
    return value.replace("$$", "$")


def read(file: Path) -> dict[str, str]:
    """Return the variables of a .env file as compose reads them."""
    pairs = re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", file.read_text(), re.MULTILINE)
    return {name: value.strip("'") for name, value in pairs}


def test_composes_services_start_with_their_commands_environments_and_user(deployment, alice):
    deployment.fill()
    variables = read(deployment.place / ".env")
    services = interpolated(
        yaml.safe_load((deployment.place / "docker-compose.yml").read_text())["services"], variables
    )
    image = dict(re.findall(r"\b(\w+)=(\S+)", re.findall(r"^ENV (.*)$", (ROOT / "Dockerfile").read_text(), re.M)[-1]))
    assert image == {"HOST": "0.0.0.0"}
    default = yaml.safe_load(re.findall(r"^CMD (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1])
    where = urls(deployment, user="billing")
    for name in ("web", "worker", "payments-worker", "deliveries-worker", "beat"):
        service = services[name]
        environment = image | variables | service["environment"]
        # The names of other containers, which only Docker resolves, and the database of this test.
        assert environment["DATABASE_URL"] == "postgresql://billing@postgres:5432/billing"
        environment |= where | {"DATABASE_URL": where["DATABASE_URL"].replace("billing@", f"{user()}@")}
        (deployment.place / ".env").unlink(missing_ok=True)
        deployment.start(name, service.get("command", default), environment, as_user_of_the_image())
    ask_for_a_mail(deployment)
    assert services["web"]["ports"] == [f"127.0.0.1:{deployment.port}:{deployment.port}"]
    with (deployment.place / "web.log").open() as log:
        assert f"Listening at: http://0.0.0.0:{deployment.port}" in log.read()
    for name in ("web", "worker", "payments-worker", "deliveries-worker", "beat"):
        kind, *check = services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        tried = subprocess.run(
            [sys.executable, *check[1:]], cwd=deployment.place, capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": os.environ["PATH"], "TMPDIR": str(deployment.place / "tmp")} | image | variables
            | services[name]["environment"],
        )  # fmt: skip
        assert tried.returncode == 0, f"{name}: {tried.stderr}"
    deployment.programs["beat"].terminate()
    deployment.programs["beat"].wait(60)


def as_user_of_the_image() -> list[str]:
    """Return the prefix of a command that runs it as the user of the image, where this system allows that."""
    [number] = re.findall(r"useradd .*--uid (\d+)", (ROOT / "Dockerfile").read_text())
    prefix = ["unshare", "--user", f"--map-user={number}", f"--map-group={number}"]
    try:
        allowed = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    return prefix if allowed else []
