"""The product's own settings on a machine that is never production. Tests change single ones with a fixture."""

import os

os.environ.setdefault("LOCAL", "1")

from billing_site.settings import *  # noqa: F403
