"""The settings of the product for tests. Tests change single ones with the fixture `settings`."""

import os
from pathlib import Path
from typing import cast

os.environ.setdefault("LOCAL", "1")
os.environ.setdefault("LOG_LEVEL", "INFO")

from billing_site.local import translations
from billing_site.local.valkey import Valkey
from billing_site.settings import *  # noqa: F403 - after LOCAL is set
from billing_site.settings import CACHES, PASSWORD_HASHERS, STATIC_ROOT, STORAGES, TEMPLATES, VAR_DIR

# A Valkey for the tests (tests/conftest.py starts it), with two databases for each process of pytest-xdist. Tests empty
# them, so CELERY_BROKER_URL and CACHE_URL, which may name a server in use, are ignored.
PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
VALKEY = Valkey(VAR_DIR / "valkey-test")
BROKER_DATABASE = 2 * PROCESS
CELERY_BROKER_URL = VALKEY.broker_url(BROKER_DATABASE)
# A busy machine is no cache that hangs, and skipping the cache would switch throttles off.
PATIENT = {"socket_connect_timeout": 5, "socket_timeout": 5}
CACHES = {"default": CACHES["default"] | {"LOCATION": VALKEY.cache_url(BROKER_DATABASE + 1), "OPTIONS": PATIENT}}

# The first hasher hashes; the others only verify.
PASSWORD_HASHERS = ["tests.hashers.QuickArgon2PasswordHasher", *PASSWORD_HASHERS[1:]]

# Static files straight from the checkout, so that no test waits for collecting and compressing them.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
# Look a file up when it is asked for: each of thousands of clients would list and read the headers of all files first.
WHITENOISE_AUTOREFRESH = True

# The templates of the sample mails of tests/events/mails/ are there for all tests: a change of TEMPLATES in a test
# would have Django compile every template again.
MAIL_SAMPLES = Path(__file__).with_name("events") / "mails" / "templates"
TEMPLATES = [engine | {"DIRS": [*cast(list[Path], engine["DIRS"]), MAIL_SAMPLES]} for engine in TEMPLATES]

# What `make run` would prepare. The first process of pytest-xdist does it before it starts the others.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
if "PYTEST_XDIST_WORKER" not in os.environ:
    translations.compile_all()
