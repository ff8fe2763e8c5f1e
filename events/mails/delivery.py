"""Send the mails that wait. Any number of workers may do it at the same time.

A mail is claimed for LEASE, sent with no transaction open, and then marked. A worker that dies in between leaves it to
another one: it may arrive twice, with the same Message-ID. Of each customer only the oldest waiting mail is sent, so
they arrive in order; the mails of the log-in go before everything and wait for nothing.
"""

import time
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from events.mails import message
from events.mails.fan_out import KEEP_TRYING
from events.mails.server import MailServer, Refused, Unreachable
from events.models import Mail

log = structlog.get_logger(__name__)

# A claim lasts this long. If its worker dies, the mail is sent by another one.
LEASE = timedelta(minutes=5)
# How long a mail waits after each failure; the last wait repeats.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
# A server that has broken off so often in a row is left alone until the next run.
MOST_FAILURES = 3
# A run ends after so many seconds; the next one goes on.
LONGEST_RUN = 50
MINUTE = timedelta(minutes=1)
# Serializes claims, so that two workers together keep to MAILS_PER_MINUTE. The number only has to be ours.
PACE_LOCK = 7_245_001

TOO_OLD = "It could not be sent in time."


class Sent(NamedTuple):
    """What a run did with the mails that it tried."""

    sent: int = 0
    skipped: int = 0
    failed: int = 0
    parked: int = 0


def run(*, now: datetime) -> Sent:
    """Send what is due at `now`, as fast as MAILS_PER_MINUTE allows. Call it with no transaction open."""
    started = time.monotonic()
    counts = dict.fromkeys(Sent._fields, 0)
    counts["parked"] = park_old(now=now)
    server = MailServer()
    try:
        while server.failures < MOST_FAILURES and (passed := time.monotonic() - started) < LONGEST_RUN:
            at = now + timedelta(seconds=int(passed))
            mail = claim(now=now, at=at)
            if mail is None:
                break
            outcome = _deliver(mail, server, at)
            if outcome is None:
                break
            counts[outcome] += 1
    finally:
        server.close()
    return Sent(**counts)


def park_old(*, now: datetime) -> int:
    """Park the mails that have waited for too long, whatever they waited for; return how many."""
    reason = Case(When(reason="", then=Value(TOO_OLD)), default=F("reason"))
    # A mail of the log-in is of no use any more, and its links must not stay.
    old = _waiting().filter(park_at__lte=now)
    parked = old.filter(is_urgent=False).update(state=Mail.State.PARKED, due_at=None, reason=reason)
    closed = {"state": Mail.State.PARKED, "due_at": None, "reason": reason, "text": "", "html": ""}
    return parked + old.filter(is_urgent=True).update(**closed)


def claim(*, now: datetime, at: datetime) -> Mail | None:
    """Claim the next mail that is due at `now`, until LEASE after `at`, and commit the claim; None if there is none.

    Also None while this minute has had its mails, except for mails of the log-in.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PACE_LOCK])
        due = _due(now)
        tried = Mail.objects.filter(tried_at__gt=at - MINUTE, is_urgent=False).count()
        if tried >= settings.MAILS_PER_MINUTE:
            due = due.filter(is_urgent=True)
        mail = due.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
        if mail:
            mail.due_at, mail.tried_at, mail.tries = at + LEASE, at, mail.tries + 1
            mail.save(update_fields=["due_at", "tried_at", "tries"])
    return mail


def _waiting() -> QuerySet[Mail]:
    return Mail.objects.filter(state=Mail.State.WAITING)


def _due(now: datetime) -> QuerySet[Mail]:
    """Return the mails that may be sent, those of the log-in first: of each customer only the oldest that waits."""
    earlier = _waiting().filter(customer=OuterRef("customer"), pk__lt=OuterRef("pk"), is_urgent=False)
    ready = _waiting().filter(due_at__lte=now).filter(Q(is_urgent=True) | ~Exists(earlier))
    return ready.order_by(F("is_urgent").desc(), "due_at", "pk")


def _deliver(mail: Mail, server: MailServer, at: datetime) -> str | None:
    """Send one claimed mail and return the field of Sent that counts it; None if no mail can be sent at the moment."""
    try:
        server.open()
        letter = message.of(mail, now=at)
        if isinstance(letter, message.Skipped):
            return "skipped" if _skip(mail, letter.reason, at) else "failed"
        server.send(letter)
    except SoftTimeLimitExceeded:
        # The worker must stop. The claim runs out, and another one goes on.
        raise
    except Unreachable as error:
        log.warning("mail_server_unreachable", reason=str(error))
        _release(mail, str(error), at)
        return None
    except Refused as error:
        return _failed(mail, str(error), at, is_permanent=error.is_permanent)
    except Exception as error:  # whatever a template or a kind raises, the other mails must go on
        log.exception("mail_failed", mail=mail.public_id, kind=mail.kind)
        return _failed(mail, f"{type(error).__name__}: {error}"[:300], at, is_permanent=False)
    _mark_sent(mail, letter.to[0], str(letter.subject), at)
    return "sent"


def _skip(mail: Mail, reason: str, at: datetime) -> bool:
    """End a mail that had nothing to tell; return False if it got another event meanwhile, and is composed anew."""
    if _close(_waiting().filter(pk=mail.pk, events=mail.events), Mail.State.SKIPPED, reason=reason):
        return True
    _waiting().filter(pk=mail.pk).update(due_at=at)
    return False


def _close(rows: QuerySet[Mail], state: Mail.State, *, reason: str) -> bool:
    """End a mail that still waits as skipped or parked; return whether it did. The body of a log-in mail is wiped."""
    return bool(rows.update(state=state, due_at=None, reason=reason[:300], text="", html=""))


def resend(mail: Mail, *, now: datetime) -> bool:
    """Let a closed mail be sent, once more if it was sent. Return False for one that waits or has lost its body."""
    if not mail.can_be_resent:
        return False
    closed = Mail.objects.filter(pk=mail.pk).exclude(state=Mail.State.WAITING)
    changes = {"due_at": now, "park_at": now + KEEP_TRYING, "tries": 0, "sent_at": None, "reason": ""}
    return bool(closed.update(state=Mail.State.WAITING, resends=F("resends") + 1, **changes))


def give_up(mail: Mail, *, reason: str) -> bool:
    """Do not send a mail that waits or is parked. Return False for any other."""
    live = Mail.objects.filter(pk=mail.pk, state__in=(Mail.State.WAITING, Mail.State.PARKED))
    return bool(live.update(state=Mail.State.GIVEN_UP, due_at=None, reason=reason[:300], text="", html=""))


def _mark_sent(mail: Mail, address: str, subject: str, at: datetime) -> None:
    """Note that a mail was sent, also if staff gave it up in this moment."""
    Mail.objects.filter(pk=mail.pk).update(
        state=Mail.State.SENT, sent_at=at, due_at=None, reason="", address=address, subject=subject[:300],
        text="", html="",
    )  # fmt: skip


def _failed(mail: Mail, reason: str, at: datetime, *, is_permanent: bool) -> str:
    """Park a mail that the server will never take, or let it wait; return the field of Sent that counts it."""
    log.warning("mail_not_sent", mail=mail.public_id, kind=mail.kind, tries=mail.tries, reason=reason)
    if is_permanent:
        _close(_waiting().filter(pk=mail.pk), Mail.State.PARKED, reason=reason)
        return "parked"
    wait = WAITS[min(mail.tries, len(WAITS)) - 1]
    _waiting().filter(pk=mail.pk).update(due_at=at + wait, reason=reason[:300])
    return "failed"


def _release(mail: Mail, reason: str, at: datetime) -> None:
    """Give back a mail that could not be tried: it keeps its place, and this was no try."""
    due_at = mail.created_at if mail.tries == 1 else at
    _waiting().filter(pk=mail.pk).update(due_at=due_at, tries=mail.tries - 1, tried_at=None, reason=reason[:300])
