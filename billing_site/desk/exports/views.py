"""The page of exports, and the downloads. Each download is recorded as an act of staff."""

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import User
from billing_site.desk.exports.csv_stream import Tally, stream
from billing_site.desk.exports.form import EXPORTS, ExportForm
from billing_site.desk.exports.table import Extract
from core.addresses import client_address
from events import act_titles, staff_acts
from events.staff_acts import Author

PERMISSION = "ledger.export_transaction"
EXPORTED = "view.export"
act_titles.register(EXPORTED, _("Exported"))


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the URLs of the page and of the downloads, for the admin site."""
    extra = {"site": site}
    return [
        path("exports/", site.admin_view(exports), extra, name="exports"),
        path("exports/<slug:name>.csv", site.admin_view(download), extra, name="export"),
    ]


@require_safe
def exports(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the form; if it was filled in well, go to the download."""
    _check_permission(request)
    form = ExportForm(request.GET or None, now=timezone.now())
    if form.is_valid():
        given = {name: value for name, value in request.GET.items() if name in ("from", "to", "currency", "bom")}
        target = reverse("admin:export", args=[form.cleaned_data["name"]])
        return HttpResponseRedirect(f"{target}?{urlencode({name: value for name, value in given.items() if value})}")
    return _page(request, site, form)


@require_safe
def download(request: HttpRequest, site: AdminSite, name: str) -> StreamingHttpResponse | HttpResponse:
    """Stream an export as CSV. If the address is wrong, show the form with what is wrong with it."""
    _check_permission(request)
    if name not in EXPORTS:
        raise Http404
    form = ExportForm(request.GET.dict() | {"name": name}, now=timezone.now())
    if not form.is_valid():
        return _page(request, site, form)
    extract = form.extract()
    if request.method == "HEAD":
        return HttpResponse(content_type="text/csv; charset=utf-8")
    _record(request, extract)
    headers = {"Content-Disposition": f'attachment; filename="{extract.filename}"'}
    return StreamingHttpResponse(stream(extract, Tally()), content_type="text/csv; charset=utf-8", headers=headers)


def _check_permission(request: HttpRequest) -> None:
    if not cast(User, request.user).has_perm(PERMISSION):
        raise PermissionDenied


def _page(request: HttpRequest, site: AdminSite, form: ExportForm) -> HttpResponse:
    """Return the page with the form; 400 if it has errors."""
    context: dict[str, Any] = {
        **site.each_context(request), "title": _("Exports"), "form": form, "exports": EXPORTS.values(),
    }  # fmt: skip
    return TemplateResponse(request, "admin/exports.html", context, status=400 if form.errors else 200)


def _record(request: HttpRequest, extract: Extract) -> None:
    """Record who takes which data out of the house, before the first byte of it leaves."""
    parts = [extract.export.name, extract.span, extract.currency or gettext("all currencies")]
    author = Author(cast(User, request.user), client_address(request))
    staff_acts.record(EXPORTED, [], author=author, result=", ".join(parts))
