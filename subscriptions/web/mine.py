"""The subscription an address names, if it is the customer's own, and doing one thing to it from a page."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, resolve_url
from django.utils.translation import gettext as _

from accounts.web.requests import SignedIn
from subscriptions import orders
from subscriptions.models import Subscription
from subscriptions.open_book import OpenBook, Refused
from subscriptions.web import cards
from subscriptions.web.cards import Card


def card_of(request: SignedIn, public_id: str, *, now: datetime) -> Card:
    """Show the customer's own subscription as it is at `now`; raise Http404 for anybody else's."""
    rows = Subscription.objects.select_related("customer", "price__plan")
    return cards.one(get_object_or_404(rows, public_id=public_id, customer=request.user), now=now)


def back_to(card: Card) -> HttpResponse:
    """Send the browser to the subscription's page."""
    return HttpResponseRedirect(resolve_url("subscription", card.row.public_id), status=303)


def done(
    request: SignedIn,
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


def too_late(request: SignedIn) -> None:
    """Say that the rules refuse it as things stand now."""
    messages.error(request, _("This cannot be done any more. This is how the subscription stands."))
