"""Pokes of accounts."""

from celery import shared_task
from django.utils import timezone

from accounts import cleanup


@shared_task
def clean() -> dict[str, int]:
    """Throw away what has served. Poked hourly."""
    return cleanup.clean(now=timezone.now())
