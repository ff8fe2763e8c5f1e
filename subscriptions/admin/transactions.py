"""Transactions for staff, with what the plans know of them: why each has its amount, worked out again now."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from ledger.admin import TransactionAdmin
from ledger.models import Transaction
from subscriptions.web.explanation import explain_transaction

# The ledger moves money and does not know for what: its own page is shown with one field more.
admin.site.unregister(Transaction)


@admin.register(Transaction)
class ExplainedTransactionAdmin(TransactionAdmin):
    """As the ledger shows them. Whoever may look at a transaction may look at its arithmetic."""

    def get_fields(self, request: HttpRequest, obj: Transaction | None = None) -> Any:
        """Add the arithmetic below the ledger's own fields."""
        return [*super().get_fields(request, obj), "explanation"]

    def get_readonly_fields(self, request: HttpRequest, obj: Transaction | None = None) -> Any:
        """Nothing of it is for writing."""
        return [*super().get_readonly_fields(request, obj), "explanation"]

    @admin.display(description=_("explanation"))
    def explanation(self, row: Transaction) -> str:
        """Return what its customer is told on the page of the transaction; nothing where no wallet was touched."""
        if row.wallet_id is None:
            return ""
        return render_to_string("subscriptions/_explanation.html", {"told": explain_transaction(row)})
