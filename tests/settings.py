"""The product's own settings on a machine that is never production. Tests change single ones with a fixture."""

import os

os.environ.setdefault("LOCAL", "1")
os.environ.setdefault("LOG_LEVEL", "INFO")

from billing_site.local import messages
from billing_site.settings import *  # noqa: F403 - LOCAL comes first
from billing_site.settings import STATIC_ROOT

# A fresh checkout lacks what `make run` prepares. The processes of pytest-xdist come after the one that starts them.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
if "PYTEST_XDIST_WORKER" not in os.environ:
    messages.compile_all()
