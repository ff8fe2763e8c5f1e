"""What admin pages of amounts share: the column of a row's amount with its currency, and a filter by currency."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.list_filters import known
from ledger.display import money
from ledger.models import Account


def currencies() -> list[str]:
    """Return the currencies that were ever used: those of the system accounts, which are few."""
    return list(Account.objects.filter(owner=None).order_by("currency").values_list("currency", flat=True).distinct())


def currency_filter(field: str = "currency") -> type[admin.SimpleListFilter]:
    """Return a filter of a list by currency."""
    return known(field, _("currency"), currencies)


class AmountMixin:
    """Adds the column `amount_shown` to an admin of rows that have `amount` and `money`."""

    @admin.display(description=_("amount"), ordering="amount")
    def amount_shown(self, row: Any) -> str:
        """Return the amount with its currency."""
        return money(row.money)
