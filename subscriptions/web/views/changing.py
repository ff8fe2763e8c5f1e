"""The pages that change a plan: choose, see the amounts of a stored quote, agree to exactly those."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.web.requests import SignedIn
from ledger.money import Money
from subscriptions import quote_lines, quotes
from subscriptions.engine.refusal import Refusal
from subscriptions.models import Quote
from subscriptions.open_book import Refused
from subscriptions.web.actions import Action, possible
from subscriptions.web.cards import Card
from subscriptions.web.change_form import ChangeForm
from subscriptions.web.mine import back_to, card_of, too_late
from subscriptions.web.quoted import Quoted
from subscriptions.web.shortfall import Shortfall, shortfall


@require_safe
@never_cache
@login_required
def change(request: SignedIn, public_id: str) -> HttpResponse:
    """Offer the other plans. With a plan in the address, quote it and go on to that quote: it binds nobody."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    if Action.CHANGE not in possible(card):
        too_late(request)
        return back_to(card)
    form = ChangeForm(request.GET if "plan" in request.GET or "when" in request.GET else None, card=card)
    if not form.is_valid():
        return _offered(request, card, form)
    try:
        made = quotes.make(card.row, form.price, now=now, when=form.cleaned_data["when"])
    except Refused as refused:
        return _not_made(request, card, form, refused, now=now)
    return HttpResponseRedirect(_address(made), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def confirm(request: SignedIn, public_id: str, quote_id: str) -> HttpResponse:
    """Show what a quote moves and does; then do exactly that."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    known = Quote.objects.select_related("subscription__customer", "price__plan")
    quote = get_object_or_404(known, public_id=quote_id, subscription=card.row)
    if request.method == "POST":
        return _accepted(request, card, quote, now=now)
    if quote.used_at or Action.CHANGE not in possible(card):
        return back_to(card)
    if now > quote.expires_at:
        return HttpResponseRedirect(_again(quote), status=303)
    return render(
        request, "subscriptions/change_confirm.html", {"card": card, "quoted": Quoted(quote=quote, card=card)}
    )


def _offered(request: SignedIn, card: Card, form: ChangeForm, short: Shortfall | None = None) -> HttpResponse:
    context = {"card": card, "form": form, "short": short, "here": request.get_full_path()}
    return render(request, "subscriptions/change.html", context, status=422 if form.errors or short else 200)


def _not_made(request: SignedIn, card: Card, form: ChangeForm, refused: Refused, *, now: datetime) -> HttpResponse:
    """Say what is missing to the unit, or that it cannot be done as things stand now."""
    if refused.code != Refusal.INSUFFICIENT_FUNDS:
        too_late(request)
        return back_to(card)
    said = refused.extra["missing"]
    missing = Money.parse(said["value"], said["currency"])
    return _offered(request, card, form, shortfall(card, missing, now=now))


def _accepted(request: SignedIn, card: Card, quote: Quote, *, now: datetime) -> HttpResponse:
    """Carry the quote out, once however often it is sent; where it does not hold, show what does."""
    try:
        quotes.accept(quote, now=now)
    except quotes.QuoteChanged as changed:
        messages.warning(request, _not_charged(quote, changed.quote))
        return HttpResponseRedirect(_address(changed.quote), status=303)
    except Refused as refused:
        if refused.code == Refusal.INSUFFICIENT_FUNDS:
            return HttpResponseRedirect(_again(quote), status=303)
        too_late(request)
    else:
        messages.success(request, _("Done. You will find what happens next below."))
    return back_to(card)


def _not_charged(old: Quote, new: Quote) -> str:
    if quote_lines.moves(old.lines) == quote_lines.moves(new.lines):
        return _("The calculation was too old, so it was made again. You have not been charged.")
    return _("The amounts have changed. You have not been charged.")


def _address(quote: Quote) -> str:
    return resolve_url("subscription_change_confirm", quote.subscription.public_id, quote.public_id)


def _again(quote: Quote) -> str:
    """Return the address that quotes the same change as things stand then."""
    query = QueryDict(mutable=True)
    query.update({"plan": quote.price.plan.code, "when": quote.when})
    return f"{resolve_url('subscription_change', quote.subscription.public_id)}?{query.urlencode()}"
