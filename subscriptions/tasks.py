"""Pokes by the clock. What is due stands in the rows; any of these may be lost, late or run twice."""

from celery import shared_task
from django.utils import timezone

from ledger import clock
from subscriptions import books, quotes


@shared_task
def bill_due() -> None:
    """Settle every book that is due, by the database's clock."""
    books.run_due(now=clock.now())


@shared_task
def forget_quotes() -> None:
    """Throw away the quotes that nobody accepted."""
    quotes.forget(now=timezone.now())
