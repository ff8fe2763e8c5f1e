"""Everything the demo sells, and Alice at her browser."""

from tests.web import browser, clock, now, on_sale, standard, unsteady

__all__ = ["browser", "clock", "now", "on_sale", "standard", "unsteady"]
