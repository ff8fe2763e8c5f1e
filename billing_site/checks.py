"""What production must not be: these checks stop web, worker and scheduler before they serve anybody.

Each looks at settings only. A local machine (LOCAL) passes: the defaults are made for it.
"""

import sys
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks

from payments.gateways import registry

TAG = "production"


def refuse_to_start_unsafe() -> None:
    """End this process with the reasons if a check of this module finds one. Called where serving begins."""
    errors = [message for message in run_checks(tags=[TAG]) if message.is_serious()]
    if errors:
        sys.exit(
            "Refusing to start:\n" + "\n".join(f"  {error.id}: {error.msg} {error.hint or ''}" for error in errors)
        )


@register(TAG, Tags.security)
def production(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each thing that must not be so in production."""
    return [] if settings.LOCAL else [*_debug(), *_keys(), *_hosts(), *(_webhook_secrets() or _gateways()), *_sandbox()]


def _debug() -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [Error("DEBUG is on: an error would show settings and code to anybody.", "Set DEBUG=0.", id="billing.E001")]


def _keys() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 5:
        hint = "Give it 50 random characters or more: `openssl rand -base64 48`."
        found.append(Error("SECRET_KEY is too easy to guess.", hint, id="billing.E002"))
    key = settings.SIMPLE_JWT["SIGNING_KEY"]
    hint = "Give it 32 random characters or more, other than SECRET_KEY: `openssl rand -base64 36`."
    if key in ("", settings.LOCAL_JWT_SIGNING_KEY) or len(key) < 32:
        found.append(Error("JWT_SIGNING_KEY is missing, short, or the one everybody knows.", hint, id="billing.E003"))
    elif key == settings.SECRET_KEY:
        found.append(Error("JWT_SIGNING_KEY is SECRET_KEY.", hint, id="billing.E004"))
    return found


def _hosts() -> list[CheckMessage]:
    loose = [host for host in settings.ALLOWED_HOSTS if not host or host.startswith((".", "*"))]
    if settings.ALLOWED_HOSTS and not loose:
        return []
    return [
        Error(
            f"ALLOWED_HOSTS has {loose or 'nothing'}: a request could name any host.",
            "Name each host the site answers to, such as billing.example.com.",
            id="billing.E005",
        )
    ]


def _webhook_secrets() -> list[CheckMessage]:
    """A gateway's webhook secret is the setting <GATEWAY>_WEBHOOK_SECRET; staff confirm the manual one themselves."""
    found: list[CheckMessage] = []
    for gateway in settings.PAYMENT_GATEWAYS:
        name = f"{gateway.upper()}_WEBHOOK_SECRET"
        secret = str(getattr(settings, name, "")).strip()
        if gateway != "manual" and secret in ("", settings.LOCAL_WEBHOOK_SECRET):
            hint = f"Set {name} to the secret the gateway signs its webhooks with."
            found.append(
                Error(f"{name} is blank or the local one: anybody could report a payment.", hint, id="billing.E006")
            )
    return found


def _gateways() -> list[CheckMessage]:
    """What each gateway itself finds wrong with its settings, such as a secret that cannot be read."""
    hint = "Correct the setting, or take the gateway out of PAYMENT_GATEWAYS."
    return [Error(problem, hint, id="billing.E008") for problem in registry.problems()]


def _sandbox() -> list[CheckMessage]:
    live = [
        name
        for name in dir(settings)
        if name.endswith(("_SECRET_KEY", "_API_KEY")) and str(getattr(settings, name)).startswith(("sk_live_", "live_"))
    ]
    if "sandbox" not in settings.PAYMENT_GATEWAYS or not live:
        return []
    return [
        Error(
            f"The sandbox gateway stands beside live keys ({', '.join(live)}): play money would buy the real thing.",
            "Take sandbox out of PAYMENT_GATEWAYS, or the live keys out of the environment.",
            id="billing.E007",
        )
    ]
