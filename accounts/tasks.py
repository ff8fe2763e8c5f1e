"""Periodic tasks of accounts."""

from celery import shared_task
from django.utils import timezone

from accounts import cleanup


@shared_task
def clean() -> dict[str, int]:
    """Delete expired sessions, tokens, keys and counters. Runs hourly."""
    return cleanup.clean(now=timezone.now())
