"""The admin site. Who may enter: staff, and where a second factor is required, those who have one."""

from collections.abc import Callable
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing_site.desk import figures, today
from billing_site.desk.account import account_view
from billing_site.desk.clearing import clearing_view
from billing_site.desk.customer import customer_page
from billing_site.desk.exports import views as exports
from billing_site.desk.search import search
from ledger.models import Transaction
from payments.models import Payment
from subscriptions.models import Plan, Subscription

# The app of beat's tables. It comes last, under a name of its own, and only on the page of all apps.
SCHEDULER = "django_celery_beat"
# The lists that are named on top of each page.
NAV: tuple[tuple[Any, str | Promise], ...] = (
    (User, _("Customers")), (Payment, _("Payments")), (Subscription, _("Subscriptions")), (Plan, _("Plans")),
    (Transaction, _("Transactions")),
)  # fmt: skip


class DeskSite(admin.AdminSite):
    """Django's admin site, with the second factor of staff and the pages of the desk."""

    index_template = "admin/today.html"

    def figures(self, request: HttpRequest) -> HttpResponse:
        """Return the page of figures; 400 with the error if the span makes no sense."""
        if not request.user.has_perm("ledger.view_figures"):
            raise PermissionDenied
        shown = figures.context(request.GET, now=timezone.now())
        context = {**self.each_context(request), **shown}
        is_wrong = "form" in shown and bool(shown["form"].errors)
        return TemplateResponse(request, "admin/figures.html", context, status=400 if is_wrong else 200)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Return the first page: what waits for staff, then Django's list of tables."""
        return super().index(request, today.context(request, now=timezone.now()) | (extra_context or {}))

    def get_urls(self) -> list[Any]:
        """Add the pages of the desk, and replace Django's history of a row, which knows nothing of acts."""
        route = "<slug:app>/<slug:table>/<path:pk>/history/"
        own = [
            path("search/", self.admin_view(search), name="search"),
            path("customers/<int:pk>/", self.admin_view(customer_page), name="customer"),
            path("customers/<int:pk>/account/", self.admin_view(account_view), name="customer_account"),
            path("clearing/", self.admin_view(clearing_view), name="clearing"),
            path("figures/", self.admin_view(self.figures), name="figures"),
            *exports.urls(self),
            path(route, self.admin_view(history), name="acts_of"),
        ]
        return [*own, *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the apps that the user may see, the scheduler last."""
        apps = super().get_app_list(request, app_label)
        for app in apps:
            if app["app_label"] == SCHEDULER:
                app["name"] = gettext("Scheduler")
        return sorted(apps, key=lambda app: bool(app["app_label"] == SCHEDULER))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what each page shows: the scheduler is left out of the list at its side."""
        context: dict[str, Any] = super().each_context(request)
        apps = [app for app in context["available_apps"] if app["app_label"] != SCHEDULER]
        return context | {"available_apps": apps, "desk_nav": _nav(request, apps)}

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Wrap a view: staff without a second factor are led to the page that sets one up, if it is required."""

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if self.has_permission(request) and lacks_second_factor(request):
                text = gettext("Staff need a second factor. Set it up here, then go on.")
                messages.warning(request, text)
                return HttpResponseRedirect(reverse("mfa_activate_totp"))
            answer: HttpResponse = view(request, *args, **kwargs)
            return answer

        # Django's own wrapper looks at these marks of views.
        for mark in ("csrf_exempt", "never_cache", "xframe_options_exempt"):
            if hasattr(view, mark):
                setattr(guarded, mark, getattr(view, mark))
        return super().admin_view(guarded, cacheable)


def _nav(request: HttpRequest, apps: list[dict[str, Any]]) -> list[tuple[str | Promise, str, bool]]:
    """Return the lists on top of each page that the reader may view: name, address, and whether this page is there."""
    lists = {each["model"]: each["admin_url"] for app in apps for each in app["models"]}
    first = reverse("admin:index")
    shown = [(name, lists[model]) for model, name in NAV if lists.get(model)]
    return [(_("Today"), first, request.path == first)] + [
        (name, href, request.path.startswith(href)) for name, href in shown
    ]


def history(request: HttpRequest, app: str, table: str, pk: str) -> HttpResponse:
    """Lead to the acts of staff on a row."""
    if not cast(User, request.user).has_perm("events.view_staffact"):
        raise PermissionDenied
    query = urlencode({"object": f"{app}.{table}:{unquote(pk)}"})
    return HttpResponseRedirect(f"{reverse('admin:events_staffact_changelist')}?{query}")


def lacks_second_factor(request: HttpRequest) -> bool:
    """Return whether the member of staff must set up a second factor first."""
    if not settings.STAFF_SECOND_FACTOR:
        return False
    return not Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.TOTP).exists()
