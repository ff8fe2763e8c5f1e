"""A small HTTP server on 127.0.0.1 for fake gateways: requests and answers as plain data, and a simple hosted page."""

import html
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LARGEST_BODY = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the fake. `headers` have lower-case names; `query` has the pairs of the query in their order."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of the fake."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    # Send only half of the body, and then reset the connection.
    is_cut: bool = False


def as_json(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer with this content as JSON."""
    return Answer(status=status, body=json.dumps(content).encode(), headers=headers or {})


def redirect(url: str) -> Answer:
    """Return an answer that sends a browser to `url`."""
    return Answer(status=303, headers={"Location": url})


def page(title: str, lines: list[str], buttons: list[tuple[str, str]]) -> Answer:
    """Return a hosted page. Each button is the path that it posts to, and its label. All text is escaped."""
    text = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    forms = "".join(
        f'<form method="post" action="{html.escape(path)}"><button>{html.escape(label)}</button></form>'
        for path, label in buttons
    )
    heading = html.escape(title)
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{heading}</title><h1>{heading}</h1>{text}{forms}'
    )
    return Answer(body=body.encode(), content_type="text/html; charset=utf-8")


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 and gives every request to `respond`, in a thread of its own."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, respond: Callable[[Request], Answer | None]) -> None:
        """Listen on `port`, 0 for any. `respond` returns the answer, None to close the connection without one."""
        self.respond = respond
        super().__init__(("127.0.0.1", port), _Handler)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer in a thread within this block."""
        thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()
            thread.join(timeout=5)

    def server_bind(self) -> None:
        # The parent would ask for the machine's name, which may take seconds.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    """Reads one request and writes the answer, on a connection for each request."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        url, self.close_connection = urlsplit(self.path), True
        request = Request(
            method=self.command,
            path=url.path,
            query=tuple(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(min(length, LARGEST_BODY)),
        )
        answer = self.server.respond(request)
        if answer is None:
            return
        self.send_response(answer.status)
        headers = {"Content-Type": answer.content_type, "Connection": "close", **answer.headers}
        for name, value in {**headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.is_cut else answer.body)
        if answer.is_cut:
            # With no time to linger, closing sends a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Print no line for each request."""
