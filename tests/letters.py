"""Helpers that render mails as they would be sent now. No test lives here."""

import re
from datetime import datetime
from html import unescape

from core.letters import Letter
from events.mails import kinds, letters
from events.models import Event

TAG = re.compile(r"<(style|title).*?</\1>|<[^>]+>", re.DOTALL)


def letter_of(name: str, *, now: datetime) -> Letter | None:
    """Return the mail of this kind about the last event that the kind answers; None if there is nothing to tell."""
    kind = kinds.get(name)
    event = Event.objects.filter(type__in=kind.events).select_related("customer").latest("id")
    return letters.compose(kind, [event], event.customer, now=now)


def told(name: str, *, now: datetime) -> Letter:
    """Return the mail of this kind about the last event, which has something to tell."""
    letter = letter_of(name, now=now)
    assert letter is not None
    return letter


def words(letter: Letter) -> str:
    """Return the words of the HTML with single spaces. No-break spaces are kept."""
    return words_of(letter.html)


def words_of(html: str) -> str:
    """Return the words of an HTML page in the same way."""
    return re.sub(r"[ \n]+", " ", unescape(TAG.sub(" ", html))).strip()


def lines(letter: Letter) -> list[str]:
    """Return the lines of the plain text that are not empty, up to the foot."""
    return [line for line in letter.text.split("\n-- \n")[0].splitlines() if line]
