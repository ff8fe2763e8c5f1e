"""The answer of /metrics: a registry that is built for each scrape."""

import os
from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from billing_site.metrics import gateways, multiprocess, requests, state


class Source(Collector):
    """A function that yields metrics, as prometheus_client wants it."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


def registry() -> CollectorRegistry:
    """Return a registry of all metrics. Under gunicorn it has the requests of all workers."""
    made = CollectorRegistry(auto_describe=False)
    made.register(Source(state.collect))
    made.register(Source(gateways.collect))
    if multiprocess.VARIABLE in os.environ:
        MultiProcessCollector(made)  # type: ignore[no-untyped-call]
    else:
        made.register(requests.SECONDS)
        made.register(requests.WEBHOOKS)
    return made


def answer(request: HttpRequest) -> HttpResponse:
    """Return all metrics in the format that the scraper accepts: Prometheus' text or OpenMetrics."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry()), content_type=content_type)
