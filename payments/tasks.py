"""Celery tasks of payments. A task may be lost, late or run twice: the rows hold what is due."""

from datetime import datetime
from typing import Any

from celery import shared_task
from django.dispatch import receiver
from django.utils import timezone

from payments import comparison, open_orders, reconciliation
from payments.gateways import registry
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


@shared_task
def compare_gateways() -> None:
    """Have the last days compared with the list of each gateway, each in a task of its own."""
    for gateway in registry.configured():
        compare_gateway.delay(gateway.name)


# Longer than other tasks: a list has many pages. It is still shorter than the broker's visibility_timeout.
@shared_task(soft_time_limit=780, time_limit=840)
def compare_gateway(name: str) -> None:
    """Compare the last days with the list of one gateway, and store the report."""
    comparison.compare_all(now=timezone.now(), only=name)


@receiver(orders.changed, dispatch_uid="payments.close_ended")
def close_ended(*, customer_id: int, now: datetime, **_sent: Any) -> None:
    """Mark a customer's open payments whose subscription has started or ended, and have their pages closed.

    Only a poke: if it is not called or fails, the sweep does the same.
    """
    if open_orders.mark_ended(now=now, customer_id=customer_id):
        reconcile.delay()
