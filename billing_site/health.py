"""The health probes /livez and /readyz.

They are answered before any other middleware, so that a probe needs no host name, TLS or session. They name what
fails, and nothing that would help an attacker.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

import structlog
from django.core.cache import cache, caches
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError

from billing_site.celery import app
from core import clock
from core.cache import ForgetfulRedisCache

logger = structlog.get_logger(__name__)

TICK = "last-billing-run"
# Billing runs come every minute. Three missed ones mean that worker or scheduler is down.
OLDEST_TICK = timedelta(minutes=3)
# Requests are dated by this machine's clock, so it must not take any while it is further off than this.
FURTHEST_OFF = timedelta(seconds=60)
OK = "ok"


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: answer the two probes and pass on every other request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        match request.path_info.rstrip("/"):
            case "/livez":
                return JsonResponse({"status": OK})
            case "/readyz":
                return readiness(now=datetime.now(UTC))
            case _:
                return get_response(request)

    return middleware


def readiness(*, now: datetime) -> JsonResponse:
    """Return 200 if everything is ready, else 503. Each part says `ok` or what is wrong."""
    parts = {"database": database()}
    if parts["database"] == OK:
        parts |= {"clock": clocks(now=now), "migrations": migrations(), "last_billing_run": tick(now=now)}
    parts["broker"] = broker()
    ready = all(part == OK for part in parts.values())
    return JsonResponse({"status": OK if ready else "failing", "checks": parts}, status=200 if ready else 503)


def database() -> str:
    """Check that the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return OK


def clocks(*, now: datetime) -> str:
    """Compare this machine's clock with the database's, which billing uses."""
    off = abs(now - clock.now())
    return OK if off <= FURTHEST_OFF else f"{int(off.total_seconds())} s off the database's"


def migrations() -> str:
    """Check that the database has every migration of the code."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{missing} not applied" if missing else OK


def broker() -> str:
    """Check that the broker accepts a connection, with one try."""
    try:
        with app.connection_for_write() as broker_connection:
            broker_connection.ensure_connection(max_retries=1, timeout=1)
    except (OperationalError, OSError):
        return "unreachable"
    return OK


def tick(*, now: datetime) -> str:
    """Check that a worker finished a billing run within OLDEST_TICK."""
    if not cast(ForgetfulRedisCache, caches["default"]).is_reachable():
        return "not known: the cache is unreachable"
    last = cache.get(TICK)
    if last is None:
        return "none yet"
    return OK if now - last <= OLDEST_TICK else f"{int((now - last).total_seconds())} s ago"


def tick_finished(*, now: datetime) -> None:
    """Record in the cache, for a day, that a worker finished a billing run."""
    cache.set(TICK, now, timeout=24 * 3600)
