"""How long this process waits for the database: for the answer to a statement, and for a connection.

A server that is frozen, such as a virtual machine that is paused, and a network that loses everything send neither an
answer nor an error, and the limits that the server itself keeps (settings.SESSION_LIMITS) do not end there. Without a
limit on this side a thread would wait for ever.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg

# Seconds for a statement of a server process: longer than settings.SESSION_LIMITS lets it run.
ANSWER = 65.0
# Seconds for a statement of a web request: proxies wait for a minute, for all of its statements.
REQUEST = 20.0
# Seconds for an answer that costs the server nothing: whether it is there. As long as for a connection.
SIGN_OF_LIFE = 5.0
# Seconds for which a server that gave no sign of life is not asked again, so that threads are free meanwhile.
SKIPPED_FOR = 3.0

_of_process: float | None = None
_of_block: ContextVar[float | None] = ContextVar("seconds to wait for the database")


def limit_process(seconds: float = ANSWER) -> None:
    """Have all threads of this process, and those that it forks, wait so long for a statement.

    Programs that serve call it. A command that somebody has started waits as long as they do.
    """
    global _of_process
    _of_process = seconds


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Wait so long for each statement of the block, for ever if None."""
    before = _of_block.set(seconds)
    try:
        yield
    finally:
        _of_block.reset(before)


def seconds() -> float | None:
    """Return how long to wait for a statement now, None for ever."""
    return _of_block.get(_of_process)


class Silence:
    """Whether the server gives no sign of life. Then one thread at a time asks, and the others fail at once."""

    def __init__(self) -> None:
        self.asked_again_at = 0.0
        self.trial = threading.Lock()

    @property
    def is_known(self) -> bool:
        """Whether the last question had no answer."""
        return self.asked_again_at > 0

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Ask in the block, which raises psycopg.OperationalError if there is no answer. Raise it at once if known."""
        if not self.is_known:
            yield from self._ask()
        elif time.monotonic() < self.asked_again_at or not self.trial.acquire(blocking=False):
            raise psycopg.OperationalError("the database gave no answer a moment ago")
        else:
            try:
                yield from self._ask()
            finally:
                self.trial.release()

    def _ask(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.ConnectionTimeout:
            self.asked_again_at = time.monotonic() + SKIPPED_FOR
            raise
        except psycopg.Error:
            # Whatever it says, it is there.
            self.asked_again_at = 0.0
            raise
        self.asked_again_at = 0.0
