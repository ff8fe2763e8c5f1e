"""The mail about a cancelled subscription, with what goes back to the card. Its words are in subscriptions.mails."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from accounts.models import User
from core.letters import Notice
from events.mails.kinds import Kind
from events.models import Event
from payments import cancellation_refunds
from subscriptions.mails import endings, subjects


def cancelled(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return until when it can be used, or what came back and where it goes."""
    [row] = subjects.of([events[-1]])
    sent = cancellation_refunds.sent_to_card(row)
    return endings.cancelled(events, recipient, now, to_card=sent if sent.amount else None)


CANCELLED: Kind = replace(endings.CANCELLED, compose=cancelled)
