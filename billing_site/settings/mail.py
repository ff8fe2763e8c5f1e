"""Mail: the server that delivers it, how fast, and which kinds are sent."""

import json

import environ

from billing_site.settings.environment import LOCAL, VAR_DIR, env

# The shape of a mail address.
ADDRESS = r"[^\s@<>,;]+@[^\s@<>,;]+"


def json_object(text: str) -> dict[str, str]:
    """Return the JSON object in ANYMAIL. Raises ValueError or TypeError."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("It is no object.")
    return found


# All mail goes into the outbox, and a worker sends it by MAIL_BACKEND: a mail server that is down fails no request.
_url = env.url("EMAIL_URL", [*environ.Env.EMAIL_SCHEMES], example="smtp+tls://user:password@mail.example.com:587")
_server = environ.Env.email_url_config(_url or "consolemail://")
EMAIL_HOST, EMAIL_PORT = _server.get("EMAIL_HOST") or "localhost", _server.get("EMAIL_PORT") or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _server.get("EMAIL_HOST_USER") or "", _server.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_FILE_PATH = _server.get("EMAIL_FILE_PATH") or None
EMAIL_USE_TLS, EMAIL_USE_SSL = _server.get("EMAIL_USE_TLS", False), _server.get("EMAIL_USE_SSL", False)
EMAIL_BACKEND = "events.mails.backend.Outbox"
# Any mail backend of Django. A local run without a server keeps mails in files for /dev/mail/; in production without
# one they wait.
MAIL_BACKEND = env.str("MAIL_BACKEND") or (
    _server["EMAIL_BACKEND"] if _url else "billing_site.local.mailbox.Mailbox" if LOCAL else ""
)
# A mail provider of django-anymail: its keys, and the secret of its webhooks as user:password. With a secret it reports
# addresses at which mails bounce.
ANYMAIL = env.parsed(
    "ANYMAIL",
    json_object,
    default="{}",
    allowed="a JSON object on one line",
    example='{"MAILGUN_API_KEY": "..."}',
    is_secret=True,
)
MAIL_FOLDER = VAR_DIR / "mail"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.word(
    "DEFAULT_FROM_EMAIL", rf"(?:[^<>@\r\n]*<{ADDRESS}>|{ADDRESS})", default="Billing <billing@localhost>",
    allowed="an address, or a name and an address", example="'Billing <billing@example.com>'",
)  # fmt: skip
# Seconds that a worker waits for the mail server.
EMAIL_TIMEOUT = 10
# The most mails in any minute; mails of the log-in are never held up by it.
MAILS_PER_MINUTE = env.int("MAILS_PER_MINUTE", default=600, least=1)
# Days that the rows of mails are kept that were sent or will not be. Waiting and parked ones are kept.
MAIL_DAYS = env.days("MAIL_DAYS", default=400)
# The lists of kinds (events.mails.kinds.Kind).
MAIL_KINDS = ["payments.mails.KINDS", "subscriptions.mails.KINDS"]
