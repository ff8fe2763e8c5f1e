"""The nightly run of all integrity checks, and the results that are kept."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from billing_site.integrity import Finding, look, renew_statistics, snapshot
from billing_site.redaction import said
from core.models import LedgerCheck

log = structlog.get_logger(__name__)

# How long results are kept.
KEPT = timedelta(days=400)
# A result that is older than this says nothing about the books any more: at least one night is missing.
OLDEST = timedelta(hours=26)
# How far in the future a result may be dated, as clocks of two servers differ. More is a wrong clock.
SKEW = timedelta(minutes=5)


def run(*, now: datetime) -> LedgerCheck:
    """Run every check in one snapshot and keep the result; one that does not come to an end is kept too, and raises."""
    began = time.monotonic()
    try:
        renew_statistics()
        with snapshot():
            findings = look()
    except Exception as error:
        seconds, text = time.monotonic() - began, said(error)[:300].replace("\x00", "")
        LedgerCheck.objects.create(started_at=now, seconds=seconds, checks=0, wrong=0, error=text)
        raise
    return keep(findings, now=now)


def keep(findings: Iterable[Finding], *, now: datetime) -> LedgerCheck:
    """Keep the result of a run that began at `now`, log an error if something is wrong, and forget old results."""
    found = list(findings)
    broken = [finding for finding in found if finding.count]
    result = LedgerCheck.objects.create(
        started_at=now,
        seconds=sum(finding.seconds for finding in found),
        checks=len(found),
        wrong=sum(finding.count for finding in broken),
        findings=[as_data(finding) for finding in broken],
    )
    if broken:
        log.error("books_are_broken", checks=[finding.check.name for finding in broken], rows=result.wrong)
    LedgerCheck.objects.filter(started_at__lt=now - KEPT).delete()
    return result


def as_data(finding: Finding) -> dict[str, object]:
    """Return a finding for a JSON column: values that JSON does not know are written as text."""
    rows = [
        {name: value if isinstance(value, int | str | None) else str(value) for name, value in row.items()}
        for row in finding.rows
    ]
    check = finding.check
    return {"name": check.name, "meaning": check.meaning, "wrong": finding.count, "rows": rows}


def last() -> LedgerCheck | None:
    """Return the result that was written last, whatever its date; None if there is none."""
    return LedgerCheck.objects.order_by("-pk").first()


def is_old(check: LedgerCheck, *, now: datetime) -> bool:
    """Return whether a result says nothing about today's books: it is too old, or its date is wrong."""
    return not -SKEW <= now - check.started_at <= OLDEST
