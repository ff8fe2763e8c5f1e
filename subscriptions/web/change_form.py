"""The choice of another plan: what is offered to whom, and when it may come."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger import display
from ledger.money import Money
from subscriptions import books
from subscriptions.engine.subscription import Status
from subscriptions.models import Price
from subscriptions.web import price_list
from subscriptions.web.cards import Card


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan on the page, with what this subscription would pay for it, quantity and periods as they are."""

    price: Price
    cost: Money
    periods: int
    is_current: bool
    # The change to it is planned for the period's end already.
    is_coming: bool


class ChangeForm(forms.Form):
    """Which plan, and `when`: now, or at the period's end."""

    plan = forms.ChoiceField(error_messages={"required": gettext_lazy("Choose a plan")})
    when = forms.ChoiceField(required=False)

    def __init__(self, data: Any, *, card: Card) -> None:
        super().__init__(data)
        self.offers = offers(card)
        self.times = times(card)
        self._choices("plan", [(each.price.plan.code, each.price.plan.title) for each in self.to_choose])
        self._choices("when", [(each["when"], each["title"]) for each in self.times])

    @property
    def to_choose(self) -> list[Offer]:
        return [each for each in self.offers if not each.is_current]

    @property
    def price(self) -> Price:
        """The price that was chosen, of a valid form."""
        chosen = {each.price.plan.code: each.price for each in self.to_choose}
        return chosen[self.cleaned_data["plan"]]

    def clean_when(self) -> str:
        """Now, where nothing else was said."""
        return self.cleaned_data["when"] or "now"

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


def offers(card: Card) -> list[Offer]:
    """Return the plans on sale in the subscription's currency; its own stands as it is, on sale or not."""
    own, sold = card.price, list(price_list.on_sale(card.price.currency))
    listed = [own if price.plan_id == own.plan_id else price for price in sold]
    return [_offer(price, card) for price in (listed if own in listed else [own, *listed])]


def times(card: Card) -> list[dict[str, str]]:
    """Return when the change may come: only a period that is paid for, and goes on after, has an end to wait for."""
    now = {"when": "now", "title": _("Now"), "effect": _now(card)}
    if card.until is None or not waits(card):
        return [now]
    later = {
        "when": "period_end",
        "title": _("On %(day)s") % {"day": display.day(card.until)},
        "effect": _("You keep %(plan)s until then. Nothing is charged before.") % {"plan": card.price.plan.title},
    }
    return [now, later]


def waits(card: Card) -> bool:
    """Whether a change can wait for the end of what is paid for."""
    is_paid_ahead = card.status is Status.ACTIVE and not card.price.metered
    return is_paid_ahead and card.holding.auto_renew and not card.is_leaving


def _now(card: Card) -> str:
    if card.unused.amount:
        return _("The unused part of %(plan)s, %(amount)s at this moment, comes back to your balance.") % {
            "plan": card.price.plan.title, "amount": display.money(card.unused),
        }  # fmt: skip
    return _("You see every amount before you confirm.")


def _offer(price: Price, card: Card) -> Offer:
    periods = 1 if price.metered else card.row.periods
    return Offer(
        price=price,
        cost=Money(books.due(price, card.row.quantity, periods), price.currency),
        periods=periods,
        is_current=price.plan_id == card.price.plan_id,
        is_coming=card.coming is not None and price.plan_id == card.coming.plan_id,
    )
