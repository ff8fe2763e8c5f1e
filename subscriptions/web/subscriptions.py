"""The page of a subscription, its one-click actions, and helpers that the other subscription pages share."""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.web.auth import SignedInRequest, button
from subscriptions import orders
from subscriptions.books import OpenBook
from subscriptions.models import Subscription
from subscriptions.refusals import Refused
from subscriptions.web import cards, charges, done, period
from subscriptions.web.cards import Card


def get_card(request: SignedInRequest, public_id: str, *, now: datetime) -> Card:
    """Return the card of the customer's subscription with this id at `now`; raise Http404 if there is none."""
    rows = Subscription.objects.select_related("customer", "price__plan")
    return cards.one(get_object_or_404(rows, public_id=public_id, customer=request.user), now=now)


def redirect_to(card: Card) -> HttpResponse:
    """Redirect to the subscription's page."""
    return HttpResponseRedirect(resolve_url("subscription", card.row.public_id), status=303)


def perform(
    request: SignedInRequest,
    card: Card,
    act: Callable[[OpenBook], None],
    *,
    now: datetime,
    message: Callable[[Card], str],
    is_done: Callable[[Card], bool],
) -> HttpResponse:
    """Change the subscription with `act` and redirect to its page with the `message` about its new state.

    A refusal is shown as an error, but not if `is_done`: the second of two clicks finds the change already made.
    """
    try:
        orders.change(card.row, now=now, act=act)
        messages.success(request, message(get_card(request, card.row.public_id, now=now)))
    except Refused:
        if not is_done(get_card(request, card.row.public_id, now=now)):
            add_too_late_error(request)
    return redirect_to(card)


def add_too_late_error(request: SignedInRequest) -> None:
    """Add the message that the action is no longer possible."""
    messages.error(request, _("This is no longer possible. The current state of your subscription is below."))


@require_safe
@login_required
def subscription_page(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show a subscription: its state and its charges, with those of the day in the query one by one."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    context = {
        "card": card,
        "charges": charges.table(card.row, opened=_day(request.GET.get("day", ""))),
        "period": period.picture(card, now=now),
    }
    return render(request, "subscriptions/subscription.html", context)


def _day(text: str) -> date | None:
    """Return a day of the query; None if there is none, or it is not a day that has a next one."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day < date.max else None


@button("subscription", "public_id")
def keep_plan(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Drop what is scheduled for the end of the period."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    act = partial(OpenBook.keep_plan, subscription=card.row)
    return perform(request, card, act, message=done.planned_change_dropped, now=now, is_done=lambda card: False)


@button("subscription", "public_id")
def undo_cancel(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Undo a cancellation that has not taken effect yet."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    act = partial(OpenBook.undo_cancel, subscription=card.row)
    return perform(
        request, card, act, message=done.kept, now=now, is_done=lambda card: card.is_live and not card.is_leaving
    )


@button("subscription", "public_id")
def renewal(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Switch automatic renewal on again."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    act = partial(OpenBook.set_auto_renew, subscription=card.row, value=True)
    return perform(request, card, act, message=done.renews, now=now, is_done=lambda card: False)
