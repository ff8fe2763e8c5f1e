"""Celery tasks of payments. A task may be lost, late or run twice: the rows hold what is due."""

from datetime import datetime
from typing import Any

from celery import shared_task
from django.dispatch import receiver
from django.utils import timezone

from payments import open_orders, reconciliation
from payments.webhooks import process
from subscriptions import orders


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
    """Check open payments at their gateways, and close those that nobody wants any more."""
    reconciliation.check_due(now=timezone.now())


@shared_task
def expire() -> None:
    """Expire payments that are past their time."""
    reconciliation.expire_due(now=timezone.now())


@receiver(orders.changed, dispatch_uid="payments.close_ended")
def close_ended(*, customer_id: int, now: datetime, **_sent: Any) -> None:
    """Mark a customer's open payments whose subscription has started or ended, and have their pages closed.

    Only a poke: if it is not called or fails, the sweep does the same.
    """
    if open_orders.mark_ended(now=now, customer_id=customer_id):
        reconcile.delay()
