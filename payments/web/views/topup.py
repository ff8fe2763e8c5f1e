"""Paying money in: choose how much, see what the balance will be, then off to pay."""

from functools import partial

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.web.requests import SignedIn
from payments import checkout
from payments.web import ways_back
from payments.web.buying import bought_already, explained
from payments.web.forms import TopUpForm
from payments.web.starting import started
from payments.web.topping_up import page_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def topup(request: SignedIn) -> HttpResponse:
    """Show the sum to be paid in, or pay it: only the one that was on the button."""
    now = timezone.now()
    page = page_of(request, now=now)
    if "show" in request.POST and page.amount:
        return HttpResponseRedirect(page.address, status=303)
    if sent_before := bought_already(request):
        return HttpResponseRedirect(sent_before, status=303)
    form = TopUpForm(request.POST or None, amount=page.amount)
    if request.method == "POST" and page.amount and form.is_valid():
        ways_back.remember(request, form.cleaned_data["form_key"])
        how = {"gateway": form.cleaned_data["method"], "form_key": form.cleaned_data["form_key"]}
        pay = partial(checkout.start, request.user, now=now, amount=page.amount.amount, currency=page.currency, **how)
        try:
            return HttpResponseRedirect(started(pay), status=303)
        except DomainError as error:
            form.add_error(None, explained(error))
    status = 422 if form.errors or page.form.errors else 200
    return render(request, "payments/topup.html", {"page": page, "form": form}, status=status)
