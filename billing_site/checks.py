"""System checks that keep web, worker and scheduler from starting with unsafe production settings.

Those read settings only, and pass where LOCAL is set: the defaults are made for a local machine. `migrate` and
`check --database default` also look at the limits of a database session behind a pooler.
"""

import sys
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.db import connection

from payments.gateways import registry

TAG = "production"
# How keys that move real money begin.
LIVE = ("sk_live_", "rk_live_", "live_")


def refuse_to_start_unsafe() -> None:
    """Exit with the reasons if a check of this module fails. Called when web, worker and scheduler start."""
    errors = [message for message in run_checks(tags=[TAG]) if message.is_serious()]
    if errors:
        sys.exit(
            "Refusing to start:\n" + "\n".join(f"  {error.id}: {error.msg} {error.hint or ''}" for error in errors)
        )


@register(TAG, Tags.security)
def production(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each setting that is unsafe in production; none on a local machine."""
    return [] if settings.LOCAL else [*_debug(), *_keys(), *_hosts(), *_gateways(), *_sandbox()]


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
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 5:
        hint = "Set it to 50 random characters or more: `openssl rand -base64 48`."
        errors.append(Error("SECRET_KEY is too easy to guess.", hint, id="billing.E002"))
    key = settings.SIMPLE_JWT["SIGNING_KEY"]
    hint = "Set it to 32 random characters or more, different from SECRET_KEY: `openssl rand -base64 36`."
    if key in ("", settings.LOCAL_JWT_SIGNING_KEY) or len(key) < 32:
        errors.append(Error("JWT_SIGNING_KEY is missing, too short, or the public local one.", hint, id="billing.E003"))
    elif key == settings.SECRET_KEY:
        errors.append(Error("JWT_SIGNING_KEY equals SECRET_KEY.", hint, id="billing.E004"))
    return errors


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
