"""The page that changes the quantity: choose a number and a time. confirm_change shows the quote."""

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
from subscriptions import quotes
from subscriptions.catalogue import MOST_QUANTITY
from subscriptions.models import Quote
from subscriptions.web.actions import Action
from subscriptions.web.cards import Card
from subscriptions.web.confirm_change import ChoiceForm, choose, times
from subscriptions.web.subscriptions import get_card


class QuantityForm(ChoiceForm):
    """The form: a number, and `when` it changes: now or at the end of the period."""

    quantity = forms.IntegerField(
        label=gettext_lazy("New quantity"),
        min_value=1,
        max_value=MOST_QUANTITY,
        widget=forms.NumberInput(attrs={"class": "few", "inputmode": "numeric"}),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), gettext_lazy("Enter a whole number, at least 1")
        ),
    )

    def __init__(self, data: Any, *, card: Card) -> None:
        super().__init__(data, times=times(card, *effects(card)), initial={"quantity": card.quantity})
        self.card = card

    def clean_quantity(self) -> int:
        """Refuse the number it has, unless that drops another one that is planned."""
        quantity: int = self.cleaned_data["quantity"]
        if quantity == self.card.quantity and self.card.coming_quantity is None:
            raise forms.ValidationError(_("This is the quantity you have. Enter another one."))
        return quantity


def effects(card: Card) -> tuple[str, str]:
    """Return what a change now and one at the end of the period do."""
    if card.is_paid_ahead and card.until:
        now = _("You pay or get back only the difference for the time left. The period still ends on %(day)s.") % {
            "day": display.day(card.until)
        }
    else:
        now = _("You see every amount before you confirm.")
    later = _("The quantity stays %(quantity)d until then. Nothing is charged before that.")
    return now, later % {"quantity": card.quantity}


@require_safe
@login_required
def quantity(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Ask for a number. With one in the query, make a quote for it and redirect to that; it changes nothing."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    form = QuantityForm(request.GET if "quantity" in request.GET or "when" in request.GET else None, card=card)

    def quote() -> Quote:
        wanted, when = form.cleaned_data["quantity"], form.cleaned_data["when"]
        return quotes.make(card.row, card.price, now=now, quantity=wanted, when=when)

    return choose(request, card, form, Action.QUANTITY, quote, template="subscriptions/quantity.html")
