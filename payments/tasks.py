"""Celery tasks of payments. A task may be lost, late or run twice: the rows hold what is due."""

from datetime import datetime
from typing import Any

from celery import shared_task
from django.dispatch import receiver

from core import clock
from payments import comparison, expiring_cards, open_orders, reconciliation, retention, turns
from payments.collection import plans
from payments.gateways import guard, registry
from payments.webhooks import process
from subscriptions import orders

# A task for one gateway that has waited so many seconds is not run: the next one does the same.
WAITS = 30
# How long a run of collections begins new charges, in seconds: shorter than the time between two runs.
COLLECTING = 30.0


@shared_task
def process_webhook(event_pk: int, gateway: str = "") -> None:
    """Process one stored webhook event. If its gateway is slow, leave it to the sweep, which holds one worker only."""
    if not guard.is_slow(gateway):
        process.process(event_pk, now=clock.now())


@shared_task
def process_webhooks() -> None:
    """Have the stored webhook events that are due processed, in a task for each gateway."""
    for gateway in process.due_gateways(now=clock.now()):
        process_gateway_webhooks.delay(gateway)


@shared_task(expires=WAITS)
def process_gateway_webhooks(gateway: str) -> None:
    """Process one gateway's events that are due, unless another worker is busy with that gateway."""
    with turns.take(f"gateway:{gateway}") as is_ours:
        if is_ours:
            process.sweep(now=clock.now(), goes_on=turns.lasting(gateway), gateway=gateway)


@shared_task
def reconcile() -> None:
    """Have each gateway asked about what is due there, in a task of its own: one that is slow holds one worker."""
    now = clock.now()
    open_orders.mark_ended(now=now)
    for gateway in reconciliation.due_gateways(now=now):
        reconcile_gateway.delay(gateway)


@shared_task(expires=WAITS)
def reconcile_gateway(gateway: str) -> None:
    """Ask one gateway about open payments, refunds and disputes, and close what nobody wants any more.

    Do nothing if another worker is busy with that gateway.
    """
    with turns.take(f"gateway:{gateway}") as is_ours:
        if is_ours:
            reconciliation.check_gateway(gateway, now=clock.now(), seconds=turns.LASTS)


@shared_task
def collect() -> None:
    """Charge saved methods for the wallets that are due, where their customers have agreed. One worker at a time."""
    with turns.take("collect") as is_ours:
        if is_ours:
            plans.check_due(now=clock.now(), goes_on=turns.lasting(None, COLLECTING))


@shared_task
def compare_gateways() -> None:
    """Have the last days compared with the list of each gateway, each in a task of its own."""
    for gateway in registry.configured():
        compare_gateway.delay(gateway.name)


# Longer than other tasks: a list has many pages. It is still shorter than the broker's visibility_timeout.
@shared_task(soft_time_limit=780, time_limit=840)
def compare_gateway(name: str) -> None:
    """Compare the last days with the list of one gateway, and store the report."""
    comparison.compare_all(now=clock.now(), only=name)


@shared_task
def forget() -> dict[str, int]:
    """Delete old gateway reports and old webhook events that are done."""
    return retention.forget(now=clock.now())


@shared_task
def remind_of_cards() -> None:
    """Record which saved cards expire soon."""
    expiring_cards.run_due(now=clock.now())


@receiver(orders.changed, dispatch_uid="payments.close_ended")
def close_ended(*, customer_id: int, now: datetime, **_sent: Any) -> None:
    """Mark a customer's open payments whose subscription has started or ended, and have their pages closed.

    Only a poke: if it is not called or fails, the sweep does the same.
    """
    if open_orders.mark_ended(now=now, customer_id=customer_id):
        reconcile.delay()
