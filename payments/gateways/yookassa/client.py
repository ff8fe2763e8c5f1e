"""HTTP with YooKassa's API, and its errors: every answer is a JSON object, or a GatewayError.

Nothing here knows what a payment is. A call waits for at most `guard.time_left()` seconds, body included.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import requests
import structlog
from django.conf import settings

from payments.gateways import http
from payments.gateways.errors import GatewayError

log = structlog.get_logger(__name__)

API_BASE = "https://api.yookassa.ru"
# The longest answer that is read, in bytes: a page of 100 payments has about 200 kB.
LONGEST = 4 * 1024 * 1024
# The most objects in one page of a list.
PAGE = 100
# Refusals that may be over a moment later: time-out, conflict, too early, too many requests.
PASSING = {408, 409, 425, 429}
_threads = threading.local()


def get(path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
    """Return the object at `path`, such as `payments/2c5d...`. Raises GatewayError."""
    return _call("GET", path, params=params)


def post(path: str, body: Mapping[str, Any], *, key: str) -> dict[str, Any]:
    """Create an object and return it. Within 24 hours the same key returns the same object. Raises GatewayError."""
    return _call("POST", path, json=body, headers={"Idempotence-Key": key})


def pages(path: str, params: Mapping[str, str | int]) -> Iterator[dict[str, Any]]:
    """Yield every object of a list, a page of it at a time. Raises GatewayError."""
    cursor, seen = "", set()
    while True:
        page = get(path, {**params, "limit": PAGE} | ({"cursor": cursor} if cursor else {}))
        items = page.get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise unreadable("a list without items")
        yield from items
        cursor = str(page.get("next_cursor") or "")
        if not cursor:
            return
        if cursor in seen:
            raise unreadable("a list that begins again")
        seen.add(cursor)


def base() -> str:
    """Return the origin of the API, without a slash at its end."""
    return str(settings.YOOKASSA_API_BASE or API_BASE).rstrip("/")


def unreadable(what: str) -> GatewayError:
    """Return the error for an answer that makes no sense. The outcome of the call is not known."""
    log.error("yookassa_answer_unreadable", answer=what)
    return GatewayError(f"YooKassa answered with {what}.", permanent=False, code="unreadable")


def _call(method: str, path: str, **more: Any) -> dict[str, Any]:
    credentials = (settings.YOOKASSA_SHOP_ID, settings.YOOKASSA_SECRET_KEY)
    try:
        response = _session().request(method, f"{base()}/v3/{path}", auth=credentials, allow_redirects=False, **more)
    except requests.Timeout as error:
        raise GatewayError("YooKassa did not answer in time.", permanent=False, code="timeout") from error
    except http.TooLong as error:
        raise unreadable("more than 4 MB") from error
    except (requests.RequestException, OSError) as error:
        detail = f"No answer of YooKassa: {type(error).__name__}."
        raise GatewayError(detail, permanent=False, code="no_answer") from error
    return _understood(method, response.status_code, response.content)


def _understood(method: str, status: int, body: bytes) -> dict[str, Any]:
    """Return the object of a good answer; raise the GatewayError that any other answer means."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    is_object = isinstance(answer, dict)
    if status == 200 and is_object and answer.get("type") != "error":
        return dict(answer)
    if status == 202:
        # It has taken the request, and tells the outcome to whoever repeats it with the same key.
        raise GatewayError("YooKassa is still processing the request.", permanent=False, code="processing")
    code = str(answer.get("code") or "") if is_object else ""
    if not code or not 400 <= status < 500:
        if status == 200 or not is_object:
            raise unreadable(f"status {status} and {len(body)} bytes that are no object of its API")
        raise GatewayError(f"YooKassa answered with status {status}.", permanent=False, code=code or "server_error")
    detail = f"YooKassa refused: {code}. {answer.get('description') or ''} {answer.get('parameter') or ''}".strip()
    if status == 401 or (status == 403 and method == "GET"):
        # Our key is wrong or lacks a right. That says nothing about the object that was asked for, and everything works
        # again once the key is corrected. A forbidden POST has made nothing, so that refusal is final.
        log.error("yookassa_refused_our_key", hint="Check YOOKASSA_SHOP_ID and YOOKASSA_SECRET_KEY.")
        raise GatewayError(detail, permanent=False, code=code)
    raise GatewayError(detail, permanent=status not in PASSING, code=code)


def _session() -> requests.Session:
    """Return this thread's session, which keeps its connections: sessions are not made for several threads."""
    if not hasattr(_threads, "session"):
        _threads.session = http.session(longest=LONGEST)
    session: requests.Session = _threads.session
    return session
