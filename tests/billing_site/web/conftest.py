"""Fixtures of the page tests: the demo's plans on sale, a frozen clock, a browser signed in as Alice."""

from tests.web import browser, clock, now, on_sale, standard, unsteady

__all__ = ["browser", "clock", "now", "on_sale", "standard", "unsteady"]
