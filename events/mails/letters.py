"""Render mails: subject, text and HTML of a kind, in the recipient's language and time zone."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation

from accounts import mail_choices
from accounts.models import User
from core import links
from core.seller import seller
from events.mails.kinds import Kind
from events.models import Event

# Runs of white space, but for the no-break spaces in amounts and dates.
SPACES = re.compile(r"[^\S\u00a0]+")


class Letter(NamedTuple):
    """A rendered mail. `stop_url` is empty if the recipient cannot switch such mails off."""

    subject: str
    text: str
    html: str
    stop_url: str


def compose(kind: Kind, events: Sequence[Event], recipient: User, *, now: datetime) -> Letter | None:
    """Return the mail about these events; None if there is nothing to tell any more."""
    with translation.override(recipient.language), timezone.override(recipient.zone):
        told = kind.compose(events, recipient, now)
        return None if told is None else _rendered(kind, told, recipient)


def _rendered(kind: Kind, told: Mapping[str, Any], recipient: User) -> Letter:
    is_optional = kind.category in mail_choices.OPTIONAL
    stop_url = mail_choices.stop_url(recipient, kind.category) if is_optional else ""
    values = {
        "customer": recipient,
        "name": recipient.first_name or recipient.username,
        "language": recipient.language,
        "seller": seller(),
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "settings_url": links.absolute("settings"),
        "stop_url": stop_url,
        **told,
    }
    # A subject is one line, whatever is in a name.
    subject = SPACES.sub(" ", _text(f"mail/{kind.template or kind.name}.subject.txt", values)).strip()
    values["subject"] = subject
    html = get_template(f"mail/{kind.template or kind.name}.html").render(values)
    return Letter(subject, _text(f"mail/{kind.template or kind.name}.txt", values).strip() + "\n", html, stop_url)


def _text(template: str, values: Mapping[str, Any]) -> str:
    """Render plain text, in which nothing is escaped."""
    found: Any = get_template(template)
    text: str = found.template.render(Context(dict(values), autoescape=False))
    return text
