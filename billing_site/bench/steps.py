"""One measurement in a process of its own: `python -m billing_site.bench.steps NAME JSON` prints JSON.

Its peak memory is then its own, and nothing warm is left for the next.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
django.setup()

from django.db import connection  # noqa: E402 - after django.setup

from billing_site import worker  # noqa: E402 - after django.setup
from billing_site.bench import billing, data, engine, place, posting, statements  # noqa: E402 - after django.setup

STEPS: dict[str, Callable[..., dict[str, Any] | None]] = {
    "migrate": place.migrate,
    "fill": data.fill,
    "billing_run": billing.run,
    "billing_set_based": billing.set_based,
    "billing_naive": billing.naive,
    "post_batches": posting.batches,
    "post_set_based": posting.set_based,
    "post_singly": posting.singly,
    "grow_history": statements.grow,
    "read_statements": statements.read,
    "check_ledger": statements.check,
    "engine": engine.months,
}


def main(name: str, arguments: str) -> None:
    """Say that it is ready, wait for the word, run the step, print what it measured and the megabytes it needed."""
    with connection.cursor() as cursor:
        # Filling a million rows takes longer than any request may.
        cursor.execute("SET statement_timeout = 0")
    worker.spare_the_garbage_collector()
    print("ready", flush=True)  # noqa: T201 - the parent reads it
    sys.stdin.readline()
    measured = STEPS[name](**json.loads(arguments)) or {}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(measured | {"peak_mb": round(peak, 1)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
