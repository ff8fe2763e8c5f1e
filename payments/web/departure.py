"""Taking one's data along, and closing the account."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.web.auth import SignedInRequest
from ledger.money import Money
from payments import departure


@require_safe
@login_required
@reauthentication_required
def data(request: SignedInRequest) -> StreamingHttpResponse:
    """Stream everything about the customer as JSON."""
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return StreamingHttpResponse(departure.export(request.user), content_type="application/json", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required
def close(request: SignedInRequest) -> HttpResponse:
    """Say what closing means and what is in its way, or close the account and log out."""
    status = 200
    if request.method == "POST":
        try:
            departure.close(request.user, now=timezone.now())
        except departure.MoneyLeft:
            request.user.refresh_from_db()
            status = 409
        else:
            logout(request)
            messages.success(request, _("Your account is closed."))
            return HttpResponseRedirect(reverse("home"), status=303)
    left = departure.money_left(request.user)
    context = {
        "left": [money for money in left if money.amount > 0],
        "owed": [Money(-money.amount, money.currency) for money in left if money.amount < 0],
        "has_open_payments": departure.has_open_payments(request.user),
    }
    return render(request, "account/close.html", context, status=status)
