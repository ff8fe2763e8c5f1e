"""The pages that pause and resume a subscription. They show the effects with amounts before the customer confirms."""

from functools import partial

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.web.auth import SignedInRequest
from ledger import display
from subscriptions.books import OpenBook
from subscriptions.explain.sentences import shortly
from subscriptions.labels import every
from subscriptions.web import done
from subscriptions.web.actions import Action, possible_actions
from subscriptions.web.cards import Card
from subscriptions.web.subscriptions import get_card, perform, redirect_to


def pause_effects(card: Card) -> list[str]:
    """Return sentences on what pausing does, for the page."""
    if card.price.metered:
        return [
            _("Access and the charge of %(rate)s stop at once.") % {"rate": _rate(card)},
            _("You pay for what you used up to this second. Your balance is then %(amount)s.")
            % {"amount": display.money(card.available)},
            _("You can resume at any time. Charges continue from that moment."),
        ]
    effects = [
        _("Access ends at once. Nothing is charged while it is paused."),
        _("You keep the rest of the period: %(left)s. It continues when you resume.") % {"left": shortly(card.left)},
    ]
    if card.until:
        effects.append(_until(card) % {"day": display.day(card.until)})
    return effects


def resume_effects(card: Card) -> list[str]:
    """Return sentences on what resuming metered use does. A paid period simply continues."""
    if card.available.amount or not card.due.amount:
        return [
            _("It starts when you confirm and costs %(rate)s from your balance, charged by the second.")
            % {"rate": _rate(card)},
            _("Your balance is %(amount)s.") % {"amount": display.money(card.available)},
        ]
    return [_("Your balance is empty. Top up and it starts, for %(rate)s.") % {"rate": _rate(card)}]


def _until(card: Card) -> str:
    if card.is_leaving:
        return _("It was due to end on %(day)s. The pause moves this date by as long as it lasts.")
    if not card.state.auto_renew:
        return _("It was paid until %(day)s. The pause moves this date by as long as it lasts.")
    return _("The next charge was due on %(day)s. The pause moves this date by as long as it lasts.")


def _rate(card: Card) -> str:
    return f"{display.money(card.due)} {every(card.price)}"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def pause(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show what pausing does; on POST, pause."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    if request.method == "POST":
        act = partial(OpenBook.pause, subscription=card.row)
        return perform(request, card, act, message=done.paused, now=now, is_done=lambda card: card.is_paused)
    if Action.PAUSE not in possible_actions(card):
        return redirect_to(card)
    return render(request, "subscriptions/pause.html", {"card": card, "effects": pause_effects(card)})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def resume(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show what resuming costs; on POST, resume."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    if request.method == "POST":
        act = partial(OpenBook.resume, subscription=card.row)
        return perform(
            request,
            card,
            act,
            message=done.resumed,
            now=now,
            is_done=lambda card: not card.is_paused and not card.is_over,
        )
    if Action.RESUME not in possible_actions(card):
        return redirect_to(card)
    return render(request, "subscriptions/resume.html", {"card": card, "effects": resume_effects(card)})
