"""The sandbox's own task: send the webhooks that it owes."""

from celery import shared_task
from django.utils import timezone

from payments.gateways.sandbox import webhooks


@shared_task
def deliver_sandbox_webhooks() -> None:
    """Send the webhooks that the sandbox gateway owes us."""
    webhooks.deliver_due(now=timezone.now())
