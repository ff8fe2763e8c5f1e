"""HTTP whose whole answer has a deadline. The time-outs of `requests` are for each read, however many there are."""

import http.client
import io
import socket
import time
from contextvars import ContextVar
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError

from payments.gateways import guard

# The part of the time left that connecting may take, and the most of it in seconds. The rest is for the answer.
CONNECTING, LONGEST_CONNECTING = 0.3, 3.0
# When the call that is made now must have its whole answer, on time.monotonic's clock.
_end: ContextVar[float] = ContextVar("payments_gateways_http_end")


class TooLong(requests.RequestException):
    """The body of the answer is longer than anything that the gateway sends."""


class DeadlineAdapter(HTTPAdapter):
    """Waits for an answer, from its first byte to its last, for at most `guard.time_left()` seconds.

    Whatever time-out is asked for does not count. Raises requests.Timeout after that, and TooLong for a body of more
    than `longest` bytes.
    """

    def __init__(self, *, longest: int) -> None:
        self._longest = longest
        super().__init__()

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Make the pool of connections, which read until the deadline."""
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        """Return the pool of connections through a proxy, which do the same."""
        manager = super().proxy_manager_for(proxy, **named)
        if isinstance(manager, ProxyManager):
            manager.pool_classes_by_scheme = POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **named: Any) -> requests.Response:
        """Send a request and return its response, whose body has been read."""
        seconds = guard.time_left()
        to_connect = min(LONGEST_CONNECTING, seconds * CONNECTING)
        named |= {"stream": True, "timeout": (to_connect, seconds - to_connect)}
        token = _end.set(time.monotonic() + seconds)
        try:
            response = super().send(request, *args, **named)
            response.raw = io.BytesIO(self._read(response))
        finally:
            _end.reset(token)
        return response

    def _read(self, response: requests.Response) -> bytes:
        """Return the decoded body, and give the connection back. Raises requests.RequestException."""
        body = b""
        try:
            while part := response.raw.read1(64 * 1024, decode_content=True):
                body += part
                if len(body) > self._longest:
                    raise TooLong(f"The body is longer than {self._longest} bytes.")
        except ReadTimeoutError as error:
            raise requests.ReadTimeout(error, request=response.request) from error
        except HTTPError as error:
            raise requests.ConnectionError(error, request=response.request) from error
        finally:
            # A connection whose body was not read to its end is closed.
            response.close()
        return body


def session(*, longest: int) -> requests.Session:
    """Return a session that keeps its connections. Make one for each thread."""
    made = requests.Session()
    for scheme in ("https://", "http://"):
        made.mount(scheme, DeadlineAdapter(longest=longest))
    return made


class _UntilEnd(io.RawIOBase):
    """Reads from a socket until the deadline, however little each read brings. Raises TimeoutError after that."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, end: float) -> None:
        self._raw, self._sock, self._end = raw, sock, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("The answer did not come in time.")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose status line and headers, too, must come before the deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        self.fp: io.BufferedReader = io.BufferedReader(_UntilEnd(self.fp.detach(), sock, _end.get()))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}
