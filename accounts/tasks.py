"""Pokes of accounts."""

from celery import shared_task
from django.utils import timezone

from accounts import cleaning


@shared_task
def clean() -> dict[str, int]:
    """Throw away what has served. Poked hourly."""
    return cleaning.clean(now=timezone.now())
