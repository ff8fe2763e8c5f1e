"""Buying a plan: what it costs now and later, then off to pay."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.web.requests import SignedIn
from payments.web import buying
from payments.web.forms import CheckoutForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def checkout(request: SignedIn, code: str) -> HttpResponse:
    """Show the order, or buy it: only what was on the button."""
    now = timezone.now()
    order = buying.order_of(request, code, now=now)
    form = CheckoutForm(request.POST or None, order=order)
    if "show" in request.POST and "quantity" not in form.errors:
        return HttpResponseRedirect(order.address, status=303)
    try:
        if sent_before := buying.bought_already(request, order):
            return HttpResponseRedirect(sent_before, status=303)
        if request.method == "POST" and form.is_valid():
            return HttpResponseRedirect(buying.buy(request, form, now=now), status=303)
    except DomainError as error:
        buying.refuse(form, error)
    context = {"order": order, "form": form, **buying.options(order)}
    return render(request, "payments/checkout.html", context, status=422 if form.errors else 200)
