"""Admin for prices, with the acts that put a new version on sale and change one that nobody has used."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.list_filters import present
from events.admin.review import ActAdmin
from ledger.amounts_admin import currency_filter
from subscriptions.admin.first_price import ChangeTermsForm
from subscriptions.admin.terms import TERMS, shown
from subscriptions.admin.versions import VersionForm
from subscriptions.models import Price

# Fields that the system sets.
SET = ("version", "used_at", "archived_at")


@admin.register(Price)
class PriceAdmin(ActAdmin):
    """Versions of prices. One that a subscription has used cannot change: a new version replaces it.

    A plan gets its first price on the page of the plan.
    """

    acts = {"new-version": VersionForm, "change-terms": ChangeTermsForm}

    list_display = ["__str__", "plan", "currency", "amount_shown", "version", "is_current", "used_at"]
    list_filter = ["plan", currency_filter(), present("archived_at", _("replaced by a newer version"))]
    list_select_related = ["plan"]
    ordering = ["plan__position", "currency", "-version"]
    fields = ["plan", "currency", "amount_shown", *(name for name in TERMS if name != "amount"), *SET]
    readonly_fields = ["amount_shown"]

    @admin.display(description=_("amount"))
    def amount_shown(self, price: Price) -> str:
        """Return the amount and the interval."""
        return shown(price)

    @admin.display(description=_("current"), boolean=True)
    def is_current(self, price: Price) -> bool:
        """Return whether this version is current."""
        return price.archived_at is None
