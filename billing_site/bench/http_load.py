"""HTTP load for the bench: the real web server on this process's database, and clients that wait only for answers."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection

import redis
from django.conf import settings

from billing_site.local.valkey import Valkey

# Databases of the embedded Valkey that nothing else uses. They are emptied before and after.
BROKER_DATABASE, CACHE_DATABASE = 2, 3
# Seconds that the web server may take to start or to answer.
PATIENCE = 60

# Sends one request and returns once it is answered.
Send = Callable[[], None]


def send_together(clients: Sequence[Send], seconds: float) -> list[float]:
    """Let each client send as fast as it is answered; return how many seconds each answer took."""
    times: list[float] = []
    failures: list[Exception] = []
    ready = threading.Barrier(len(clients))

    def run(send: Send) -> None:
        try:
            # The first one connects.
            send()
            ready.wait(timeout=PATIENCE)
            end = time.perf_counter() + seconds
            while (began := time.perf_counter()) < end:
                send()
                times.append(time.perf_counter() - began)
        except Exception as error:  # noqa: BLE001 - raised again below
            failures.append(error)
            ready.abort()

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return times


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    """Return the 50th and 99th percentile of these seconds, in milliseconds."""
    ordered = sorted(times)
    p50, p99 = (ordered[len(ordered) * percent // 100] * 1000 for percent in (50, 99))
    return p50, p99


def connect(port: int) -> HTTPConnection:
    """Return a connection to the web server, which it keeps."""
    return HTTPConnection("127.0.0.1", port, timeout=PATIENCE)


def ask(
    server: HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None,
    status: int = 200,
) -> None:  # fmt: skip
    """Send a request and read the answer. Raises RuntimeError for any other status."""
    server.request(method, path, body, dict(headers))
    answer = server.getresponse()
    text = answer.read()
    if answer.status != status:
        raise RuntimeError(f"{method} {path} was answered with {answer.status}: {text[:300]!r}")


@contextmanager
def web_server(**variables: str) -> Iterator[int]:
    """Run the web server of `make run` on this process's database, with these variables, and return its port."""
    valkey = Valkey(settings.VAR_DIR / "valkey")
    valkey.hold()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = os.environ | {
        "PORT": str(port), "CELERY_BROKER_URL": valkey.broker_url(BROKER_DATABASE),
        "CACHE_URL": valkey.cache_url(CACHE_DATABASE), **variables,
    }  # fmt: skip
    _empty(valkey)
    command = [sys.executable, "-m", "gunicorn", "--config", "python:billing_site.gunicorn"]
    server = subprocess.Popen(  # noqa: S603 - our own interpreter and server
        command, env=environment, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(server, port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)
        _empty(valkey)


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the web server takes connections. Raises RuntimeError if it has ended or takes too long."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as error:
            if server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the web server does not answer; its exit code is {server.poll()}") from error
            time.sleep(0.1)
        else:
            return


def _empty(valkey: Valkey) -> None:
    for database in (BROKER_DATABASE, CACHE_DATABASE):
        with redis.Redis(unix_socket_path=str(valkey.socket), db=database) as server:
            server.flushdb()
