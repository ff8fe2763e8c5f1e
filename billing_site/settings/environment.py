"""The basis of the other settings: environment, folders, secret key, site address, and whether this run is local."""

import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from billing_site import environment
from billing_site.local import paths

BASE_DIR = paths.ROOT
VAR_DIR = paths.VAR
# Not typed: the plugin of mypy for Django looks at settings before mypy has inferred their types.
env: Any = environment.env


def site_address(text: str) -> str:
    """Return the address without a slash at its end. Raises ValueError for one that links cannot begin with."""
    if text and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:_-]+(?:/[^\s?#@]*)?", text):
        raise ValueError
    return text.rstrip("/")


# Local means that nobody else can reach this machine, so public default keys will do. Anything else is production.
LOCAL = env.bool("LOCAL", default=not (env.str("SECRET_KEY") or env.str("DATABASE_URL")))
DEBUG = env.bool("DEBUG", default=False)
LOCAL_SECRET_KEY = "local-only-not-a-secret-" + "0" * 40
SECRET_KEY = env.str("SECRET_KEY") or (LOCAL_SECRET_KEY if LOCAL else "")
if not LOCAL and SECRET_KEY in ("", LOCAL_SECRET_KEY):
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Set it to 50 random characters or more: `openssl rand -base64 48`. "
        "On a machine that only you can reach, set LOCAL=1 instead."
    )
# Address and port of the web server, and its processes and threads. billing_site.gunicorn uses them.
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000, least=1, most=65535)
WEB_WORKERS = env.int("WEB_WORKERS", default=2, least=1)
WEB_THREADS = env.int("WEB_THREADS", default=4, least=1)
# Start of the links in mails, return URLs and the sandbox's webhooks. The Host header is never used for them.
_site_url = env.parsed(
    "SITE_URL", site_address, default="", allowed="the address of the site, without a user, ? or #",
    example="https://billing.example.com", is_secret=True,
)  # fmt: skip
SITE_URL: str = _site_url or f"http://127.0.0.1:{PORT}"
SITE_NAME = env.str("SITE_NAME", default="Acme Billing")
