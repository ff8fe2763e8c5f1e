"""Django's mail backend of this site: puts each mail into the outbox, in the caller's transaction.

So `send_mail` of Django and the log-in of allauth never wait for a mail server and never fail because of it.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from email.utils import parseaddr

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from accounts.models import User
from core import clock
from core.ids import new_id
from events import tasks
from events.models import Mail

# The links in mails of the log-in are of no use after that.
KEEP_TRYING = timedelta(days=1)


class Outbox(BaseEmailBackend):
    """Stores mails; a task that is sent after the commit delivers them, or else the next sweep."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store a mail for each recipient of each message; return the number of messages.

        They are sent from DEFAULT_FROM_EMAIL with their subject, text and HTML. Raises ValueError for what a stored
        mail cannot have: an attachment, or a recipient in `cc` or `bcc`.
        """
        now = clock.now()
        rows = [row for message in email_messages for row in _rows(message)]
        for row in rows:
            row.created_at, row.due_at, row.park_at = now, now, now + KEEP_TRYING
        Mail.objects.bulk_create(rows)
        transaction.on_commit(tasks.deliver_mails.delay)
        return len(email_messages)


def _rows(message: EmailMessage) -> Iterator[Mail]:
    if message.attachments or message.cc or message.bcc:
        raise ValueError("A mail in the outbox has no attachments and one recipient: use `to` only.")
    is_html = message.content_subtype == "html"
    alternatives = getattr(message, "alternatives", ())
    html = str(message.body) if is_html else next((str(a[0]) for a in alternatives if a[1] == "text/html"), "")
    for recipient in message.to:
        address, name = parseaddr(recipient)[1], new_id("mail")
        yield Mail(
            public_id=name,
            customer=User.objects.filter(email__iexact=address).first(),
            kind=Mail.LOGIN,
            cause=name,
            is_urgent=True,
            address=address,
            subject=" ".join(str(message.subject).split())[:300],
            text="" if is_html else str(message.body),
            html=html,
        )
