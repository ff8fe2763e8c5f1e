"""The page of one subscription."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.web.requests import SignedIn
from subscriptions.models import Charge
from subscriptions.web.mine import card_of

CHARGES_SHOWN = 24


@require_safe
@never_cache
@login_required
def subscription(request: SignedIn, public_id: str) -> HttpResponse:
    """One subscription: where it stands, what it has cost."""
    shown = card_of(request, public_id, now=timezone.now())
    charges = Charge.objects.filter(subscription=shown.row).select_related("refund").order_by("-period_start")
    context = {"card": shown, "charges": charges[:CHARGES_SHOWN]}
    return render(request, "subscriptions/subscription.html", context)
