"""Admin for transactions: the ledger's own, plus the explanation of each amount."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from ledger.admin import TransactionAdmin
from ledger.models import Transaction
from subscriptions.explain.arithmetic import explainable
from subscriptions.web.explanation import explain_transaction

# The ledger does not know subscriptions, so this app replaces its admin with one that has the explanation.
admin.site.unregister(Transaction)


@admin.register(Transaction)
class ExplainedTransactionAdmin(TransactionAdmin):
    """The ledger's admin with an explanation. It needs no permission beyond viewing the transaction."""

    def get_fields(self, request: HttpRequest, obj: Transaction | None = None) -> Any:
        """Add the explanation below the ledger's fields."""
        return [*super().get_fields(request, obj), "explanation"]

    def get_readonly_fields(self, request: HttpRequest, obj: Transaction | None = None) -> Any:
        """Make the explanation read-only too."""
        return [*super().get_readonly_fields(request, obj), "explanation"]

    @admin.display(description=_("explanation"))
    def explanation(self, row: Transaction) -> str:
        """Return the explanation that the customer sees; empty for a transaction that they do not see."""
        if row.customer_id is None or not explainable(row.customer_id).filter(pk=row.pk).exists():
            return ""
        return render_to_string("subscriptions/_explanation.html", {"explanation": explain_transaction(row)})
