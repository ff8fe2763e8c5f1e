"""Celery tasks of payments. A task may be lost, late or run twice: the rows hold what is due."""

from datetime import datetime
from typing import Any

from celery import shared_task
from django.dispatch import receiver

from core import clock
from payments import open_orders, reconciliation
from payments.webhooks import process
from subscriptions import orders


@shared_task
def process_webhook(event_pk: int) -> None:
    """Process one stored webhook event."""
    process.process(event_pk, now=clock.now())


@shared_task
def process_webhooks() -> None:
    """Have the stored webhook events that are due processed, in a task for each gateway."""
    for gateway in process.due_gateways(now=clock.now()):
        process_gateway_webhooks.delay(gateway)


@shared_task
def process_gateway_webhooks(gateway: str) -> None:
    """Process one gateway's events that are due."""
    process.sweep(now=clock.now(), gateway=gateway)


@shared_task
def reconcile() -> None:
    """Have each gateway asked about what is due there, in a task of its own: one that hangs delays no other."""
    now = clock.now()
    open_orders.mark_ended(now=now)
    for gateway in reconciliation.due_gateways(now=now):
        reconcile_gateway.delay(gateway)


@shared_task
def reconcile_gateway(gateway: str) -> None:
    """Ask one gateway about open payments, refunds and disputes, and close what nobody wants any more."""
    reconciliation.check_gateway(gateway, now=clock.now())


@receiver(orders.changed, dispatch_uid="payments.close_ended")
def close_ended(*, customer_id: int, now: datetime, **_sent: Any) -> None:
    """Mark a customer's open payments whose subscription has started or ended, and have their pages closed.

    Only a poke: if it is not called or fails, the sweep does the same.
    """
    if open_orders.mark_ended(now=now, customer_id=customer_id):
        reconcile.delay()
