"""System checks that keep web, worker and scheduler from starting with unsafe production settings.

Those read settings only, and pass where LOCAL is set: the defaults are made for a local machine. `migrate` and
`check --database default` also look at the limits of a database session behind a pooler.
"""

import sys
from typing import Any

import structlog
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.db import connection
from django.utils.module_loading import import_string

from accounts import encryption
from payments.gateways import registry

log = structlog.get_logger(__name__)

TAG = "production"
# Backends for development, which show mails to whoever reads logs or files, or lose them.
SHOWN_MAIL = {
    *(f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "filebased", "locmem")),
    "billing_site.local.mailbox.Mailbox",
}
# How keys that move real money begin.
LIVE = ("sk_live_", "rk_live_", "live_")


def refuse_to_start_unsafe(exit_code: int = 1) -> None:
    """Log what the checks of this module find, and exit with this code if an error is among it.

    Called when web, worker and scheduler start.
    """
    messages = run_checks(tags=[TAG])
    for message in messages:
        if not message.is_serious():
            log.warning("unsafe_setting", id=message.id, problem=message.msg, hint=message.hint)
    errors = [message for message in messages if message.is_serious()]
    for error in errors:
        log.error("start_refused", id=error.id, problem=error.msg, hint=error.hint)
    if errors:
        sys.exit(exit_code)


@register(TAG, Tags.security)
def production(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return what is unsafe in production, and warnings of what cannot be meant; nothing on a local machine."""
    if settings.LOCAL:
        return []
    return [*_debug(), *_keys(), *_hosts(), *_gateways(), *_sandbox(), *_play_money(), *_mail(), *_contact()]


@register(Tags.database)
def session_limits(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning for each limit of SESSION_LIMITS that a session behind a pooler does not have."""
    if not settings.DATABASE_POOLED or not databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM unnest(%s::text[]) AS name WHERE current_setting(name) = '0'", [
            list(settings.SESSION_LIMITS)
        ])  # fmt: skip
        missing = [name for (name,) in cursor.fetchall()]
    role, database = settings.DATABASES["default"]["USER"], settings.DATABASES["default"]["NAME"]
    return [
        checks.Warning(
            f"The sessions of the database have no {name}: one that hangs would hold up others for ever.",
            f"ALTER ROLE {role} IN DATABASE {database} SET {name} = '{settings.SESSION_LIMITS[name]}'; "
            "then RECONNECT in the pooler's console.",
            id="billing.W001",
        )
        for name in missing
    ]


def _debug() -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [
        Error("DEBUG is on: error pages would show settings and code to everybody.", "Set DEBUG=0.", id="billing.E001")
    ]


def _keys() -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    if settings.LOCAL_SECRET_KEY in settings.SECRET_KEY_FALLBACKS:
        errors.append(
            Error(
                "SECRET_KEY_FALLBACKS has the public local key.",
                "Remove it: anybody can sign with it.",
                id="billing.E011",
            )
        )
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 5:
        hint = "Set it to 50 random characters or more: `openssl rand -base64 48`."
        errors.append(Error("SECRET_KEY is too easy to guess.", hint, id="billing.E002"))
    key = settings.SIMPLE_JWT["SIGNING_KEY"]
    hint = "Set it to 32 random characters or more, different from SECRET_KEY: `openssl rand -base64 36`."
    if key in ("", settings.LOCAL_JWT_SIGNING_KEY) or len(key) < 32:
        errors.append(Error("JWT_SIGNING_KEY is missing, too short, or the public local one.", hint, id="billing.E003"))
    elif key == settings.SECRET_KEY:
        errors.append(Error("JWT_SIGNING_KEY equals SECRET_KEY.", hint, id="billing.E004"))
    return [*errors, *_mfa_keys()]


def _mfa_keys() -> list[CheckMessage]:
    hint = "Set it to 32 random bytes in base64: `openssl rand -base64 32`. Several, the newest first, with commas."
    try:
        encryption.keys()
    except ValueError as error:
        return [Error(f"{error}.", hint, id="billing.E009")]
    if settings.LOCAL_MFA_KEY in settings.MFA_KEYS:
        return [Error("MFA_KEYS has the public local key.", hint, id="billing.E009")]
    return []


def _hosts() -> list[CheckMessage]:
    loose = [host for host in settings.ALLOWED_HOSTS if not host or host.startswith((".", "*"))]
    if settings.ALLOWED_HOSTS and not loose:
        return []
    return [
        Error(
            f"ALLOWED_HOSTS has {loose or 'no host'}: a request could name any host.",
            "List each host that the site serves, such as billing.example.com.",
            id="billing.E005",
        )
    ]


def _gateways() -> list[CheckMessage]:
    """Check what each gateway that is offered or has keys reports about its own settings, such as a blank secret."""
    hint = "Correct the setting, or remove the gateway's keys and take it off PAYMENT_GATEWAYS."
    return [Error(problem, hint, id="billing.E008") for problem in registry.problems()]


def _sandbox() -> list[CheckMessage]:
    live = [
        name
        for name in dir(settings)
        if name.endswith(("_SECRET_KEY", "_API_KEY")) and str(getattr(settings, name)).startswith(LIVE)
    ]
    if "sandbox" not in settings.PAYMENT_GATEWAYS or not live:
        return []
    return [
        Error(
            f"The sandbox gateway is on beside live keys ({', '.join(live)}): customers could pay with play money.",
            "Remove sandbox from PAYMENT_GATEWAYS, or the live keys from the environment.",
            id="billing.E007",
        )
    ]


def _play_money() -> list[CheckMessage]:
    if settings.PAYMENT_GATEWAYS != ["sandbox"]:
        return []
    return [
        checks.Warning(
            "PAYMENT_GATEWAYS offers only the sandbox: customers pay with play money.",
            "Set it to stripe, yookassa or manual, and the keys of that gateway.",
            id="billing.W002",
        )
    ]


def _contact() -> list[CheckMessage]:
    if settings.SELLER_EMAIL:
        return []
    return [
        checks.Warning(
            "SELLER_EMAIL is not set: pages and mails ask customers to write, and name no address.",
            "Set it to an address that somebody reads, such as help@example.com.",
            id="billing.W004",
        )
    ]


def _mail() -> list[CheckMessage]:
    if settings.MAIL_BACKEND in SHOWN_MAIL:
        return [
            Error(
                f"Mails go to {settings.MAIL_BACKEND}: links that log customers in would be in logs or files, or lost.",
                "Set EMAIL_URL=smtp+tls://user:password@mail.example.com:587, or MAIL_BACKEND to that of a provider.",
                id="billing.E010",
            )
        ]
    if settings.MAIL_BACKEND:
        return _mail_backend()
    return [
        checks.Warning(
            "There is no mail server: mails wait, such as links to reset passwords, which are good for a day.",
            "Set EMAIL_URL=smtp+tls://user:password@mail.example.com:587, or MAIL_BACKEND to that of a provider.",
            id="billing.W003",
        )
    ]


def _mail_backend() -> list[CheckMessage]:
    try:
        import_string(settings.MAIL_BACKEND)
    except ImportError as error:
        hint = "Set it to a backend such as anymail.backends.mailgun.EmailBackend, or leave it blank and set EMAIL_URL."
        return [Error(f"MAIL_BACKEND cannot be loaded: {error}", hint, id="billing.E012")]
    return []
