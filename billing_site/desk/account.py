"""A customer's account page, as the customer sees it, for staff: read-only, and each look is recorded.

Nobody logs in as the customer.
"""

from typing import cast

from csp.decorators import csp_replace
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import User
from core.addresses import client_address
from events import act_titles, staff_acts
from events.staff_acts import Author
from payments.web.account import summarize

VIEWED = "view.account"
act_titles.register(VIEWED, _("Saw the customer's account page"))


@require_safe
def account_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the page in the customer's language and time zone. Its links and buttons are dead."""
    reader = cast(User, request.user)
    if not reader.has_perm("accounts.view_as_user"):
        raise PermissionDenied
    customer = get_object_or_404(User, pk=pk)
    author = Author(reader, client_address(request))
    staff_acts.record(VIEWED, [customer], author=author, customer=customer)
    context = {
        "account": summarize(customer, now=timezone.now()), "adding": [], "customer": customer,
        # The words of the banner are for staff, the page below it is in the customer's language.
        "banner": gettext("You see the account page of %(name)s as the customer sees it. Nothing can be done here.")
        % {"name": customer.username},
        "back": reverse("admin:customer", args=[customer.pk]), "back_text": gettext("Back to the customer"),
        "reader_language": translation.get_language(),
    }  # fmt: skip
    with translation.override(customer.language), timezone.override(customer.zone):
        answer = render(request, "admin/desk/account.html", context)
    # No form of this page can be sent, whatever the browser makes of `inert`.
    closed = csp_replace({"form-action": ["'none'"]})(lambda _request: answer)(request)
    assert isinstance(closed, HttpResponse)
    return closed
