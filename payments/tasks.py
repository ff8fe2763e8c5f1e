"""Pokes, by the clock or by an event. Any of these may be lost, late or run twice: what is due stands in the rows."""

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
    """Process every stored webhook event that is due."""
    process.sweep(now=timezone.now())


@shared_task
def reconcile() -> None:
    """Ask the gateways about open payments."""
    reconciliation.check_due(now=timezone.now())


@shared_task
def expire() -> None:
    """Close payments whose time is over."""
    reconciliation.expire_due(now=timezone.now())
