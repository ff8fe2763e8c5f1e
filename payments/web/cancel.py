"""The choice of where the refund goes on the page that cancels a subscription: to the balance, or on to the card."""

from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger import display
from payments import cancellation_refunds
from subscriptions.web.cancel import CancelForm, check_refund
from subscriptions.web.cards import Card

BALANCE, CARD = "balance", "card"


class CancelToCardForm(CancelForm):
    """Cancelling with the unused time refunded to the balance, or to the card where a payment can take it."""

    destination = forms.ChoiceField(
        required=False,
        choices=[(BALANCE, gettext_lazy("To my balance")), (CARD, gettext_lazy("To the card or account I paid from"))],
    )

    def __init__(self, data: Any = None, *, card: Card) -> None:
        super().__init__(data, card=card)
        customer, currency = card.row.customer, card.price.currency
        self.offers_card = bool(card.refund.amount) and cancellation_refunds.has_card_payment(customer, currency)

    def carry_out(self, *, now: datetime) -> str:
        """Cancel and return the message for the customer. Raises Refused or RefundChanged, and then does nothing."""
        is_to_card = self.cleaned_data["destination"] == CARD and self.cleaned_data["when"] == "now"
        if not (is_to_card and self.offers_card):
            return super().carry_out(now=now)
        check = partial(check_refund, self.card, self.cleaned_data["shown_unused"] or 0)
        done = cancellation_refunds.cancel(self.card.row, now=now, check=check)
        if not done.to_card.amount:
            return _("Cancelled. We could not refund to your card, so %(amount)s came back to your balance.") % {
                "amount": display.money(done.came_back)
            }
        words = {"amount": display.money(done.to_card)}
        if done.to_card == done.came_back:
            return _("Cancelled. We are refunding %(amount)s to your card. It can take up to 10 days.") % words
        return _("Cancelled. We are refunding %(amount)s to your card. The rest went to your balance.") % words
