"""A comparison with a gateway while it runs: what it has found, its stored report, and one attempt to mend."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from payments.gateways.base import Gateway
from payments.models import Discrepancy, GatewayReport

log = structlog.get_logger(__name__)
Item = TypeVar("Item")

# The gateway's list is asked for so much at a time, so that a run needs the same memory however long its span.
WINDOW = timedelta(days=1)
CHUNK = 500


@dataclass(slots=True)
class Comparison:
    """One comparison while it runs, and its result. In a dry run nothing of it is stored."""

    gateway: Gateway
    report: GatewayReport
    now: datetime
    is_dry_run: bool = False
    found: list[Discrepancy] = field(default_factory=list)

    @property
    def left(self) -> list[Discrepancy]:
        """The discrepancies that are not mended."""
        return [row for row in self.found if not row.is_mended]

    def add(self, row: Discrepancy) -> None:
        """Note a discrepancy."""
        row.report = self.report
        self.found.append(row)

    def mend(self, found: Discrepancy, work: Callable[[], Discrepancy | None]) -> None:
        """Do the work and note the discrepancy that it returns, if any. A dry run does nothing and notes `found`."""
        result = found if self.is_dry_run else attempt(found, work)
        if result is not None:
            self.add(result)

    def post_fee(self, found: Discrepancy, post: Callable[[], object]) -> None:
        """Post a fee that is missing here and count it, or note `found` with the error. A dry run only counts it."""

        def work() -> None:
            post()

        failed = None if self.is_dry_run else attempt(found, work)
        if failed is None:
            self.report.fees_posted += 1
        else:
            self.add(failed)

    def save(self) -> None:
        """Store the report with its counts, and the discrepancies found since the last time."""
        self.report.left = len(self.left)
        self.report.mended = len(self.found) - self.report.left
        if not self.is_dry_run:
            self.report.save()
            Discrepancy.objects.bulk_create([row for row in self.found if row._state.adding])

    def windows(self) -> Iterator[tuple[datetime, datetime]]:
        """Yield the span of the report in parts of at most WINDOW."""
        since = self.report.since
        while since < self.report.until:
            end = min(since + WINDOW, self.report.until)
            yield since, end
            since = end


def attempt(found: Discrepancy, work: Callable[[], Discrepancy | None]) -> Discrepancy | None:
    """Do the work and return what it returns, or `found` with the error: one row that raises stops no other."""
    try:
        return work()
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        log.exception("discrepancy_not_mended", gateway_id=found.gateway_id)
        found.outcome = f"Left to staff. {type(error).__name__}: {error}"[:300]
        return found


def chunks(snapshots: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items of a list, CHUNK at a time."""
    rows = iter(snapshots)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
