"""The admin site as a whole: its name, tables of tasks and checks, and links on a customer's page."""

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing_site.desk import scheduler
from core.admin import ReadOnlyAdmin
from core.lists import LimitedList
from core.models import LedgerCheck, TaskRun
from events.models import Event, Mail, UnreachableAddress
from ledger import display
from ledger.models import Account, Transaction
from ledger.money import Money
from payments.admin import adjustments
from payments.models import Adjustment, Payment
from subscriptions.admin import sale
from subscriptions.admin.customers import CustomerActs
from subscriptions.models import Subscription

# The import registers the tables of the scheduler again.
__all__ = ["scheduler"]

admin.site.site_header = admin.site.site_title = settings.SITE_NAME

admin.site.enable_nav_sidebar = True


class RunAdmin(ReadOnlyAdmin):
    """Runs of something, which took so many `seconds`."""

    @admin.display(description=_("seconds"))
    def took(self, run: LedgerCheck | TaskRun) -> str:
        """Return how long it took, to a hundredth of a second."""
        return f"{run.seconds:.2f}"


@admin.register(LedgerCheck)
class LedgerCheckAdmin(RunAdmin):
    """The results of the nightly ledger check, with the first wrong rows of each broken rule."""

    list_display = ["started_at", "clean", "wrong", "checks", "took", "error"]
    ordering = ["-id"]
    fields = ["started_at", "clean", "wrong", "checks", "took", "error", "findings"]

    @admin.display(description=_("clean"), boolean=True)
    def clean(self, check: LedgerCheck) -> bool:
        """Return whether the run came to an end and found nothing."""
        return check.is_clean


@admin.register(TaskRun)
class TaskRunAdmin(RunAdmin):
    """How the last run of each periodic task ended."""

    list_display = ["task", "finished_at", "succeeded_at", "took", "runs", "failures", "error"]
    ordering = ["task"]
    fields = ["task", "finished_at", "succeeded_at", "took", "runs", "failures", "error"]


# Lists that a customer's page links to, each filtered by that customer.
LISTS = (
    (Payment, _("Payments")),
    (Adjustment, _("Adjustments")),
    (Subscription, _("Subscriptions")),
    (Event, _("Events")),
    (Mail, _("Emails")),
)

# accounts.admin has registered it; CustomerAdmin below takes its place.
admin.site.unregister(User)


class Link(NamedTuple):
    """A link to a list or a wallet. `note` is the wallet's balance, empty for a list."""

    href: str
    name: str | Promise
    note: str = ""


class CustomerList(LimitedList):
    """The list of users: each leads to the page with everything about the customer."""

    def url_for_result(self, result: Any) -> str:
        """Return the address of the customer's page."""
        return reverse("admin:customer", args=[result.pk])


@admin.register(User)
class CustomerAdmin(CustomerActs):
    """The admin page of a user, with acts, and links to their payments, subscriptions, events and wallets."""

    acts = {"subscribe": sale.SaleForm, **CustomerActs.acts, **adjustments.ON_CUSTOMERS}
    change_form_template = "admin/customer.html"

    def back(self, row: User) -> str:
        """Return the page with everything about the customer: staff have come from there."""
        return reverse("admin:customer", args=[row.pk])

    def get_changelist(self, request: HttpRequest, **options: Any) -> Any:
        """Return the list that leads to the customers' pages."""
        return CustomerList

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Render the page; add the links unless the user is just being created."""
        customer = options.get("obj")
        records = links(request, customer) if customer is not None else []
        answer: HttpResponse = super().render_change_form(request, context | {"records": records}, *args, **options)
        return answer


def links(request: HttpRequest, customer: User) -> list[Link]:
    """Return links to a customer's rows, without those that this member of staff may not view."""
    shown = [
        Link(f"{_list_of(model)}?customer__id__exact={customer.pk}", name)
        for model, name in LISTS
        if _may_see(request, model)
    ]
    bounced = UnreachableAddress.objects.filter(address=customer.email.lower()).first()
    if bounced and _may_see(request, UnreachableAddress):
        row = reverse("admin:events_unreachableaddress_change", args=[bounced.pk])
        shown.append(Link(row, _("Emails come back from this address"), bounced.reason))
    wallets = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).order_by("currency")
    for wallet in wallets if _may_see(request, Account) else []:
        balance = display.money(Money(wallet.balance or 0, wallet.currency))
        name = _("Balance in %s") % wallet.currency
        shown.append(Link(reverse("admin:ledger_account_change", args=[wallet.pk]), name, balance))
        if _may_see(request, Transaction):
            log = _("Transactions in %s") % wallet.currency
            shown.append(Link(f"{_list_of(Transaction)}?wallet__id__exact={wallet.pk}", log))
    return shown


def _may_see(request: HttpRequest, model: Any) -> bool:
    return admin.site.get_model_admin(model).has_view_permission(request)


def _list_of(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
