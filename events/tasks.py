"""Celery tasks of events. A task may be lost, late or run twice: the rows hold what is due."""

from celery import shared_task

from core import clock
from events.mails import delivery, fan_out, retention


@shared_task
def collect_mails() -> None:
    """Make mails of the events that have happened."""
    fan_out.run(now=clock.now())


@shared_task
def deliver_mails() -> None:
    """Send the mails that are due."""
    delivery.run(now=clock.now())


@shared_task
def forget_mails() -> None:
    """Delete old mails that are closed."""
    retention.forget(now=clock.now())
