"""Admin for billing clocks: find books that need attention, preview what settling would post, and settle them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, link_to_customer
from ledger.display import money
from ledger.money import Money
from subscriptions import billing_run
from subscriptions.models import BillingClock


class Attention(admin.SimpleListFilter):
    """Filter the books that are due or need staff."""

    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices of the filter."""
        return [("parked", _("parked")), ("waiting", _("overdue, needs staff")), ("due", _("due now"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BillingClock]) -> QuerySet[BillingClock]:
        """Return the clocks that match the choice."""
        now = timezone.now()
        match self.value():
            case "parked":
                return queryset.exclude(parked_at=None)
            case "waiting":
                return queryset.filter(pk__in=billing_run.waiting(now).values("pk"))
            case "due":
                return queryset.filter(pk__in=billing_run.due(now).values("pk"))
        return queryset


@admin.register(BillingClock)
class BookAdmin(ReadOnlyAdmin):
    """The billing clock of each wallet. A book that is parked or overdue for too long waits for staff."""

    list_display = ["wallet", "customer", "balance", "settled_at", "due_at", "parked_at", "parked_reason"]
    list_filter = [Attention, "wallet__currency"]
    list_select_related = ["wallet__owner"]
    search_fields = ["wallet__owner__username", "wallet__owner__email"]
    ordering = ["-wallet"]
    readonly_fields = ["dry_run"]
    actions = ["settle_now"]

    @admin.display(description=_("customer"))
    def customer(self, clock: BillingClock) -> str:
        """Return the owner of the wallet."""
        return str(clock.wallet.owner)

    @admin.display(description=_("customer"))
    def customer_shown(self, row: BillingClock) -> str:
        """Return a link to the owner of the wallet."""
        return link_to_customer(row.wallet.owner)

    @admin.display(description=_("balance"))
    def balance(self, clock: BillingClock) -> str:
        """Return the balance of the wallet."""
        return money(Money(clock.wallet.balance or 0, clock.wallet.currency))

    @admin.display(description=_("would be charged now"))
    def dry_run(self, clock: BillingClock) -> str:
        """Return a table of the movements that settling would post now, or the error that prevents it."""
        try:
            lines = billing_run.dry_run(clock.wallet_id, timezone.now())
        except Exception as error:  # noqa: BLE001 - a broken book is what staff come here to see
            return f"{type(error).__name__}: {error}"
        return render_to_string("admin/subscriptions/dry_run.html", {"lines": lines})

    @admin.action(description=_("Bill these customers now"), permissions=["act"])
    def settle_now(self, request: HttpRequest, queryset: QuerySet[BillingClock]) -> None:
        """Settle each book, however long overdue, and park those that cannot be settled."""
        run = billing_run.settle_books(list(queryset.values_list("pk", flat=True)), timezone.now())
        said = _("Balances billed: %(books)d. Charges made: %(charges)d. Parked: %(parked)d.")
        level = messages.WARNING if run.parked else messages.SUCCESS
        self.message_user(request, said % {"books": run.books, "charges": run.charges, "parked": run.parked}, level)
