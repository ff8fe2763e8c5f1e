"""Throws away what has served: expired refresh tokens, old idempotency keys, counters, traces of log-ins."""

from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from django.conf import settings

from accounts import brute_force, tokens
from core.api import idempotency

# How long an address counts as one that an account's owner has logged in from.
LOG_INS_KEPT_FOR = timedelta(days=180)


def clean(*, now: datetime) -> dict[str, int]:
    """Delete all of it. Returns how many rows of each kind."""
    attempts = AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME)
    return {
        "refresh_tokens": tokens.forget(now=now),
        "idempotency_keys": idempotency.forget(now=now),
        "counters": brute_force.forget(now=now),
        "failed_log_ins": attempts.delete()[0],
        "log_ins": AccessLog.objects.filter(attempt_time__lt=now - LOG_INS_KEPT_FOR).delete()[0],
    }
