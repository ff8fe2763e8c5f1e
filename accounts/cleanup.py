"""Delete expired sessions and what was noted of them, refresh tokens, idempotency keys, counters and log-in records."""

from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef

from accounts import brute_force, tokens
from accounts.models import BrowserSession
from core.api import idempotency
from core.deletion import delete

# An address counts as known for this long after the owner logged in from it (brute_force.is_known).
LOG_INS_KEPT_FOR = timedelta(days=180)


def clean(*, now: datetime) -> dict[str, int]:
    """Delete all expired rows and return how many of each kind."""
    attempts = AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME)
    of_browser = Session.objects.filter(session_key=OuterRef("session_key"))
    return {
        "sessions": delete(Session.objects.filter(expire_date__lte=now)),
        "browsers": delete(BrowserSession.objects.filter(~Exists(of_browser))),
        "refresh_tokens": tokens.forget(now=now),
        "idempotency_keys": idempotency.forget(),
        "counters": brute_force.forget(now=now),
        "failed_log_ins": attempts.delete()[0],
        "log_ins": AccessLog.objects.filter(attempt_time__lt=now - LOG_INS_KEPT_FOR).delete()[0],
    }
