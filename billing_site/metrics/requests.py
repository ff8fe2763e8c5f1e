"""Requests by route and status, and webhooks by gateway. Added up in memory, in microseconds, with nothing to ask.

Under gunicorn the memory is a file that all its workers share (billing_site.metrics.multiprocess): a request that any
of them answered is in every scrape.
"""

import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import structlog
from django.conf import settings
from django.http import HttpRequest
from prometheus_client import Counter, Histogram
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from billing_site.metrics import allocation, multiprocess, part

log = structlog.get_logger(__name__)
allocation.install()

# Bounds of the histogram in seconds.
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
NO_ROUTE = "(no route)"
UNKNOWN = "(unknown)"

# No registry: one is built at each scrape (billing_site.metrics.page).
SECONDS = Histogram(
    "billing_request_seconds",
    "Time to answer a request, by method, route and status.",
    ["method", "route", "status"],
    buckets=BOUNDS,
    registry=None,
)
WEBHOOKS = Counter(
    "billing_webhooks_received_total",
    "Webhooks that came in, by gateway and answer.",
    ["gateway", "status"],
    registry=None,
)
# The series by their labels: finding one this way costs less than `labels`.
_series: dict[tuple[str, str, int], Histogram] = {}
# Set when counting has failed in this process.
_failed = threading.Event()


def count(request: HttpRequest, status: int, seconds: float) -> None:
    """Count a request that was answered with this status after so many seconds.

    Raises nothing: without memory, or without its files, this process counts nothing more.
    """
    if _failed.is_set():
        return
    try:
        observe(request, status, seconds)
    except Exception as error:
        _failed.set()
        log.exception("requests_not_counted", error=type(error).__name__)


def observe(request: HttpRequest, status: int, seconds: float) -> None:
    """Count as `count` does; raise OSError if the memory is full."""
    match = request.resolver_match
    key = (method_of(request), match.route if match else NO_ROUTE, status)
    series = _series.get(key)
    if series is None:
        series = _series[key] = SECONDS.labels(*map(str, key))
    series.observe(seconds)
    if match is not None and match.url_name == "webhook":
        WEBHOOKS.labels(gateway_of(match.kwargs["gateway"]), str(status)).inc()


def collect() -> Iterator[Metric]:
    """Yield the metrics: of all workers under gunicorn, else of this process."""
    folder = multiprocess.folder()
    if folder is None:
        yield from SECONDS.collect()
        yield from WEBHOOKS.collect()
    else:
        yield from merged(folder)


def merged(folder: Path) -> Iterable[Metric]:
    """Return what the files in the folder say together. One that cannot be read is left out, with a line in the log."""
    files = [str(path) for path in sorted(folder.glob("*.db"))]
    try:
        return _merged(files)
    except Exception:  # noqa: BLE001 - a file may hold anything
        return _merged([file for file in files if part.read(Path(file).name, partial(_merged, [file])) is not None])


def _merged(files: list[str]) -> list[Metric]:
    return list(MultiProcessCollector.merge(files, accumulate=True))  # type: ignore[no-untyped-call]


def gateway_of(name: str) -> str:
    """Return the name if a gateway of the code has it, else `(unknown)`: the path could have any text there."""
    return name if name in settings.GATEWAY_CLASSES else UNKNOWN


def method_of(request: HttpRequest) -> str:
    """Return the method, `other` for one that HTTP does not know: it could be any text."""
    return request.method if request.method in METHODS else "other"
