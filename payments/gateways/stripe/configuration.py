"""Stripe's settings: the keys, which mode they are for, and what is wrong with them."""

import re
from urllib.parse import urlsplit

from django.conf import settings

# Where a form of ours may lead, if STRIPE_API_BASE is blank: Stripe's hosted page.
CHECKOUT = "https://checkout.stripe.com"
LOOPBACK = ("127.0.0.1", "localhost")
SECRET_KEY = re.compile(r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9_]{10,}", re.ASCII)
WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{24,}", re.ASCII)


def key() -> str:
    """Return STRIPE_SECRET_KEY, "" if it is not set."""
    return str(settings.STRIPE_SECRET_KEY).strip()


def webhook_secrets() -> list[str]:
    """Return the secrets of STRIPE_WEBHOOK_SECRET: two while it is being changed, divided by a space."""
    return str(settings.STRIPE_WEBHOOK_SECRET).split()


def api_base() -> str:
    """Return STRIPE_API_BASE, "" for Stripe itself."""
    return str(settings.STRIPE_API_BASE).strip().rstrip("/")


def is_live() -> bool:
    """Return whether the key moves real money."""
    return key().startswith(("sk_live_", "rk_live_"))


def form_target() -> str:
    """Return the origin of the hosted page."""
    base = urlsplit(api_base())
    return f"{base.scheme}://{base.netloc}" if base.netloc else CHECKOUT


def problems() -> list[str]:
    """Return what is wrong with the settings, a line each that names the variable."""
    return [*_problems_of_the_key(), *_problems_of_the_secrets(), *_problems_of_the_base()]


def _problems_of_the_key() -> list[str]:
    example = "the secret key from Stripe's dashboard, Developers, API keys, such as sk_live_... or rk_live_..."
    if not key():
        return [f"STRIPE_SECRET_KEY is blank; set it to {example}"]
    if key().startswith("pk_"):
        return [f"STRIPE_SECRET_KEY is a publishable key (pk_...); set it to {example}"]
    return [] if SECRET_KEY.fullmatch(key()) else [f"STRIPE_SECRET_KEY is malformed; set it to {example}"]


def _problems_of_the_secrets() -> list[str]:
    example = "the signing secret of the webhook endpoint in Stripe's dashboard, such as whsec_..."
    if not webhook_secrets():
        return [f"STRIPE_WEBHOOK_SECRET is blank: anybody could send us webhooks; set it to {example}"]
    if all(WEBHOOK_SECRET.fullmatch(secret) for secret in webhook_secrets()):
        return []
    return [f"STRIPE_WEBHOOK_SECRET is malformed; set it to {example}, and two of them divided by a space"]


def _problems_of_the_base() -> list[str]:
    base = urlsplit(api_base())
    if not api_base():
        return []
    if is_live():
        return ["STRIPE_API_BASE must be blank beside a live key: the key would be sent to another server"]
    if base.netloc and (
        base.scheme == "https" or (base.scheme == "http" and base.hostname in ("127.0.0.1", "localhost"))
    ):
        return []
    return ["STRIPE_API_BASE must be blank, or an address of your own such as http://127.0.0.1:8012"]
