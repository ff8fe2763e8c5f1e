"""Periodic tasks. The rows say what is due, so a task may be lost, be late or run twice."""

from celery import shared_task
from django.utils import timezone

from core import clock
from subscriptions import billing_run, daily, quotes, reminders


@shared_task
def bill_due() -> None:
    """Settle every book that is due by the database's clock."""
    billing_run.run_due(now=clock.now())


@shared_task
def remind_of_renewals() -> None:
    """Record the reminders of renewals that are due."""
    reminders.run_due(now=clock.now())


@shared_task
def forget_quotes() -> None:
    """Delete expired quotes that nobody accepted."""
    quotes.forget(now=timezone.now())


# It reads every charge, so it may take longer than other tasks, but not as long as the broker's visibility_timeout.
@shared_task(soft_time_limit=780, time_limit=840)
def roll_up_figures() -> int:
    """Roll up the figures of all closed days; return how many rows have changed."""
    return daily.roll_up(now=clock.now())
