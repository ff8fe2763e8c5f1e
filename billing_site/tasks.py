"""Periodic tasks about the site as a whole."""

from celery import shared_task

from billing_site import ledger_checks
from core import clock


# It reads every row of the books, so it may take longer than other tasks, but not as long as the broker's
# visibility_timeout.
@shared_task(soft_time_limit=780, time_limit=840)
def check_ledger() -> None:
    """Run every integrity check and keep the result."""
    ledger_checks.run(now=clock.now())
