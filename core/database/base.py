"""The backend, under the name by which Django looks for it."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import RV, PQGen
from psycopg.errors import ConnectionTimeout, _WaitTimeout

from core.database import patience

silence = patience.Silence()


class Connection(psycopg.Connection[Any]):
    """psycopg's connection, which is closed when a statement has no answer in time."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait as psycopg does, but for core.database.patience.seconds; raise OperationalError after that."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        seconds = patience.seconds()
        try:
            return super().wait(gen, interval, seconds)
        except _WaitTimeout:
            # The answer may still come, so nothing else can be asked here.
            self.close()
            raise ConnectionTimeout(f"the database gave no answer within {seconds} s") from None


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend with such connections."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; raise OperationalError at once if the server gave no sign of life a moment ago."""
        with silence.broken():
            connection = super().get_new_connection(conn_params)
        # Django lets nobody name the class, and psycopg's has no state beside that of its instances.
        connection.__class__ = Connection
        return connection

    def is_usable(self) -> bool:
        """Return whether the connection works."""
        if silence.is_known:
            return False
        with patience.within(patience.SIGN_OF_LIFE):
            usable: bool = super().is_usable()
        return usable
