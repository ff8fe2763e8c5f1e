"""The page that changes the plan: choose a plan and a time. confirm_change shows the quote."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.web.auth import SignedInRequest
from ledger import display
from ledger.money import Money
from subscriptions import catalogue, quotes
from subscriptions.models import Price, Quote
from subscriptions.web.actions import Action
from subscriptions.web.cards import Card
from subscriptions.web.confirm_change import ChoiceForm, choose, times
from subscriptions.web.subscriptions import get_card


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan on the page, with its cost at the subscription's quantity and periods."""

    price: Price
    cost: Money
    periods: int
    is_current: bool
    # Whether a change to it is already scheduled for the end of the period.
    is_coming: bool


class ChangeForm(ChoiceForm):
    """The form: a plan, and `when` to change to it: now or at the end of the period."""

    plan = forms.ChoiceField(
        error_messages={"required": gettext_lazy("Choose a plan"), "invalid_choice": gettext_lazy("Choose a plan")}
    )

    def __init__(self, data: Any, *, card: Card) -> None:
        super().__init__(data, times=times(card, *effects(card)))
        self.offers = offers(card)
        self.set_choices("plan", [(each.price.plan.code, each.price.plan.title) for each in self.to_choose])

    @property
    def to_choose(self) -> list[Offer]:
        """The offers without the current plan."""
        return [each for each in self.offers if not each.is_current]

    @property
    def price(self) -> Price:
        """The chosen price. The form must be valid."""
        prices = {each.price.plan.code: each.price for each in self.to_choose}
        return prices[self.cleaned_data["plan"]]


def offers(card: Card) -> list[Offer]:
    """Return the plans on sale in the subscription's currency, and its own plan at its own price, on sale or not."""
    own, sold = card.price, list(catalogue.prices_on_sale(card.price.currency))
    listed = [own if price.plan_id == own.plan_id else price for price in sold]
    return [_offer(price, card) for price in (listed if own in listed else [own, *listed])]


def effects(card: Card) -> tuple[str, str]:
    """Return what a change now and one at the end of the period do."""
    values = {"plan": card.price.plan.title, "amount": display.money(card.unused)}
    refunds = _("We refund the unused time of %(plan)s to your balance: %(amount)s right now.")
    now = refunds % values if card.unused.amount else _("You see every amount before you confirm.")
    return now, _("You keep %(plan)s until then. Nothing is charged before that.") % values


def _offer(price: Price, card: Card) -> Offer:
    periods = 1 if price.metered else card.row.periods
    return Offer(
        price=price,
        cost=Money(catalogue.cost(price, card.quantity, periods), price.currency),
        periods=periods,
        is_current=price.plan_id == card.price.plan_id,
        is_coming=card.coming is not None and price.plan_id == card.coming.plan_id,
    )


@require_safe
@login_required
def change(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Offer the other plans. With a plan in the query, make a quote for it and redirect to that; it changes nothing."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    form = ChangeForm(request.GET if "plan" in request.GET or "when" in request.GET else None, card=card)

    def quote() -> Quote:
        return quotes.make(card.row, form.price, now=now, when=form.cleaned_data["when"])

    return choose(request, card, form, Action.CHANGE, quote, template="subscriptions/change.html")
