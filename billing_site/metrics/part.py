"""A part of /metrics: if it cannot be read, the other parts are answered all the same."""

from collections.abc import Callable, Iterable

import structlog
from prometheus_client.core import Metric

log = structlog.get_logger(__name__)


def read(name: str, collect: Callable[[], Iterable[Metric]]) -> list[Metric] | None:
    """Return the metrics that `collect` yields, or None, with a line in the log, if it raises anything."""
    try:
        return list(collect())
    except Exception as error:  # noqa: BLE001 - whatever it is, the other metrics are needed all the more
        log.warning("metrics_not_read", part=name, error=type(error).__name__)
        return None
