"""The pages for machines: the probes /livez and /readyz, and for operators /statusz and /metrics.

They are answered before any other middleware, so that they need no host name, TLS or session. None of them ever
answers 500.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from billing_site import ledger_checks, operators, status, task_runs
from billing_site.metrics import page
from core import clock
from core.database import patience

log = structlog.get_logger(__name__)

OK, FAILING = "ok", "failing"


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: answer the pages for machines and pass on every other request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        answer = PAGES.get(request.path_info)
        if answer is None:
            return get_response(request)
        with patience.within(patience.SIGN_OF_LIFE if answer is readyz else patience.REQUEST):
            return answer(request)

    return middleware


def livez(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process answers."""
    return JsonResponse({"status": OK})


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if this process can serve requests, else 503: it needs the database, with every migration.

    Broker, worker and scheduler are no part of it: without them pages are served and payments are taken.
    """
    parts = {"database": checked(database)}
    if parts["database"] == OK:
        parts["migrations"] = checked(migrations)
    is_ready = all(part == OK for part in parts.values())
    answer = {"status": OK if is_ready else FAILING, "checks": parts}
    return JsonResponse(answer, status=200 if is_ready else 503)


def statusz(request: HttpRequest) -> HttpResponse:
    """Answer what the site is doing, for operators: 200, or 503 if something does not work."""
    refused = operators.refusal(request)
    if refused is not None:
        return refused
    try:
        parts = status_parts(now=clock.now())
    except Exception as error:  # noqa: BLE001 - whatever it is, the page must say that something is wrong
        log.warning("status_not_read", error=type(error).__name__)
        parts = {"database": {"status": "unreachable"}}
    failing = sorted(name for name, part in parts.items() if part["status"] != OK)
    answer = {"status": FAILING if failing else OK, "failing": failing, **parts}
    return JsonResponse(answer, status=503 if failing else 200)


def metrics_page(request: HttpRequest) -> HttpResponse:
    """Answer the metrics in the format of Prometheus, for operators."""
    refused = operators.refusal(request)
    if refused is not None:
        return refused
    try:
        return page.answer(request)
    except Exception as error:  # noqa: BLE001 - a scrape that fails is 503, as if the site were down
        log.warning("metrics_not_read", part="page", error=type(error).__name__)
        return HttpResponse(status=503)


def status_parts(*, now: datetime) -> dict[str, dict[str, Any]]:
    """Return each part of the site at `now`, the database's time. Each has a `status`: `ok` or what is wrong."""
    tasks = task_runs.states(now=now)
    books, beat = status.books(now=now), status.beat_age(now=now)
    return {
        "database": {"status": OK},
        "migrations": {"status": migrations()},
        "beat": {"status": "silent" if status.is_silent(beat) else OK, "seconds_ago": _rounded(beat)},
        "worker": workers(tasks),
        "broker": broker(),
        "cache": {"status": cache.trouble() or OK},  # type: ignore[attr-defined]
        "books": {"status": "overdue" if books.overdue or books.held_back else OK, **_figures(books)},
        "tasks": {
            "status": "late" if any(task.is_late for task in tasks) else OK,
            "late": [task.task for task in tasks if task.is_late],
            "all": {task.task: _figures(task) for task in tasks},
        },
        "check_ledger": last_check(now=now),
        # Staff decide about these; the site works.
        "parked": {"status": OK, **status.parked()},
        "waiting": {"status": OK, **status.waiting(now=now)},
    }


def workers(tasks: list[task_runs.TaskState]) -> dict[str, Any]:
    """Return for each queue how long ago a worker last ended one of its tasks; silent if that is too long ago."""
    ages: dict[str, float | None] = dict.fromkeys(sorted({task.queue for task in tasks}))
    for task in tasks:
        known = [age for age in (ages[task.queue], task.finished_ago) if age is not None]
        ages[task.queue] = min(known, default=None)
    limit = task_runs.PATIENCE.total_seconds()
    silent = [queue for queue, age in ages.items() if age is None or age > limit]
    return {
        "status": f"silent: {', '.join(silent)}" if silent else OK,
        "queues": {queue: {"last_task_seconds_ago": _rounded(age)} for queue, age in ages.items()},
    }


def broker() -> dict[str, Any]:
    """Return the length of each queue and whether the broker takes more tasks, or that it cannot be reached."""
    try:
        found = status.broker()
    except Exception as error:  # noqa: BLE001 - the libraries of brokers raise errors of many kinds
        return {"status": "unreachable", "error": type(error).__name__}
    if found.refusal:
        return {"status": "takes no tasks", "error": found.refusal, "queues": found.queues}
    return {"status": OK, "queues": found.queues}


def last_check(*, now: datetime) -> dict[str, Any]:
    """Return the result of the last ledger check."""
    check = ledger_checks.last()
    if check is None:
        return {"status": OK, "at": None}
    is_old = ledger_checks.is_old(check, now=now)
    words = "failed" if check.error else "broken" if check.wrong else "old" if is_old else OK
    figures = {"seconds": round(check.seconds, 3), "checks": check.checks, "wrong": check.wrong, "error": check.error}
    return {"status": words, "at": check.started_at.isoformat(), **figures}


def checked(part: Callable[[], str]) -> str:
    """Return what a check says, or `unreachable` if it raises anything."""
    try:
        return part()
    except Exception as error:  # noqa: BLE001 - a probe answers 503, never 500
        log.warning("probe_failed", part=part.__name__, error=type(error).__name__)
        return "unreachable"


def database() -> str:
    """Check that the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def migrations() -> str:
    """Check that the database has every migration of the code."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{missing} not applied" if missing else OK


def _figures(row: Any) -> dict[str, Any]:
    return {name: _rounded(value) if isinstance(value, float) else value for name, value in row._asdict().items()}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


PAGES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/livez": livez, "/livez/": livez,
    "/readyz": readyz, "/readyz/": readyz,
    "/statusz": statusz, "/statusz/": statusz,
    "/metrics": metrics_page, "/metrics/": metrics_page,
}  # fmt: skip
