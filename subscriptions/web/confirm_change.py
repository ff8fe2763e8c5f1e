"""What changes of plan and quantity have in common: when they take effect, and the page that shows the quote."""

from collections.abc import Callable
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
from django.views.decorators.http import require_http_methods

from accounts.web.auth import SignedInRequest
from core.errors import DomainError
from ledger import display
from subscriptions import confirmed_addresses, quotes, refusals
from subscriptions.models import Quote
from subscriptions.refusals import Refused
from subscriptions.web import done
from subscriptions.web.actions import Action, possible_actions
from subscriptions.web.cards import Card
from subscriptions.web.quote import QuotePage, keeps_all
from subscriptions.web.subscriptions import add_too_late_error, get_card, redirect_to


class ChoiceForm(forms.Form):
    """The part of the forms that says `when` the change takes effect."""

    when = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": gettext_lazy("Choose when the change takes effect")}
    )

    def __init__(self, data: Any, *, times: list[dict[str, str]], **more: Any) -> None:
        super().__init__(data, **more)
        self.times = times
        self.set_choices("when", [(each["when"], each["title"]) for each in times])

    def clean_when(self) -> str:
        """Return "now" if nothing was chosen."""
        return self.cleaned_data["when"] or "now"

    def set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Set the values that a field accepts."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


def times(card: Card, now: str, later: str) -> list[dict[str, str]]:
    """Return the times the customer can choose from, each with its effect: now, and the end of a paid period."""
    times = [{"when": "now", "title": _("Now"), "effect": now}]
    if card.until and card.is_paid_ahead and card.state.auto_renew and not card.is_leaving:
        title = _("On %(day)s") % {"day": display.day(card.until)}
        times.append({"when": "period_end", "title": title, "effect": later})
    return times


def choose(
    request: SignedInRequest, card: Card, form: ChoiceForm, action: Action, quote: Callable[[], Quote], *, template: str
) -> HttpResponse:
    """Show the form until it is valid; then redirect to a quote, or to the page that pays what the balance lacks."""
    if action not in possible_actions(card):
        add_too_late_error(request)
        return redirect_to(card)
    if form.is_valid():
        try:
            return HttpResponseRedirect(_quote_url(quote()), status=303)
        except Refused as refused:
            if refused.code == refusals.INSUFFICIENT_FUNDS:
                pay = resolve_url("change_payment", card.row.public_id)
                return HttpResponseRedirect(f"{pay}?{request.GET.urlencode()}", status=303)
            form.add_error(None, refused.detail)
        except confirmed_addresses.AddressNotConfirmed as error:
            form.add_error(None, error.detail)
    return render(request, template, {"card": card, "form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def confirm(request: SignedInRequest, public_id: str, quote_id: str) -> HttpResponse:
    """Show a quote with its amounts and effects; on POST, carry it out for these amounts at most."""
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
    page = QuotePage(quote=quote, card=card, changed=quotes.after(quote, now=now))
    return render(request, "subscriptions/change_confirm.html", {"card": card, "page": page})


def _accept(request: SignedInRequest, card: Card, quote: Quote, *, now: datetime) -> HttpResponse:
    """Carry out the quote, once however often it is sent; if it is no longer valid, redirect to the new quote."""
    public_id, was_open = card.row.public_id, quote.used_at is None
    try:
        quotes.accept(quote, now=now)
    except quotes.QuoteChanged as changed:
        messages.warning(request, _changed_message(quote, changed.quote))
        return HttpResponseRedirect(_quote_url(changed.quote), status=303)
    except DomainError as error:
        if error.code == refusals.INSUFFICIENT_FUNDS:
            return HttpResponseRedirect(_requote_url(quote), status=303)
        add_too_late_error(request)
    else:
        # The second of two clicks finds the change made: the card has what the quote is about.
        is_same = was_open and keeps_all(quote, card)
        messages.success(request, done.changed(get_card(request, public_id, now=now), quote, is_same=is_same))
    return redirect_to(card)


def _changed_message(old: Quote, new: Quote) -> str:
    if _amounts(old) == _amounts(new):
        return _("The amounts were out of date, so we calculated them again. You have not been charged.")
    return _("The amounts have changed. You have not been charged.")


def _amounts(quote: Quote) -> list[tuple[Any, ...]]:
    return [(line["reason"], line["subscription"], line["amount"]) for line in quote.lines]


def _quote_url(quote: Quote) -> str:
    return resolve_url("subscription_change_confirm", quote.subscription.public_id, quote.public_id)


def _requote_url(quote: Quote) -> str:
    """Return the URL that makes a new quote for the same change."""
    query = QueryDict(mutable=True)
    if quote.quantity is None:
        name, terms = "subscription_change", {"plan": quote.price.plan.code}
    else:
        name, terms = "subscription_quantity", {"quantity": str(quote.quantity)}
    query.update({**terms, "when": quote.when})
    return f"{resolve_url(name, quote.subscription.public_id)}?{query.urlencode()}"
