"""A mail backend that can be down, refuse, or break off, and keeps what it took. No test lives here."""

from collections.abc import Callable, Sequence
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import ClassVar

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

PATH = "tests.events.mails.post.Post"


class Post(BaseEmailBackend):
    """Takes mails. Tests set the class attributes; the fixture `post` resets them."""

    taken: ClassVar[list[EmailMessage]] = []
    opened: ClassVar[int] = 0
    is_down: ClassVar[bool] = False
    # Address -> SMTP code with which it is refused.
    refuses: ClassVar[dict[str, int]] = {}
    breaks_off: ClassVar[bool] = False
    # Called with each message before it is taken.
    before: ClassVar[Callable[[EmailMessage], object]] = staticmethod(lambda message: None)

    def open(self) -> bool:
        Post.opened += 1
        if Post.is_down:
            raise ConnectionRefusedError(111, "Connection refused")
        return True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            Post.before(message)
            if Post.breaks_off:
                raise SMTPServerDisconnected("Connection unexpectedly closed")
            if code := Post.refuses.get(message.to[0]):
                raise SMTPRecipientsRefused({message.to[0]: (code, b"No such user here")})
            Post.taken.append(message)
        return len(email_messages)


def texts() -> list[str]:
    """Return the first line of each mail that was taken, in order."""
    return [str(message.body).splitlines()[0] for message in Post.taken]
