"""Addresses at which mails bounce, as mail providers report them (the tracking webhooks of django-anymail).

billing_site.urls has the webhooks, if settings.ANYMAIL has a WEBHOOK_SECRET.
"""

from datetime import datetime
from typing import Any

import structlog
from anymail.signals import EventType, RejectReason

from core import clock
from events.models import UnreachableAddress

log = structlog.get_logger(__name__)

# The provider will not try again: there is no such address, or its owner calls our mails spam.
FINAL = {EventType.BOUNCED, EventType.COMPLAINED}
LONGEST = 254  # characters of an address
# A mail that the provider did not take: only these say something about the address.
REFUSED_ADDRESS = {RejectReason.INVALID, RejectReason.BOUNCED}


def receive(sender: Any, event: Any, **kwargs: Any) -> None:
    """Note an event of a mail provider (a receiver of anymail.signals.tracking). Most kinds of events are ignored."""
    is_refused = event.event_type == EventType.REJECTED and event.reject_reason in REFUSED_ADDRESS
    if event.recipient and (event.event_type in FINAL or is_refused):
        said = event.description or event.mta_response or event.reject_reason or ""
        mark(event.recipient, f"{event.event_type}: {said}", now=event.timestamp or clock.now())


def mark(address: str, reason: str, *, now: datetime) -> None:
    """Send no more mails to this address, until staff clear it or the customer changes it.

    What is no address that we could have, by its length or its characters, is ignored.
    """
    address, reason = address.lower(), " ".join(_storable(reason).split())[:300]
    if len(address) > LONGEST or address != _storable(address):
        return
    UnreachableAddress.objects.update_or_create(address=address, defaults={"reason": reason, "bounced_at": now})
    log.warning("address_unreachable", reason=reason)


def _storable(text: str) -> str:
    """Return a text without the characters that PostgreSQL does not store."""
    return text.replace("\0", "").encode(errors="ignore").decode()
