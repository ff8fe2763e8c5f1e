"""The browsers in which a user is logged in: what the settings list, and ending one of them or all others.

A session of Django's has no owner that one can look for, so the first request of each session notes it in a row of its
own. allauth's app for this writes with every request and loads each session one by one at every log-in.
"""

import re
from datetime import datetime

from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts.models import BrowserSession, User

# A session is noted again after so many seconds, for the time when it was last seen.
NOTED_EVERY = 600
LONGEST = 300

# The first that matches says it: most browsers name others too, and Android names Linux.
BROWSERS = (
    ("YaBrowser/", "Yandex Browser"),
    ("Edg(?:A|iOS)?/", "Edge"),
    ("OPR/|OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/|FxiOS/", "Firefox"),
    ("Chrome/|CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X|Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def note(user: User, session_key: str, *, user_agent: str, address: str, now: datetime) -> None:
    """Note that the session of the user was seen, at most once in NOTED_EVERY seconds. One statement."""
    if not cache.add(f"seen:{session_key}:{user.token_version}", 1, NOTED_EVERY):
        return
    row = BrowserSession(
        user=user, session_key=session_key, user_agent=user_agent.replace("\x00", "")[:LONGEST], address=address,
        token_version=user.token_version, created_at=now, last_seen_at=now,
    )  # fmt: skip
    updated = ["user", "user_agent", "address", "token_version", "last_seen_at"]
    BrowserSession.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["session_key"], update_fields=updated
    )


def of(user: User, *, now: datetime) -> QuerySet[BrowserSession]:
    """Return the sessions of the user that are still good, the one seen last first."""
    kept = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    own = BrowserSession.objects.filter(Exists(kept), user=user, token_version=user.token_version)
    return own.order_by("-last_seen_at", "-pk")


def end(row: BrowserSession) -> None:
    """End a session: its browser has to log in again."""
    with transaction.atomic():
        Session.objects.filter(session_key=row.session_key).delete()
        row.delete()


def end_others(user: User, session_key: str) -> None:
    """End all sessions of the user but the one with this key."""
    with transaction.atomic():
        others = BrowserSession.objects.filter(user=user).exclude(session_key=session_key)
        Session.objects.filter(session_key__in=list(others.values_list("session_key", flat=True))).delete()
        others.delete()


def in_words(user_agent: str) -> str:
    """Return browser and system of a User-Agent as people call them: `Firefox on Windows`."""
    browser = next((name for pattern, name in BROWSERS if re.search(pattern, user_agent)), "")
    system = next((name for pattern, name in SYSTEMS if re.search(pattern, user_agent)), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")
