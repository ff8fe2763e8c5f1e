"""The subscription an address names, if it is the customer's own, and doing one thing to it from a page."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.web.auth import SignedInRequest
from subscriptions import orders
from subscriptions.books import OpenBook, Refused
from subscriptions.models import Charge, Subscription
from subscriptions.web import cards
from subscriptions.web.cards import Card


def card_of(request: SignedInRequest, public_id: str, *, now: datetime) -> Card:
    """Show the customer's own subscription as it is at `now`; raise Http404 for anybody else's."""
    rows = Subscription.objects.select_related("customer", "price__plan")
    return cards.one(get_object_or_404(rows, public_id=public_id, customer=request.user), now=now)


def back_to(card: Card) -> HttpResponse:
    """Send the browser to the subscription's page."""
    return HttpResponseRedirect(resolve_url("subscription", card.row.public_id), status=303)


def done(
    request: SignedInRequest,
    card: Card,
    act: Callable[[OpenBook], None],
    *,
    now: datetime,
    said: str,
    is_so: Callable[[Card], bool],
) -> HttpResponse:
    """Do one thing in the subscription's book and go to its page, which says `said`, or that it could not be done.

    Refused because it `is_so` already is the second of two clicks: the page says nothing then.
    """
    try:
        orders.change(card.row, now=now, act=act)
        messages.success(request, said)
    except Refused:
        if not is_so(card_of(request, card.row.public_id, now=now)):
            too_late(request)
    return back_to(card)


def too_late(request: SignedInRequest) -> None:
    """Say that the rules refuse it as things stand now."""
    messages.error(request, _("This cannot be done any more. This is how the subscription stands."))


CHARGES_SHOWN = 24


@require_safe
@never_cache
@login_required
def subscription_page(request: SignedInRequest, public_id: str) -> HttpResponse:
    """One subscription: where it stands, what it has cost."""
    shown = card_of(request, public_id, now=timezone.now())
    charges = Charge.objects.filter(subscription=shown.row).select_related("refund").order_by("-period_start")
    context = {"card": shown, "charges": charges[:CHARGES_SHOWN]}
    return render(request, "subscriptions/subscription.html", context)


@require_POST
@never_cache
@login_required
def keep_plan(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Drop the change that was planned for the end of what is paid for."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    act = partial(OpenBook.keep_plan, subscription=card.row)
    return done(request, card, act, said=_("The planned change is dropped."), now=now, is_so=lambda card: False)


@require_POST
@never_cache
@login_required
def undo_cancel(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Take back a cancellation that has not happened yet."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    act = partial(OpenBook.undo_cancel, subscription=card.row)
    said = _("The cancellation is taken back.")
    return done(request, card, act, said=said, now=now, is_so=lambda card: card.is_live and not card.is_leaving)


@require_POST
@never_cache
@login_required
def renewal(request: SignedInRequest, public_id: str, *, renews: bool) -> HttpResponse:
    """Say whether it goes on after what is paid for."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    act = partial(OpenBook.set_auto_renew, subscription=card.row, value=renews)
    said = _("It renews by itself from now on.") if renews else _("It does not renew by itself any more.")
    return done(request, card, act, said=said, now=now, is_so=lambda card: False)
