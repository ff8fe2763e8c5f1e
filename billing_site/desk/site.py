"""The admin site. Who may enter: staff, and where a second factor is required, those who have one."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext

from billing_site.desk import figures, today


class DeskSite(admin.AdminSite):
    """Django's admin site, with the second factor of staff and a first page of our own."""

    index_template = "admin/today.html"

    def get_urls(self) -> Any:
        """Add our own pages to Django's."""
        return [path("figures/", self.admin_view(self.figures), name="figures"), *super().get_urls()]

    def figures(self, request: HttpRequest) -> HttpResponse:
        """Return the page of figures; 400 with the error if the span makes no sense."""
        if not request.user.has_perm("ledger.view_figures"):
            raise PermissionDenied
        shown = figures.context(request.GET, now=timezone.now())
        context = {**self.each_context(request), **shown}
        return TemplateResponse(request, "admin/figures.html", context, status=400 if shown["form"].errors else 200)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Return the first page: what waits for staff, then Django's list of tables."""
        return super().index(request, today.context(request, now=timezone.now()) | (extra_context or {}))

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


def lacks_second_factor(request: HttpRequest) -> bool:
    """Return whether the member of staff must set up a second factor first."""
    if not settings.STAFF_SECOND_FACTOR:
        return False
    return not Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.TOTP).exists()
