"""Calls to gateways by outcome, and how long they took. Web and workers make them, so they are added up in the cache.

It is the cache that has the circuit breaker's counts too. If it is emptied the counts begin again at zero, which
Prometheus takes for a restart.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, cast

from django.core.cache import cache
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from core.cache import ForgetfulRedisCache
from payments.gateways import guard, registry

KEY = "metrics:gateway-calls"
# Bounds of the histogram in seconds.
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
SUM = "microseconds"


def count(*, gateway: str, call: str, outcome: str, seconds: float | None, **_sent: Any) -> None:
    """Count a call (payments.gateways.guard.called). `seconds` is None for one that was not made."""
    fields = {f"{gateway}|{call}|{outcome}": 1}
    if seconds is not None:
        bound = next((str(bound) for bound in BOUNDS if seconds <= bound), "+Inf")
        fields |= {f"{gateway}|{call}||{bound}": 1, f"{gateway}|{call}||{SUM}": round(seconds * 1e6)}
    _cache().add_up(KEY, fields)


guard.called.connect(count, dispatch_uid="billing_site.metrics.gateways")


def collect() -> Iterator[Metric]:
    """Yield the metrics of the gateways."""
    calls = CounterMetricFamily(
        "billing_gateway_calls",
        "Calls to gateways: ok, refused, no_answer, paused by the breaker, or late: no time was left.",
        labels=["gateway", "call", "outcome"],
    )
    times: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for field, number in sorted(_cache().added_up(KEY).items()):
        gateway, call, outcome, *bound = field.split("|")
        if bound:
            times[gateway, call][bound[0]] = number
        else:
            calls.add_metric([gateway, call, outcome], number)
    yield calls
    yield _histogram(times)
    paused = GaugeMetricFamily(
        "billing_gateway_paused", "1 while the breaker refuses calls to a gateway.", labels=["gateway"]
    )
    for each in registry.configured():
        paused.add_metric([each.name], int(guard.is_paused(each.name)))
    yield paused


def _histogram(times: dict[tuple[str, str], dict[str, int]]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "billing_gateway_call_seconds", "Time that calls to gateways took.", labels=["gateway", "call"]
    )
    for labels, counts in times.items():
        total, buckets = 0, []
        for bound in (*map(str, BOUNDS), "+Inf"):
            total += counts.get(bound, 0)
            buckets.append((bound, float(total)))
        family.add_metric(list(labels), buckets, counts.get(SUM, 0) / 1e6)
    return family


def _cache() -> ForgetfulRedisCache:
    return cast(ForgetfulRedisCache, cache)
