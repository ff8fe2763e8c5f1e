"""The basis of the other settings: environment, folders, secret key, site address, and whether this run is local."""

import environ
from django.core.exceptions import ImproperlyConfigured

from billing_site.local import paths

BASE_DIR = paths.ROOT
VAR_DIR = paths.VAR

env = environ.Env()

# Local means that nobody else can reach this machine, so public default keys will do. Anything else is production.
LOCAL = env.bool("LOCAL", default=not (env.str("SECRET_KEY", default="") or env.str("DATABASE_URL", default="")))
DEBUG = env.bool("DEBUG", default=False)
LOCAL_SECRET_KEY = "local-only-not-a-secret-" + "0" * 40
SECRET_KEY = env.str("SECRET_KEY", default="") or (LOCAL_SECRET_KEY if LOCAL else "")
if not LOCAL and SECRET_KEY in ("", LOCAL_SECRET_KEY):
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Set it to 50 random characters or more: `openssl rand -base64 48`. "
        "On a machine that only you can reach, set LOCAL=1 instead."
    )
PORT = env.int("PORT", default=8000)
# Start of the links in mails, return URLs and the sandbox's webhooks. The Host header is never used for them.
SITE_URL = (env.str("SITE_URL", default="") or f"http://127.0.0.1:{PORT}").rstrip("/")
SITE_NAME = env.str("SITE_NAME", default="Acme Billing")
