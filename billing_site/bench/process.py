"""Each step of a measurement in a process of its own, so that its peak memory is its own and nothing is warm yet.

A step is a function of this package, such as `billing.run`. `python -m billing_site.bench.process STEP JSON` runs one
in the database of DATABASE_URL and prints JSON.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from billing_site import garbage_collector
from billing_site.bench import database


def run(step: str, *, name: str, **arguments: Any) -> dict[str, Any]:
    """Run one step in the database `name` and return what it measured, with its peak memory as `peak_mb`."""
    return run_together(step, [arguments], name=name)[0]


def run_together(step: str, each: Iterable[dict[str, Any]], *, name: str) -> list[dict[str, Any]]:
    """Run a step once for each set of arguments, all at the same time.

    All begin when the last one is ready: otherwise some would measure while others still start.
    """
    processes = [_start(step, name=name, **arguments) for arguments in each]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [_result(process) for process in processes]


def _start(step: str, *, name: str, **arguments: Any) -> subprocess.Popen[str]:
    environment = os.environ | {"DATABASE_URL": database.url(name), "LOCAL": "1"}
    command = [sys.executable, "-m", "billing_site.bench.process", step, json.dumps(arguments)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, env=environment, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _result(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the end of a step and return what it measured."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the step {process.args!r} ended with exit code {process.returncode}")
    measured: dict[str, Any] = json.loads(output.splitlines()[-1])
    return measured


def main(step: str, arguments: str) -> None:
    """In the step's process: print `ready`, wait for a line, run the step, print what it measured."""
    django.setup()
    function = import_string(f"billing_site.bench.{step}")
    with connection.cursor() as cursor:
        # Filling a million rows takes longer than any request may.
        cursor.execute("SET statement_timeout = 0")
    garbage_collector.spare()
    print("ready", flush=True)  # noqa: T201 - the parent process reads it
    sys.stdin.readline()
    measured = function(**json.loads(arguments)) or {}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(measured | {"peak_mb": round(peak, 1)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
