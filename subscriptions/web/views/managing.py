"""Pages and buttons that stop a subscription, let it go on, and say whether it renews."""

from datetime import datetime
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.web.requests import SignedIn
from subscriptions.open_book import OpenBook, Refused
from subscriptions.web.actions import Action, possible
from subscriptions.web.cancelling import CancelForm, NotAsShown, as_it_is_now
from subscriptions.web.mine import back_to, card_of, done, too_late
from subscriptions.web.pausing import pause_effects, resume_effects


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def cancel(request: SignedIn, public_id: str) -> HttpResponse:
    """Show what cancelling does, in numbers; then do it."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    form = CancelForm(request.POST or None, card=card)
    if Action.CANCEL not in possible(card) or (form.is_valid() and _is_over(request, form, now=now)):
        return back_to(card)
    context = {"card": card, "form": form}
    return render(request, "subscriptions/cancel.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def pause(request: SignedIn, public_id: str) -> HttpResponse:
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
def resume(request: SignedIn, public_id: str) -> HttpResponse:
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


@require_POST
@never_cache
@login_required
def keep_plan(request: SignedIn, public_id: str) -> HttpResponse:
    """Drop the change that was planned for the end of what is paid for."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    act = partial(OpenBook.keep_plan, subscription=card.row)
    return done(request, card, act, said=_("The planned change is dropped."), now=now, is_so=lambda card: False)


@require_POST
@never_cache
@login_required
def undo_cancel(request: SignedIn, public_id: str) -> HttpResponse:
    """Take back a cancellation that has not happened yet."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    act = partial(OpenBook.undo_cancel, subscription=card.row)
    said = _("The cancellation is taken back.")
    return done(request, card, act, said=said, now=now, is_so=lambda card: card.is_live and not card.is_leaving)


@require_POST
@never_cache
@login_required
def renewal(request: SignedIn, public_id: str, *, renews: bool) -> HttpResponse:
    """Say whether it goes on after what is paid for."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    act = partial(OpenBook.set_auto_renew, subscription=card.row, value=renews)
    said = _("It renews by itself from now on.") if renews else _("It does not renew by itself any more.")
    return done(request, card, act, said=said, now=now, is_so=lambda card: False)


def _is_over(request: SignedIn, form: CancelForm, *, now: datetime) -> bool:
    """Cancel as the form says; False: the page must be shown again, as it is now."""
    try:
        messages.success(request, form.carry_out(now=now))
    except NotAsShown:
        form.add_error(None, as_it_is_now())
        return False
    except Refused:
        too_late(request)
    return True
