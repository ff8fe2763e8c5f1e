"""The answer of /metrics: everything is read anew for each scrape."""

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from billing_site.metrics import gateways, part, requests, state

PARTS = {"state": state.collect, "gateways": gateways.collect, "requests": requests.collect}


class Everything(Collector):
    """All metrics, as prometheus_client wants them. A part that cannot be read is left out."""

    def collect(self) -> Iterable[Metric]:
        for name, collect in PARTS.items():
            yield from part.read(name, collect) or []


def registry() -> CollectorRegistry:
    """Return a registry of all metrics. Under gunicorn it has the requests of all workers."""
    made = CollectorRegistry(auto_describe=False)
    made.register(Everything())
    return made


def answer(request: HttpRequest) -> HttpResponse:
    """Return all metrics in the format that the scraper accepts: Prometheus' text or OpenMetrics."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry()), content_type=content_type)
