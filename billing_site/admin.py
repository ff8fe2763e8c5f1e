"""The staff site as a whole: its name, and who sees the scheduler. What is in it stands in each app's admin."""

# Registers what is taken back below; the autodiscovery that follows finds it imported already.
# Puts the customer's page with links in the place of the plain one.

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_celery_beat import admin as beat
from django_celery_beat import models as schedules

from accounts.admin import UserAdmin
from accounts.models import User
from events.models import Event
from ledger import display
from ledger.models import Account, Transaction
from ledger.money import Money
from payments.models import Payment
from subscriptions.models import Subscription

admin.site.site_header = admin.site.site_title = settings.SITE_NAME

admin.site.enable_nav_sidebar = True


class SuperusersOnly(admin.ModelAdmin):
    """How often the clock is poked is nothing to be granted: it is for superusers alone."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return self.has_module_permission(request)

    has_add_permission = has_module_permission
    has_change_permission = has_delete_permission = has_view_permission


for model, registered in (
    (schedules.PeriodicTask, beat.PeriodicTaskAdmin),
    (schedules.IntervalSchedule, beat.IntervalScheduleAdmin),
    (schedules.CrontabSchedule, beat.CrontabScheduleAdmin),
    (schedules.ClockedSchedule, beat.ClockedScheduleAdmin),
    (schedules.SolarSchedule, beat.SolarScheduleAdmin),
):
    admin.site.unregister(model)
    admin.site.register(model, type(registered.__name__, (SuperusersOnly, registered), {}))

# What belongs to a customer directly: the list of each is narrowed to him.
LISTS = ((Payment, _("Payments")), (Subscription, _("Subscriptions")), (Event, _("Events")))

admin.site.unregister(User)


class Link(NamedTuple):
    """To a list, or to a wallet, whose balance is told with it."""

    href: str
    name: str | Promise
    told: str = ""


@admin.register(User)
class CustomerAdmin(UserAdmin):
    """As accounts shows users, with links to what they have."""

    change_form_template = "admin/customer.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **how: Any) -> HttpResponse:
        """Add the links to the page of a user that exists."""
        customer = how.get("obj")
        records = links(request, customer) if customer is not None else []
        answer: HttpResponse = super().render_change_form(request, context | {"records": records}, *args, **how)
        return answer


def links(request: HttpRequest, customer: User) -> list[Link]:
    """Return the ways to what a customer has, as far as this member of staff may look at it."""
    found = [
        Link(f"{_list_of(model)}?customer__id__exact={customer.pk}", name)
        for model, name in LISTS
        if _may_see(request, model)
    ]
    held = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).order_by("currency")
    for wallet in held if _may_see(request, Account) else []:
        balance = display.money(Money(wallet.balance or 0, wallet.currency))
        name = _("Wallet in %s") % wallet.currency
        found.append(Link(reverse("admin:ledger_account_change", args=[wallet.pk]), name, balance))
        if _may_see(request, Transaction):
            log = _("Transactions in %s") % wallet.currency
            found.append(Link(f"{_list_of(Transaction)}?wallet__id__exact={wallet.pk}", log))
    return found


def _may_see(request: HttpRequest, model: Any) -> bool:
    return admin.site.get_model_admin(model).has_view_permission(request)


def _list_of(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
