"""What the other settings are made from: the environment, the folders, and whether this is a local run."""

import environ
from django.core.exceptions import ImproperlyConfigured

from billing_site.local import paths

BASE_DIR = paths.ROOT
VAR_DIR = paths.VAR

env = environ.Env()

# Local: nobody but us can reach it, and the defaults below will do. Anything else is production and must name its own.
LOCAL = env.bool("LOCAL", default=not (env.str("SECRET_KEY", default="") or env.str("DATABASE_URL", default="")))
DEBUG = env.bool("DEBUG", default=False)
LOCAL_SECRET_KEY = "local-only-not-a-secret-" + "0" * 40
SECRET_KEY = env.str("SECRET_KEY", default="") or (LOCAL_SECRET_KEY if LOCAL else "")
if not LOCAL and SECRET_KEY in ("", LOCAL_SECRET_KEY):
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Give it 50 random characters or more: `openssl rand -base64 48`. "
        "On a machine that only you can reach, LOCAL=1 does without."
    )
PORT = env.int("PORT", default=8000)
# Links in mails, return addresses and the sandbox's webhooks start with this; never with the Host header.
SITE_URL = (env.str("SITE_URL", default="") or f"http://127.0.0.1:{PORT}").rstrip("/")
SITE_NAME = env.str("SITE_NAME", default="Acme Billing")
