"""Paying money in: choose how much, see what the balance will be, then off to pay."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.web.requests import SignedIn
from payments.web.buying import refuse
from payments.web.forms import TopUpForm
from payments.web.topping_up import page_of, paid_already, pay


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def topup(request: SignedIn) -> HttpResponse:
    """Show the sum to be paid in, or pay it: only the one that was on the button."""
    now = timezone.now()
    page = page_of(request, now=now)
    if "show" in request.POST and page.amount:
        return HttpResponseRedirect(page.address, status=303)
    form = TopUpForm(request.POST or None, amount=page.amount)
    try:
        if sent_before := paid_already(request, page):
            return HttpResponseRedirect(sent_before, status=303)
        if request.method == "POST" and page.amount and form.is_valid():
            return HttpResponseRedirect(pay(request, form, page, now=now), status=303)
    except DomainError as error:
        refuse(form, error)
    status = 422 if form.errors or page.form.errors else 200
    return render(request, "payments/topup.html", {"page": page, "form": form}, status=status)
