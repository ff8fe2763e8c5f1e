"""One line in the log when the database or the broker goes away and one when it is back, whatever fails in between."""

import logging
import os
import struct
import time

import structlog

from billing_site.redaction import without_secrets

log = structlog.get_logger(__name__)


class Outage:
    """Whether a server is out of reach, known to this process and to those that it forks, such as a worker's pool.

    Each of two pipes holds a token or none: the first while all is well, the second while it is not. Reading a token is
    atomic, so exactly one process gets it, and that one writes the line.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.well, self.out = _Token(), _Token()
        self.well.put()

    def began(self, error: BaseException) -> None:
        """Log the cause, unless it is known that it is out of reach."""
        if self.well.take() is not None:
            self.out.put()
            cause = " ".join(str(without_secrets(error)).split())[:300]
            log.error("server_unreachable", server=self.server, error=type(error).__name__, cause=cause)

    def ended(self) -> None:
        """Log that it is back, if it was out of reach."""
        began = self.out.take()
        if began is not None:
            self.well.put()
            log.warning("server_reachable_again", server=self.server, seconds=round(time.time() - began, 1))


class BrokerLines(logging.Filter):
    """Takes Celery's own lines about the broker, one for each try to reach it, for the two lines of an outage."""

    AWAY = ("consumer: Cannot connect to", "consumer: Connection to broker lost", "beat: Connection error")
    BACK = "Connected to"

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        said = record.getMessage()
        if said.startswith(self.AWAY):
            causes = [each for each in record.args or () if isinstance(each, BaseException)]
            broker.began(causes[0] if causes else ConnectionError(said))
        elif said.startswith(self.BACK):
            broker.ended()
        return not said.startswith((*self.AWAY, self.BACK))


class _Token:
    """A pipe with at most one token, the time at which it was put there."""

    SHAPE = struct.Struct("d")

    def __init__(self) -> None:
        self.reads, self.writes = os.pipe()
        os.set_blocking(self.reads, False)

    def put(self) -> None:
        os.write(self.writes, self.SHAPE.pack(time.time()))

    def take(self) -> float | None:
        """Return when the token was put there and take it; None if there is none."""
        try:
            found: float = self.SHAPE.unpack(os.read(self.reads, self.SHAPE.size))[0]
        except BlockingIOError:
            return None
        return found


# Made before a worker forks its pool.
database = Outage("database")
broker = Outage("broker")
