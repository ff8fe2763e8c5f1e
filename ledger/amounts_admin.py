"""A column for admin pages: the amount of a row with its currency."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ledger.display import money


class AmountMixin:
    """Adds the column `amount_shown` to an admin of rows that have `amount` and `money`."""

    @admin.display(description=_("amount"), ordering="amount")
    def amount_shown(self, row: Any) -> str:
        """Return the amount with its currency."""
        return money(row.money)
