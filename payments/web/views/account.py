"""The customer's first page after signing in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.web.requests import SignedIn
from payments.web.overview import overview


@require_safe
@never_cache
@login_required
def account(request: SignedIn) -> HttpResponse:
    """Balance, subscriptions, what needs attention, the last movements."""
    return render(request, "payments/account.html", {"account": overview(request.user, now=timezone.now())})
