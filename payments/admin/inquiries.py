"""The button "Ask the gateway now" on the page of a payment, a refund or a dispute. Who asked is logged."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext

from core.admin import ReadOnlyAdmin
from ledger.display import money
from ledger.money import Money
from payments import inquiries
from payments.inquiries import Inquiry
from payments.models import Payment


class InquiryAdmin(ReadOnlyAdmin):
    """An admin of rows that a gateway can be asked about. billing_site.middleware limits the time of the answer."""

    change_form_template = "admin/act_links.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the button."""
        ask = path("<int:pk>/ask/", self.admin_site.admin_view(self.ask), name=f"{self._table}_ask")
        return [ask, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Render the page with the button, where there is something to ask."""
        row = options.get("obj")
        url = ""
        if row is not None and self.has_act_permission(request) and inquiries.is_possible(row):
            url = reverse(f"admin:{self._table}_ask", args=[row.pk])
        return super().render_change_form(request, context | {"ask_url": url}, *args, **options)

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask the gateway, and say on the page of the row what came of it."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._ask(request, get_object_or_404(self.get_queryset(request), pk=pk))
        return HttpResponseRedirect(reverse(f"admin:{self._table}_change", args=[pk]), status=303)

    def _ask(self, request: HttpRequest, row: Any) -> None:
        """Ask about a row, log it, and say what came of it."""
        if not inquiries.is_possible(row):
            said = gettext("There is nothing to ask the gateway about.")
            self.message_user(request, f"{row}: {said}", messages.WARNING)
            return
        said, level = _said(inquiries.ask(row, now=timezone.now()))
        self.log_change(request, row, f"{gettext('Ask the gateway now')}: {said}")
        self.message_user(request, said, level)

    @property
    def _table(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"


def _said(inquiry: Inquiry) -> tuple[str, int]:
    """Return what came of an inquiry, in a sentence or two, and the level of the message."""
    row, state = inquiry.after, inquiry.after.get_status_display()
    words = {"gateway": row.gateway, "id": row.public_id, "state": state, "error": inquiry.error}
    words["before"] = inquiry.before.get_status_display()
    if inquiry.error:
        said, level = gettext("%(gateway)s did not answer: %(error)s %(id)s is %(state)s."), messages.WARNING
    elif inquiry.before.status != row.status:
        said, level = gettext("%(id)s was %(before)s and is %(state)s now."), messages.SUCCESS
    else:
        said, level = gettext("%(gateway)s has answered. %(id)s is still %(state)s."), messages.INFO
    return " ".join(filter(None, (said % words, _fee(inquiry), _unparked(inquiry), row.parked_reason))), level


def _unparked(inquiry: Inquiry) -> str:
    """Return why the row waited for staff, if it does not any more; empty otherwise."""
    if not inquiry.unparked:
        return ""
    said = gettext("It was not asked about any more (%(reason)s). From now on it is asked about again.")
    return said % {"reason": inquiry.unparked}


def _fee(inquiry: Inquiry) -> str:
    """Return the fee that the answer has brought; empty if none."""
    before, after = inquiry.before, inquiry.after
    if not isinstance(before, Payment) or not isinstance(after, Payment) or after.fee == before.fee:
        return ""
    return gettext("The fee of %(fee)s is posted.") % {"fee": money(Money(after.fee or 0, after.received_currency))}
