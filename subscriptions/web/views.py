"""Pages of what is sold and what a customer has: the price list, one subscription, its cancellation."""

from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.web.requests import SignedIn
from subscriptions import orders
from subscriptions.models import Charge, Subscription
from subscriptions.open_book import OpenBook, Refused
from subscriptions.web import cards, price_list
from subscriptions.web.cancelling import CancelForm, choices
from subscriptions.web.cards import Card

CHARGES_SHOWN = 24


@require_safe
def pricing(request: HttpRequest) -> HttpResponse:
    """Plans and prices, for anybody."""
    sold = sorted(set(price_list.on_sale().values_list("currency", flat=True)))
    currency = price_list.currency_for(request.GET.get("currency"), sold)
    context = {
        "prices": price_list.on_sale(currency) if currency else [],
        "currencies": sold,
        "currency": currency,
        "held": price_list.held_by(request.user),
    }
    return render(request, "subscriptions/pricing.html", context)


@require_safe
@never_cache
@login_required
def subscription(request: SignedIn, public_id: str) -> HttpResponse:
    """One subscription: where it stands, what it has cost."""
    shown = _card(request, public_id)
    charges = Charge.objects.filter(subscription=shown.row).select_related("refund").order_by("-period_start")
    context = {"card": shown, "charges": charges[:CHARGES_SHOWN]}
    return render(request, "subscriptions/subscription.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def cancel(request: SignedIn, public_id: str) -> HttpResponse:
    """Show what cancelling does, in numbers; then do it."""
    shown = _card(request, public_id)
    form = CancelForm(request.POST or None, card=shown)
    if shown.is_over or (request.method == "POST" and form.is_valid() and _cancelled(request, shown, form)):
        return HttpResponseRedirect(reverse("subscription", args=[public_id]), status=303)
    context = {"card": shown, "form": form, "choices": choices(shown)}
    return render(request, "subscriptions/cancel.html", context, status=422 if form.errors else 200)


def _card(request: SignedIn, public_id: str) -> Card:
    rows = Subscription.objects.select_related("customer", "price__plan")
    return cards.one(get_object_or_404(rows, public_id=public_id, customer=request.user), now=timezone.now())


def _cancelled(request: SignedIn, shown: Card, form: CancelForm) -> bool:
    when = form.cleaned_data["when"]
    try:
        act = partial(OpenBook.cancel, subscription=shown.row, when=when, refund_unused=when == "now")
        orders.change(shown.row, now=timezone.now(), act=act)
    except Refused:
        messages.error(request, _("This cannot be done any more. This is how the subscription stands."))
        return False
    messages.success(request, _("Done. You will find what happens next below."))
    return True
