"""A sweep over rows that are due at a gateway. Any number of workers may run one at the same time.

Each row is claimed by one worker, for a time that counts from the moment it is taken, and has its own try: one that
raises is noted and tried again later and later, then parked for staff; the others go on in the same run.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import F, Model, QuerySet

from core.retry import is_unreachable

log = structlog.get_logger(__name__)

# A claim lasts this long. If its worker dies, the row becomes due again.
LEASE = timedelta(minutes=2)
# The most rows that one run handles.
BATCH = 200
# A row that has raised so often in a row waits for staff.
MOST_FAILURES = 8
# How long a row waits after its first failure. The wait doubles each time, up to a day.
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(days=1)

Act = Callable[[Any, datetime], object]
Park = Callable[[Any, str, datetime], object]


def always() -> bool:
    """Go on to the last row that is due."""
    return True


def sweep(due: QuerySet[Any], act: Act, *, now: datetime, park: Park, goes_on: Callable[[], bool] = always) -> int:
    """Call `act(row, at)` for each of the rows that is due at `now`; return how many were handled.

    The rows have `check_at`, `checks` and `failures`. `at` is the time of that call: `now` and the whole seconds that
    have passed since. `park(row, reason, at)` is called for a row that has failed too often. `goes_on` is asked before
    each row: once it says no, the others stay due. Call it with no transaction open.
    """
    started = time.monotonic()
    for done in range(BATCH):
        if not goes_on():
            return done
        at = now + timedelta(seconds=int(time.monotonic() - started))
        row = claim(due, now=now, at=at)
        if row is None:
            return done
        try:
            act(row, at)
        except SoftTimeLimitExceeded:
            # The worker must stop. The claim runs out, and another one goes on.
            raise
        except Exception as error:
            if is_unreachable(error):
                # Nothing is known about the row. Its claim runs out, as after a crash.
                raise
            log.exception("swept_row_failed", row=str(row), failures=row.failures + 1)
            _put_off(row, error, at=at, park=park)
        else:
            if row.failures:
                _rows(row).update(failures=0)
    return BATCH


def claim(due: QuerySet[Any], *, now: datetime, at: datetime) -> Any | None:
    """Claim the row that has been due longest at `now`, until LEASE after `at`, and commit the claim.

    Return None if there is none left. Rows that another worker has locked are skipped.
    """
    with transaction.atomic():
        waiting = due.filter(check_at__lte=now).order_by("check_at")
        row = waiting.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
        if row:
            _rows(row).update(check_at=at + LEASE, checks=F("checks") + 1)
            row.checks += 1
    return row


def _put_off(row: Any, error: Exception, *, at: datetime, park: Park) -> None:
    """Let a row that raised wait, or park it."""
    failures = row.failures + 1
    wait = min(FIRST_WAIT * 2 ** min(failures - 1, 20), LONGEST_WAIT)
    _rows(row).update(failures=failures, check_at=at + wait)
    if failures >= MOST_FAILURES:
        park(row, f"Failed {failures} times: {type(error).__name__}: {error}"[:200], at)


def _rows(row: Model) -> QuerySet[Any]:
    return type(row)._default_manager.filter(pk=row.pk)
