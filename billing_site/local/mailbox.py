"""Mails of a local run: a mail backend that keeps them as files, and reading them for /dev/mail/.

Web and worker are several processes, so they are kept in a folder (settings.MAIL_FOLDER), a file for each mail.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed
from pathlib import Path
from time import time_ns

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

# The oldest ones above this number are deleted.
MOST = 500
NAME = re.compile(r"[0-9]{20}")


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail as it was sent."""

    name: str
    headers: list[tuple[str, str]]
    text: str
    html: str

    @property
    def subject(self) -> str:
        return self.header("Subject")

    def header(self, wanted: str) -> str:
        """Return a header, empty if there is none."""
        return next((value for name, value in self.headers if name.lower() == wanted.lower()), "")


class Mailbox(BaseEmailBackend):
    """Keeps mails in files. Only for a local run: elsewhere customers would wait for their mails."""

    def open(self) -> bool:
        """Do nothing. Raises ImproperlyConfigured in production."""
        if not settings.LOCAL:
            raise ImproperlyConfigured("Mails are kept in files only where LOCAL is set. Set EMAIL_URL.")
        return True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each message to a file named by the time; return how many there were."""
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            draft = folder / f"{time_ns():020}.draft"
            draft.write_bytes(message.message().as_bytes())
            draft.rename(draft.with_suffix(".eml"))
        for old in sorted(folder.glob("*.eml"))[:-MOST]:
            old.unlink(missing_ok=True)
        return len(email_messages)


def names() -> list[str]:
    """Return the names of the kept mails, the newest first."""
    return sorted((file.stem for file in _folder().glob("*.eml")), reverse=True)


def read(name: str) -> KeptMail | None:
    """Return the kept mail of that name; None if there is none."""
    file = _folder() / f"{name}.eml"
    if not NAME.fullmatch(name) or not file.exists():
        return None
    parsed = message_from_bytes(file.read_bytes(), policy=policy.default)
    headers = [(key, str(value)) for key, value in parsed.items()]
    return KeptMail(name, headers, _body(parsed, "plain"), _body(parsed, "html"))


def _folder() -> Path:
    return Path(settings.MAIL_FOLDER)


def _body(parsed: Parsed, kind: str) -> str:
    part = parsed.get_body((kind,))
    return "" if part is None else str(part.get_content())
