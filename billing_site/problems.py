"""Turn exceptions under /api/ into `application/problem+json` (RFC 9457).

DRF calls `handler` for exceptions of its views; billing_site.error_views calls `respond` for what Django refuses.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, JsonResponse, UnreadablePostError
from django.utils.translation import gettext as _
from psycopg import errors as pg
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import set_rollback

from billing_site.error_codes import kind_of
from billing_site.request_log import note_cause
from core.errors import DomainError
from core.retry import is_unreachable

CONTENT_TYPE = "application/problem+json"
# Nothing was done and the request may be sent again: transactions collided, or a lock or statement timed out.
BUSY = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable, pg.QueryCanceled)
BUSY_SECONDS = 2
# Codes of DRF -> ours.
RENAMED = {
    "parse_error": "malformed",
    "authentication_failed": "invalid_token",
    "token_not_valid": "invalid_token",
    "bad_authorization_header": "invalid_token",
    "throttled": "too_many_requests",
    "error": "internal_error",
}


class Problem(Exception):
    """An error response: a code of billing_site.error_codes, its detail, and headers."""

    def __init__(
        self,
        code: str,
        detail: object,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.kind, self.detail = code, kind_of(code), str(detail)
        self.errors, self.headers, self.extra = list(errors), dict(headers or {}), dict(extra or {})
        if self.kind.status == 401:
            self.headers.setdefault("WWW-Authenticate", 'Bearer realm="api"')

    def body(self) -> dict[str, Any]:
        """Return the JSON object. Members of the RFC replace extra ones of the same name."""
        return {
            **self.extra,
            "type": f"/docs/errors/{self.code}",
            "title": str(self.kind.title),
            "status": self.kind.status,
            "detail": self.detail,
            "code": self.code,
            "errors": self.errors,
            "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        }


def handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the response to an exception of a view (EXCEPTION_HANDLER of DRF).

    Return None for a bug: Django logs it, and error_views.server_error answers.
    """
    problem = problem_of(exc)
    if problem is None:
        return None
    if problem.kind.status >= 500:
        note_cause(exc)
    set_rollback()
    return Response(problem.body(), problem.kind.status, headers=problem.headers, content_type=CONTENT_TYPE)


def respond(problem: Problem) -> JsonResponse:
    """Return the response for use outside DRF."""
    return JsonResponse(problem.body(), status=problem.kind.status, headers=problem.headers, content_type=CONTENT_TYPE)


def problem_of(exc: Exception) -> Problem | None:
    """Return the problem that an exception means to the caller, or None for a bug."""
    match exc:
        case Problem():
            return exc
        case DomainError():
            return _of_domain(exc)
        case DjangoValidationError():
            return _of_validation(as_serializer_error(exc))
        case exceptions.ValidationError():
            return _of_validation(exc.detail)
        case Http404():
            return Problem("not_found", _("Nothing was found at this address."))
        case PermissionDenied():
            return Problem("permission_denied", _("You do not have permission to do this."))
        case SuspiciousOperation() | UnreadablePostError():
            return _of_body(exc)
        case exceptions.APIException():
            return _of_drf(exc)
        case DatabaseError() | InterfaceError():
            return _of_database(exc)
    return None


def _of_domain(exc: DomainError) -> Problem:
    errors = [{"param": exc.param, "code": exc.code, "detail": str(exc.detail)}] if exc.param else []
    extra = dict(exc.extra)
    headers = {}
    retry_after = extra.pop("retry_after", BUSY_SECONDS if kind_of(exc.code).status == 503 else None)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Problem(exc.code, exc.detail, errors=errors, headers=headers, extra=extra)


def _of_validation(detail: Any) -> Problem:
    errors = list(_flat(detail, ""))
    first = errors[0] if errors else {"param": None, "detail": _("The request has errors.")}
    summary = f"{first['param']}: {first['detail']}" if first["param"] else str(first["detail"])
    return Problem("validation_failed", summary, errors=errors)


def _flat(detail: Any, path: str) -> Iterator[dict[str, Any]]:
    """Yield one error for each message; `param` is the path to it, such as `items.0.amount`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flat(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            yield from _flat(inner, path if isinstance(inner, str) else f"{path}.{index}".lstrip("."))
    else:
        yield {"param": path or None, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def _of_drf(exc: exceptions.APIException) -> Problem:
    headers = {}
    if isinstance(exc, exceptions.Throttled):
        headers["Retry-After"] = str(getattr(exc, "wait", None) or 1)
    if isinstance(exc.detail, Mapping):
        detail, code = str(exc.detail.get("detail", "")), str(exc.detail.get("code", exc.default_code))
    else:
        detail, code = str(exc.detail), str(getattr(exc.detail, "code", exc.default_code))
    code = RENAMED.get(code, code)
    if kind_of(code).status != exc.status_code:
        code = _code_for(exc.status_code)
    return Problem(code, detail, headers=headers)


def _of_body(exc: Exception) -> Problem:
    if isinstance(exc, RequestDataTooBig):
        return Problem(
            "too_large", _("A request body may have at most %d bytes.") % settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        )
    return Problem("bad_request", _("The request could not be read."))


def _code_for(status: int) -> str:
    """Return a general code for a status, for an exception whose own code does not fit its status."""
    plain = {401: "invalid_token", 403: "permission_denied", 404: "not_found", 409: "conflict", 503: "unavailable"}
    return plain.get(status, "bad_request" if status < 500 else "internal_error")


def _of_database(exc: DatabaseError | InterfaceError) -> Problem | None:
    cause = exc.__cause__
    if is_unreachable(exc):
        detail = _("The database cannot be reached at the moment. Send the same request again.")
        return Problem("unavailable", detail, headers={"Retry-After": str(BUSY_SECONDS)})
    if isinstance(exc, OperationalError) or isinstance(cause, BUSY):
        detail = _("The database is busy. Nothing was done. Send the same request again.")
        return Problem("unavailable", detail, headers={"Retry-After": str(BUSY_SECONDS)})
    if isinstance(exc, DataError):
        return Problem("bad_request", _("A value is too large or of the wrong type. Nothing was done."))
    if isinstance(exc, IntegrityError):
        return Problem("conflict", _("This conflicts with stored data. Nothing was done."))
    return None
