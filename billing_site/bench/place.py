"""Where measurements happen: throw-away databases on the configured server, and a process of its own for each step."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

TEMPLATE = "bench_template"


def url(name: str) -> str:
    """The address of another database on the same server."""
    at = connection.settings_dict
    user = quote(at["USER"]) + (":" + quote(at["PASSWORD"]) if at["PASSWORD"] else "")
    host = at["OPTIONS"].get("host") or at["HOST"]
    return f"postgresql://{user}@/{name}?host={quote(str(host))}" + (f"&port={at['PORT']}" if at["PORT"] else "")


def create(name: str, template: str) -> None:
    """Make a database as a copy of another, in place of any left over."""
    drop(name)
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def drop(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def template() -> Iterator[None]:
    """Have an empty, migrated database to copy from while measuring, and leave nothing behind."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    create(TEMPLATE, "template0")
    try:
        step("migrate", database=TEMPLATE)
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'bench_%'")
            names = [name for (name,) in cursor.fetchall()]
        for name in names:
            drop(name)


def start(name: str, *, database: str, **arguments: Any) -> subprocess.Popen[str]:
    """Begin a step (a function of billing_site.bench.steps) in a process of its own."""
    environment = os.environ | {"DATABASE_URL": url(database), "LOCAL": "1"}
    command = [sys.executable, "-m", "billing_site.bench.steps", name, json.dumps(arguments)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, env=environment, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def together(name: str, each: Iterable[dict[str, Any]], *, database: str) -> list[dict[str, Any]]:
    """Run a step several times at once: all begin when the last is ready, or some would measure the others' start."""
    processes = [start(name, database=database, **arguments) for arguments in each]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    for process in processes:
        go(process)
    return [result(process) for process in processes]


def go(process: subprocess.Popen[str]) -> None:
    """Let a step that is ready begin."""
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a step that may begin and return what it measured."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the step {process.args!r} ended with {process.returncode}")
    measured: dict[str, Any] = json.loads(output.splitlines()[-1])
    return measured


def step(name: str, *, database: str, **arguments: Any) -> dict[str, Any]:
    """Run one step to its end."""
    return together(name, [arguments], database=database)[0]


def migrate() -> None:
    """Bring the step's own database to the current schema."""
    call_command("migrate", verbosity=0)
    connections.close_all()
