"""Run jobs at the same time in real database sessions. No test lives here."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import Any, TypeVar

from django.db import connection

from core.errors import DomainError

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


def outcome_of(job: Callable[[], Any]) -> Callable[[], Any]:
    """Return a job that returns a DomainError instead of raising it."""

    def run() -> Any:
        try:
            return job()
        except DomainError as error:
            return error

    return run


def in_turns(turns: int, racers: Sequence[Callable[[int], R]]) -> list[list[R]]:
    """Let the racers start together, turn after turn; return their results by turn. Each gets the turn's number.

    Each keeps its thread and its connection, which makes turns cheap, and starts up to 2 ms late, so that each of them
    is first at times.
    """
    barrier = Barrier(len(racers))

    def run(racer: Callable[[int], R], delay: Random) -> list[R]:
        results = []
        try:
            connection.ensure_connection()
            for turn in range(turns):
                barrier.wait(timeout=30)
                time.sleep(delay.uniform(0, 0.002))
                results.append(racer(turn))
            return results
        except BaseException:
            # The others must not wait for this one.
            barrier.abort()
            raise
        finally:
            connection.close()

    with ThreadPoolExecutor(len(racers)) as pool:
        by_racer = list(pool.map(run, racers, (Random(number) for number in range(len(racers)))))
    return [list(results) for results in zip(*by_racer, strict=True)]
