"""Run jobs at the same time in real database sessions. No test lives here."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

R = TypeVar("R")


def at_once(jobs: Sequence[Callable[[], R]]) -> list[R]:
    """Start all jobs together, each in a thread with its own connection; return the results in order."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], R]) -> R:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))
