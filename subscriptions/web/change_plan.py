"""The pages that change the plan: choose a plan and a time, see the quote, confirm it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.web.auth import SignedInRequest
from ledger import display
from ledger.money import Money
from subscriptions import books, catalogue, overview, quotes
from subscriptions.books import Refused
from subscriptions.explain.sentences import HOUR
from subscriptions.models import Price, Quote, Subscription
from subscriptions.web.actions import Action, possible_actions
from subscriptions.web.cards import Card
from subscriptions.web.quote import QuotePage
from subscriptions.web.subscriptions import add_too_late_error, get_card, redirect_to

Status = Subscription.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan on the page, with its cost at the subscription's quantity and periods."""

    price: Price
    cost: Money
    periods: int
    is_current: bool
    # Whether a change to it is already scheduled for the end of the period.
    is_coming: bool


class ChangeForm(forms.Form):
    """The form: a plan, and `when` to change to it: now or at the end of the period."""

    plan = forms.ChoiceField(
        error_messages={"required": gettext_lazy("Choose a plan"), "invalid_choice": gettext_lazy("Choose a plan")}
    )
    when = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": gettext_lazy("Choose when the plan changes")}
    )

    def __init__(self, data: Any, *, card: Card) -> None:
        super().__init__(data)
        self.offers = offers(card)
        self.times = times(card)
        self._set_choices("plan", [(each.price.plan.code, each.price.plan.title) for each in self.to_choose])
        self._set_choices("when", [(each["when"], each["title"]) for each in self.times])

    @property
    def to_choose(self) -> list[Offer]:
        """The offers without the current plan."""
        return [each for each in self.offers if not each.is_current]

    @property
    def price(self) -> Price:
        """The chosen price. The form must be valid."""
        prices = {each.price.plan.code: each.price for each in self.to_choose}
        return prices[self.cleaned_data["plan"]]

    def clean_when(self) -> str:
        """Return "now" if nothing was chosen."""
        return self.cleaned_data["when"] or "now"

    def _set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


def offers(card: Card) -> list[Offer]:
    """Return the plans on sale in the subscription's currency, and its own plan at its own price, on sale or not."""
    own, sold = card.price, list(catalogue.prices_on_sale(card.price.currency))
    listed = [own if price.plan_id == own.plan_id else price for price in sold]
    return [_offer(price, card) for price in (listed if own in listed else [own, *listed])]


def times(card: Card) -> list[dict[str, str]]:
    """Return the times the customer can choose from: now, and the end of a paid period that would renew."""
    now = {"when": "now", "title": _("Now"), "effect": _now(card)}
    if card.until is None or not waits(card):
        return [now]
    later = {
        "when": "period_end",
        "title": _("On %(day)s") % {"day": display.day(card.until)},
        "effect": _("You keep %(plan)s until then. Nothing is charged before that.") % {"plan": card.price.plan.title},
    }
    return [now, later]


def waits(card: Card) -> bool:
    """Return whether a change can wait for the end of the paid period."""
    is_paid_ahead = card.status is Status.ACTIVE and not card.price.metered
    return is_paid_ahead and card.state.auto_renew and not card.is_leaving


def _now(card: Card) -> str:
    if card.unused.amount:
        return _("We refund the unused time of %(plan)s to your balance: %(amount)s right now.") % {
            "plan": card.price.plan.title, "amount": display.money(card.unused),
        }  # fmt: skip
    return _("You see every amount before you confirm.")


def _offer(price: Price, card: Card) -> Offer:
    periods = 1 if price.metered else card.row.periods
    return Offer(
        price=price,
        cost=Money(catalogue.cost(price, card.row.quantity, periods), price.currency),
        periods=periods,
        is_current=price.plan_id == card.price.plan_id,
        is_coming=card.coming is not None and price.plan_id == card.coming.plan_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """What the balance lacks for a change: `missing` now, and by how much it may grow within an hour (`meanwhile`)."""

    missing: Money
    meanwhile: Money

    @property
    def to_pay_in(self) -> Money:
        """The amount to top up: enough for a change within the hour. `missing` alone would soon be too little."""
        return Money(self.missing.amount + self.meanwhile.amount, self.missing.currency)


def shortfall(card: Card, missing: Money, *, now: datetime) -> Shortfall:
    """Return the shortfall. It grows because the refund for unused time shrinks and metered use continues."""
    view = overview.peek(card.row.customer, missing.currency, now=now)
    unused = -(-card.unused.amount * min(HOUR, card.left) // card.left) if card.left else 0
    return Shortfall(missing=missing, meanwhile=Money(view.metered_use(HOUR) + unused, missing.currency))


@require_safe
@never_cache
@login_required
def change(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Offer the other plans. With a plan in the query, make a quote for it and redirect to that; it changes nothing."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    if Action.CHANGE not in possible_actions(card):
        add_too_late_error(request)
        return redirect_to(card)
    form = ChangeForm(request.GET if "plan" in request.GET or "when" in request.GET else None, card=card)
    if not form.is_valid():
        return _show_offers(request, card, form)
    try:
        quote = quotes.make(card.row, form.price, now=now, when=form.cleaned_data["when"])
    except Refused as refused:
        return _show_refusal(request, card, form, refused, now=now)
    return HttpResponseRedirect(_quote_url(quote), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def confirm(request: SignedInRequest, public_id: str, quote_id: str) -> HttpResponse:
    """Show a quote with its amounts and effects; on POST, carry out exactly that."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    rows = Quote.objects.select_related("subscription__customer", "price__plan")
    quote = get_object_or_404(rows, public_id=quote_id, subscription=card.row)
    if request.method == "POST":
        return _accept(request, card, quote, now=now)
    if quote.used_at or Action.CHANGE not in possible_actions(card):
        return redirect_to(card)
    if now > quote.expires_at:
        return HttpResponseRedirect(_requote_url(quote), status=303)
    return render(
        request, "subscriptions/change_confirm.html", {"card": card, "page": QuotePage(quote=quote, card=card)}
    )


def _show_offers(
    request: SignedInRequest, card: Card, form: ChangeForm, short: Shortfall | None = None
) -> HttpResponse:
    context = {"card": card, "form": form, "short": short, "here": request.get_full_path()}
    return render(request, "subscriptions/change.html", context, status=422 if form.errors or short else 200)


def _show_refusal(
    request: SignedInRequest, card: Card, form: ChangeForm, refused: Refused, *, now: datetime
) -> HttpResponse:
    """Show the offers with what the balance lacks, or redirect with the error that a change is not possible now."""
    if refused.code != books.INSUFFICIENT_FUNDS:
        add_too_late_error(request)
        return redirect_to(card)
    amount = refused.extra["missing"]
    missing = Money.parse(amount["value"], amount["currency"])
    return _show_offers(request, card, form, shortfall(card, missing, now=now))


def _accept(request: SignedInRequest, card: Card, quote: Quote, *, now: datetime) -> HttpResponse:
    """Carry out the quote, once however often it is sent; if it is no longer valid, redirect to the new quote."""
    try:
        quotes.accept(quote, now=now)
    except quotes.QuoteChanged as changed:
        messages.warning(request, _changed_message(quote, changed.quote))
        return HttpResponseRedirect(_quote_url(changed.quote), status=303)
    except Refused as refused:
        if refused.code == books.INSUFFICIENT_FUNDS:
            return HttpResponseRedirect(_requote_url(quote), status=303)
        add_too_late_error(request)
    else:
        messages.success(request, _("Done. See below what happens next."))
    return redirect_to(card)


def _changed_message(old: Quote, new: Quote) -> str:
    if quotes.moves(old.lines) == quotes.moves(new.lines):
        return _("The amounts were out of date, so we calculated them again. You have not been charged.")
    return _("The amounts have changed. You have not been charged.")


def _quote_url(quote: Quote) -> str:
    return resolve_url("subscription_change_confirm", quote.subscription.public_id, quote.public_id)


def _requote_url(quote: Quote) -> str:
    """Return the URL that makes a new quote for the same change."""
    query = QueryDict(mutable=True)
    query.update({"plan": quote.price.plan.code, "when": quote.when})
    return f"{resolve_url('subscription_change', quote.subscription.public_id)}?{query.urlencode()}"
