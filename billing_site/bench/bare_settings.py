"""The product's settings, with the bare views of the bench beside the product's own URLs."""

from billing_site.settings import *  # noqa: F403 - all of them

ROOT_URLCONF = "billing_site.bench.bare_views"
