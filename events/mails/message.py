"""Make the message of a mail that is about to be sent, or say why it is not sent."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext_noop

from accounts import mail_choices
from accounts.models import User
from core.brand import brand
from core.letters import Letter
from events.mails import kinds, letters
from events.models import Event, Mail, UnreachableAddress

# Reasons are stored in English; the admin translates them.
NOTHING_TO_TELL = gettext_noop("There was nothing to tell any more.")
SWITCHED_OFF = gettext_noop("The customer has switched off such mails.")
ACCOUNT_CLOSED = gettext_noop("The account is closed.")
NO_ADDRESS = gettext_noop("The customer has no email address.")
BOUNCED = gettext_noop("Mails to this address came back. Staff can clear it under unreachable addresses.")


@dataclass(frozen=True, slots=True)
class Skipped:
    """The mail is not sent, for this reason."""

    reason: str


def of(mail: Mail, *, now: datetime) -> EmailMultiAlternatives | Skipped:
    """Return the message of a mail at this moment, or why there is none."""
    if mail.kind == Mail.LOGIN:
        return Skipped(BOUNCED) if is_unreachable(mail.address) else _message(mail, mail.address, _stored(mail))
    assert mail.customer_id is not None
    recipient, kind = User.objects.get(pk=mail.customer_id), kinds.get(mail.kind)
    if reason := refusal(recipient, kind.category):
        return Skipped(reason)
    letter = compose(mail, recipient, now=now)
    return Skipped(NOTHING_TO_TELL) if letter is None else _message(mail, recipient.email, letter)


def compose(mail: Mail, recipient: User, *, now: datetime) -> Letter | None:
    """Render a mail about events as it would be sent now; None if there is nothing to tell."""
    events = list(Event.objects.filter(pk__in=mail.events).order_by("pk"))
    return letters.compose(kinds.get(mail.kind), events, recipient, now=now) if events else None


def refusal(recipient: User, category: mail_choices.MailCategory) -> str:
    """Return why this customer gets no mail of the category; empty if they do."""
    if not recipient.email:
        return NO_ADDRESS
    if not mail_choices.wants(recipient, category):
        return SWITCHED_OFF
    if not recipient.is_active and category in mail_choices.OPTIONAL:
        return ACCOUNT_CLOSED
    return BOUNCED if is_unreachable(recipient.email) else ""


def is_unreachable(address: str) -> bool:
    """Return whether mails to the address bounced."""
    return UnreachableAddress.objects.filter(address=address.lower()).exists()


def message_id(mail: Mail) -> str:
    """Return the Message-ID, the same at each try (RFC 5322); another one each time that staff had it sent again."""
    name = f"{mail.public_id}.{mail.resends}" if mail.resends else mail.public_id
    return f"<{name}@{urlsplit(settings.SITE_URL).hostname or 'localhost'}>"


def _stored(mail: Mail) -> Letter:
    return Letter(mail.subject, mail.text, mail.html)


def _message(mail: Mail, address: str, letter: Letter) -> EmailMultiAlternatives:
    headers = {"Message-ID": message_id(mail), "Auto-Submitted": "auto-generated"}
    if letter.stop_url:
        # RFC 8058: the mail program posts to the link at one click.
        headers |= {"List-Unsubscribe": f"<{letter.stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    answers = [str(Address(brand().legal_name, addr_spec=brand().email))] if brand().email else []
    built = EmailMultiAlternatives(letter.subject, letter.text, None, [address], reply_to=answers, headers=headers)
    if letter.html:
        built.attach_alternative(letter.html, "text/html")
    return built
