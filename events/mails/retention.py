"""How long the rows of mails are kept. What was done about money stays in the ledger and in the event log."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Greatest

from core.deletion import delete
from events.models import Mail

State = Mail.State
# Not those that are still to be sent, and not those that are parked: staff have not decided about them.
CLOSED = (State.SENT, State.SKIPPED, State.GIVEN_UP)


def forget(*, now: datetime) -> int:
    """Delete the closed mails that nobody has tried to send for MAIL_DAYS; return how many."""
    oldest = now - timedelta(days=settings.MAIL_DAYS)
    last = Greatest("created_at", "tried_at", "sent_at")
    return delete(Mail.objects.alias(last=last).filter(state__in=CLOSED, last__lt=oldest))
