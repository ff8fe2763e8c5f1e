"""One log line for each request, with its route, duration and the cause of an error, and the same in the metrics."""

import re
import time
from contextvars import ContextVar
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from billing_site.metrics import requests
from billing_site.redaction import said
from core.retry import outage_behind

# A request id that a proxy or a caller sends is kept if it looks like one: a UUID, 32 hexadecimal digits, `req_...`.
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
# The longest cause that is written.
LONGEST = 500
# When the request of this thread began, on time.perf_counter's clock.
_began: ContextVar[float] = ContextVar("billing_site_request_began")


class RequestLog(RequestMiddleware):
    """Middleware: log each request by its route, because its path and query may contain secrets."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, log it and count it."""
        began = time.perf_counter()
        _began.set(began)
        if not REQUEST_ID.fullmatch(request.META.get("HTTP_X_REQUEST_ID", "")):
            request.META.pop("HTTP_X_REQUEST_ID", None)
        self.prepare(request)
        status = 500
        try:
            response: HttpResponse = self.get_response(request)  # type: ignore[assignment]
            status = response.status_code
            self.handle_response(request, response)
        finally:
            # Also if the error page itself cannot be rendered. The next request has a thread without these fields.
            structlog.contextvars.clear_contextvars()
            requests.count(request, status, time.perf_counter() - began)
        return response

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Log the request, unless an exception was logged for it."""
        fields = described(request)
        if response.status_code >= 500 and "cause" not in structlog.contextvars.get_contextvars():
            fields["cause"] = f"the view answered {response.status_code} {response.reason_phrase}"
        structlog.contextvars.bind_contextvars(**fields)
        super().handle_response(request, response)

    def _process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if outage_behind(exception):
            # No bug: billing_site.error_views answers 503, which is logged as such.
            return
        structlog.contextvars.bind_contextvars(**described(request), cause=cause_of(exception))
        super()._process_exception(request, exception)

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """Note who it is from, which asks the database; null if it cannot be reached."""
        try:
            RequestMiddleware.bind_user_id(request)
        except (DatabaseError, InterfaceError):
            structlog.contextvars.bind_contextvars(user_id=None)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return method and route, such as `GET api/payments/<slug:public_id>`."""
        return f"{requests.method_of(request)} {route_of(request)}"


def described(request: HttpRequest) -> dict[str, Any]:
    """Return the fields of a log line that say what was requested, and how long it took so far."""
    milliseconds = (time.perf_counter() - _began.get()) * 1000
    return {"method": requests.method_of(request), "route": route_of(request), "duration_ms": round(milliseconds, 1)}


def route_of(request: HttpRequest) -> str:
    """Return the route, such as `pay/<str:public_id>/`."""
    match = request.resolver_match
    return match.route if match else requests.NO_ROUTE


def note_cause(error: BaseException) -> None:
    """Have the log line of this request say which error is behind its answer. For answers with 5xx."""
    structlog.contextvars.bind_contextvars(cause=cause_of(error))


def cause_of(error: BaseException) -> str:
    """Return an error and the one that caused it, on one line without secrets and what PostgreSQL quotes."""
    errors = [error] if error.__cause__ is None else [error, error.__cause__]
    return " from ".join(dict.fromkeys(map(said, errors)))[:LONGEST]
