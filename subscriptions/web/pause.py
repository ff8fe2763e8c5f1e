"""What a pause keeps and ends, and what going on costs, in numbers."""

from functools import partial

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.web.auth import SignedInRequest
from ledger import display
from subscriptions.books import OpenBook
from subscriptions.explain.sentences import shortly
from subscriptions.labels import every
from subscriptions.web.cards import Action, Card, possible
from subscriptions.web.subscriptions import back_to, card_of, done


def pause_effects(card: Card) -> list[str]:
    """Say what pausing does, and that it can be taken back."""
    if card.price.metered:
        return [
            _("Access ends at once, and so does the charge of %(rate)s.") % {"rate": _rate(card)},
            _("What was used up to this second is charged. Your balance then is %(amount)s.")
            % {"amount": display.money(card.available)},
            _("You can resume at any time: the charge goes on from that moment."),
        ]
    said = [
        _("Access ends at once. Nothing is charged while it is paused."),
        _("You keep what is left of the period: %(left)s. It goes on from the moment you resume.")
        % {"left": shortly(card.left)},
    ]
    if card.until:
        said.append(_until(card) % {"day": display.day(card.until)})
    return said


def resume_effects(card: Card) -> list[str]:
    """Say what resuming metered use does; a period that is paid for just goes on."""
    if card.available.amount or not card.due.amount:
        return [
            _("It runs from the moment you confirm, for %(rate)s from your balance, to the second.")
            % {"rate": _rate(card)},
            _("Your balance is %(amount)s.") % {"amount": display.money(card.available)},
        ]
    return [_("Your balance is empty. It starts by itself when you top up, for %(rate)s.") % {"rate": _rate(card)}]


def _until(card: Card) -> str:
    if card.is_leaving:
        return _("It was to end on %(day)s; it ends as much later as the pause lasts.")
    if not card.state.auto_renew:
        return _("It was paid until %(day)s; it ends as much later as the pause lasts.")
    return _("The next payment was to be on %(day)s; it comes as much later as the pause lasts.")


def _rate(card: Card) -> str:
    return f"{display.money(card.due)} {every(card.price)}"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def pause(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show what is kept and what ends, in numbers; then pause."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    if request.method == "POST":
        act = partial(OpenBook.pause, subscription=card.row)
        return done(
            request, card, act, said=_("Paused. Nothing is charged."), now=now, is_so=lambda card: card.is_paused
        )
    if Action.PAUSE not in possible(card):
        return back_to(card)
    return render(request, "subscriptions/pause.html", {"card": card, "effects": pause_effects(card)})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def resume(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show what going on costs; then go on."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    if request.method == "POST":
        act = partial(OpenBook.resume, subscription=card.row)
        said = _("Done. You will find what happens next below.")
        return done(request, card, act, said=said, now=now, is_so=lambda card: not card.is_paused and not card.is_over)
    if Action.RESUME not in possible(card):
        return back_to(card)
    return render(request, "subscriptions/resume.html", {"card": card, "effects": resume_effects(card)})
