"""The sandbox's Celery task."""

from celery import shared_task
from django.utils import timezone

from payments.gateways.sandbox import webhooks


@shared_task
def deliver_sandbox_webhooks() -> None:
    """Send the sandbox's webhooks that are due."""
    webhooks.deliver_due(now=timezone.now())
