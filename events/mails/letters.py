"""Compose mails: what a kind tells of its events, in the recipient's language and time zone."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone, translation

from accounts import mail_choices
from accounts.models import User
from core import letters
from core.letters import Letter
from events.mails.kinds import Kind
from events.models import Event


def compose(kind: Kind, events: Sequence[Event], recipient: User, *, now: datetime) -> Letter | None:
    """Return the mail about these events; None if there is nothing to tell any more."""
    with translation.override(recipient.language), timezone.override(recipient.zone):
        told = kind.compose(events, recipient, now)
        if told is None:
            return None
        is_optional = kind.category in mail_choices.OPTIONAL
        stop_url = mail_choices.stop_url(recipient, kind.category) if is_optional else ""
        return letters.render(told, kind.name, name=recipient.greeting_name, stop_url=stop_url)
