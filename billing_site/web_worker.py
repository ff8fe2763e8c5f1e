"""gunicorn's worker, except that requests which it refuses before Django sees them are answered with a problem too."""

import contextlib
import json
import uuid
from typing import Any

import structlog
from django.utils.translation import override
from gunicorn.http import errors
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from billing_site.error_codes import kind_of

# What the client did wrong -> the code of the answer. gunicorn answers any other exception itself.
CODES: dict[type[Exception], str] = {
    errors.LimitRequestLine: "uri_too_long",
    errors.LimitRequestHeaders: "headers_too_large",
    errors.InvalidRequestLine: "bad_request",
    errors.InvalidRequestMethod: "bad_request",
    errors.InvalidHTTPVersion: "bad_request",
    errors.InvalidHeader: "bad_request",
    errors.InvalidHeaderName: "bad_request",
    errors.ObsoleteFolding: "bad_request",
}
REASONS = {400: "Bad Request", 414: "URI Too Long", 431: "Request Header Fields Too Large"}


class Worker(ThreadWorker):
    """A worker with threads. Its answers to requests that cannot be read are `application/problem+json` (RFC 9457)."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer a request that could not be read, in English: its headers, and so its language, are not known."""
        code = CODES.get(type(exc))
        if code is None:
            super().handle_error(req, client, addr, exc)
            return
        request_id = str(uuid.uuid4())
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            self.log.warning("Invalid request: %s", exc)
        # The client may be gone.
        with contextlib.suppress(OSError):
            write_nonblock(client, _answer(code, _detail(exc, self.cfg), request_id))


def _detail(exc: Exception, config: Any) -> str:
    if isinstance(exc, errors.LimitRequestLine):
        return f"The first line of a request may have at most {config.limit_request_line} bytes."
    if isinstance(exc, errors.LimitRequestHeaders):
        count, size = config.limit_request_fields, config.limit_request_field_size
        return f"A request may have at most {count} headers, each with at most {size} bytes."
    return str(exc)[:300]


def _answer(code: str, detail: str, request_id: str) -> bytes:
    """Return the whole response, as billing_site.problems would render it."""
    kind = kind_of(code)
    with override("en"):
        problem = {
            "type": f"/docs/errors/{code}",
            "title": str(kind.title),
            "status": kind.status,
            "detail": detail,
            "code": code,
            "errors": [],
            "request_id": request_id,
        }
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {kind.status} {REASONS[kind.status]}\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
