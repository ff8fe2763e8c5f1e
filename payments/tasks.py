"""Celery tasks of payments. A task may be lost, late or run twice: the rows hold what is due."""

from celery import shared_task
from django.utils import timezone

from payments import reconciliation
from payments.webhooks import process


@shared_task
def process_webhook(event_pk: int) -> None:
    """Process one stored webhook event."""
    process.process(event_pk, now=timezone.now())


@shared_task
def process_webhooks() -> None:
    """Process the stored webhook events that are due."""
    process.sweep(now=timezone.now())


@shared_task
def reconcile() -> None:
    """Check open payments at their gateways."""
    reconciliation.check_due(now=timezone.now())


@shared_task
def expire() -> None:
    """Expire payments that are past their time."""
    reconciliation.expire_due(now=timezone.now())
