"""The product's own settings on a machine that is never production. Tests change single ones with a fixture."""

import os

os.environ.setdefault("LOCAL", "1")
os.environ.setdefault("LOG_LEVEL", "INFO")

from billing_site.local import translations
from billing_site.local.valkey import Valkey
from billing_site.settings import *  # noqa: F403 - LOCAL comes first
from billing_site.settings import CACHES, STATIC_ROOT, STORAGES, VAR_DIR

# A Valkey of the tests' own (tests/conftest.py starts it), with two databases for each process of pytest-xdist:
# emptying the cache empties one of them. CELERY_BROKER_URL and CACHE_URL may name somebody's, so they are not used.
PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
VALKEY = Valkey(VAR_DIR / "valkey-test")
BROKER_DATABASE = 2 * PROCESS
CELERY_BROKER_URL = VALKEY.broker_url(BROKER_DATABASE)
CACHES = {"default": CACHES["default"] | {"LOCATION": VALKEY.cache_url(BROKER_DATABASE + 1)}}

# Files as they are in the checkout: no test waits until they are collected and compressed.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True

# A fresh checkout lacks what `make run` prepares. The processes of pytest-xdist come after the one that starts them.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
if "PYTEST_XDIST_WORKER" not in os.environ:
    translations.compile_all()
