"""The kinds of mails. Apps declare theirs (`payments.mails.KINDS`), and settings.MAIL_KINDS names the lists.

So the apps above can send mails without being imported here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from accounts.mail_choices import MailCategory
from accounts.models import User
from core.letters import Notice
from events.models import Event, Mail

# A notice, or the variables of the kind's own templates; None if there is nothing to tell any more, and then no mail is
# sent.
Told = Notice | Mapping[str, Any] | None
Compose = Callable[[Sequence[Event], User, datetime], Told]
# Leaves out the events that need no mail. It gets a batch of events of many customers.
Choose = Callable[[Sequence[Event]], Sequence[Event]]


def all_of(events: Sequence[Event]) -> Sequence[Event]:
    """Return all events: each needs a mail."""
    return events


def each_event(event: Event) -> str:
    """Return a cause that no other event has: one mail for each event."""
    return f"event {event.pk}"


def each_subject(event: Event) -> str:
    """Return a cause that the events of one object share: one mail about a payment, however often it is recorded."""
    return event.subject


def each_instant(event: Event) -> str:
    """Return a cause that events of one instant share: what happens to several subscriptions at once is one mail."""
    return event.effective_at.isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of mail.

    `compose(events, recipient, now)` runs when the mail is sent, in the recipient's language and time zone. It reads
    models of its own app and calls nothing on the network. What it returns is shown by the templates mail/notice.* if
    it is a Notice, otherwise by mail/<name>.subject.txt, mail/<name>.txt and mail/<name>.html.
    """

    name: str
    # For staff, who see it in the list of mails.
    title: str | Promise
    category: MailCategory
    # The types of the events that cause it.
    events: tuple[str, ...]
    compose: Compose
    choose: Choose = all_of
    # Events of a customer with the same cause make one mail, which is told about all of them. At most 120 characters.
    cause: Callable[[Event], str] = each_event


def every() -> tuple[Kind, ...]:
    """Return all kinds, in the order of settings.MAIL_KINDS."""
    return _load(tuple(settings.MAIL_KINDS))


def get(name: str) -> Kind:
    """Return the kind of that name. Raises KeyError if no app declares it any more."""
    return {kind.name: kind for kind in every()}[name]


def title_of(name: str) -> str:
    """Return the title of a kind, also of the mails of the log-in; its name if no app declares it any more."""
    if name == Mail.LOGIN:
        return gettext("Log-in")
    return next((str(kind.title) for kind in every() if kind.name == name), name)


def by_event() -> dict[str, list[Kind]]:
    """Return the kinds that answer each type of event."""
    answering: dict[str, list[Kind]] = {}
    for kind in every():
        for event_type in kind.events:
            answering.setdefault(event_type, []).append(kind)
    return answering


@cache
def _load(paths: tuple[str, ...]) -> tuple[Kind, ...]:
    return tuple(kind for path in paths for kind in import_string(path))
