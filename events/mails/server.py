"""The mail server, behind any mail backend of Django: one connection for many mails, and what its refusals mean."""

from smtplib import SMTPDataError, SMTPRecipientsRefused

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

# What an SMTP server says about one mail; after anything else the next mail may well fail too.
ABOUT_ONE_MAIL = (SMTPRecipientsRefused, SMTPDataError)
# HTTP statuses of mail providers that mean this mail, not our account or their service.
ABOUT_THE_MAIL = {400, 404, 406, 413, 422}


class Unreachable(Exception):
    """The server cannot be reached, or does not let us in: no fault of the mail. The message says why."""


class Refused(Exception):
    """The server took the connection and not this mail. `is_permanent`: it will not take it later either."""

    def __init__(self, reason: str, *, is_permanent: bool) -> None:
        super().__init__(reason)
        self.is_permanent = is_permanent


class MailServer:
    """A connection, opened at the first mail and again after a failure. Call `close` at the end."""

    def __init__(self) -> None:
        self.connection: BaseEmailBackend | None = None
        # How often in a row it broke off, or failed in another way that is not about one mail.
        self.failures = 0

    def open(self) -> None:
        """Connect unless that is done; raise Unreachable."""
        if self.connection is not None:
            return
        if not settings.MAIL_BACKEND:
            raise Unreachable("No mail server is set: EMAIL_URL is blank.")
        try:
            connection = get_connection(settings.MAIL_BACKEND)
            connection.open()
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            raise Unreachable(said(error)) from error
        self.connection = connection

    def send(self, message: EmailMessage) -> None:
        """Send one mail to one address; raise Unreachable or Refused."""
        self.open()
        assert self.connection is not None
        try:
            count = self.connection.send_messages([message])
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            # The connection may be in any state: the next mail gets a new one.
            self.close()
            self.failures = 0 if isinstance(error, ABOUT_ONE_MAIL) else self.failures + 1
            raise Refused(said(error), is_permanent=_is_permanent(error)) from error
        self.failures = 0
        if count == 0:
            raise Refused("The mail backend sent nothing and gave no reason.", is_permanent=False)

    def close(self) -> None:
        """End the connection. A server that does not answer any more is no error."""
        connection, self.connection = self.connection, None
        try:
            if connection is not None:
                connection.close()
        except Exception:  # noqa: BLE001, S110 - whatever it is, the mails before were taken
            pass


def said(error: BaseException) -> str:
    """Return what the server said, or what happened, on one line: `550 No such user`."""
    code, text = getattr(error, "smtp_code", None), getattr(error, "smtp_error", b"")
    if isinstance(error, SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    words = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    answer = f"{type(error).__name__}: {error}" if code is None else f"{code} {words}"
    return " ".join(answer.split())[:300]


def _is_permanent(error: Exception) -> bool:
    """Return whether the server will never take this mail: a 5xx for its recipient or its content (RFC 5321)."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    if isinstance(error, SMTPDataError):
        return 500 <= error.smtp_code < 600
    # A mail backend of django-anymail.
    return type(error).__name__ == "AnymailRecipientsRefused" or getattr(error, "status_code", None) in ABOUT_THE_MAIL
