"""Staff cancel a subscription, at its end or now, with or without a refund, or withdraw a cancellation."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.admin.review import Result
from ledger.display import moment, money
from ledger.money import Money
from subscriptions.admin.acts import SubscriptionForm
from subscriptions.books import OpenBook
from subscriptions.web.actions import Action
from subscriptions.web.cards import Card

AT_END, NOW, REFUND = "period_end", "now", "refund"


class CancelForm(SubscriptionForm):
    """A cancellation. `refund` is what came back for unused time, in minor units."""

    title = _("Cancel the subscription")
    effect = _("A refund for unused time goes to the balance. Its amount is that of the moment at which you confirm.")
    kind, action = "subscription.cancel", Action.CANCEL
    done = _("The subscription was cancelled.")
    refund = 0

    when = forms.ChoiceField(label=_("When"))
    field_order = ["form_key", "seen_act", "seen", "when", "reason"]

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        field = self.fields["when"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = ways(self.card)

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Cancel and say what came back."""
        result = super().carry_out(by, now=now)
        if self.cleaned_data["when"] == AT_END:
            return Result(gettext("The subscription ends with its period."))
        if not self.refund:
            return result
        came = money(Money(self.refund, self.card.price.currency))
        return Result(
            gettext("The subscription was cancelled. %(amount)s came back to the balance.") % {"amount": came}
        )

    def act(self, book: OpenBook) -> None:
        """Cancel it."""
        when = self.cleaned_data["when"]
        if when == AT_END:
            book.cancel(self.subscription, when=AT_END)
        else:
            self.refund = book.end(self.subscription, refund_unused=when == REFUND)


def ways(card: Card) -> list[tuple[str, str]]:
    """Return the ways to cancel it: at the end of a period or trial, now with a refund, now without."""
    found = []
    if card.ends_by_itself and card.until and not card.is_leaving:
        found.append((AT_END, gettext("At its end, on %(moment)s") % {"moment": moment(card.until)}))
    if card.refund.amount:
        text = gettext("Now, with a refund for unused time: %(amount)s at this moment")
        found.append((REFUND, text % {"amount": money(card.refund)}))
    # The rest of a paused period comes back without being asked for.
    if not (card.refund.amount and card.is_paused):
        found.append((NOW, gettext("Now, without a refund") if card.unused.amount else gettext("Now")))
    return found


class UndoCancelForm(SubscriptionForm):
    """The withdrawal of a cancellation that has not taken effect."""

    title = _("Undo the cancellation")
    effect = _("It goes on at the end of the period or trial as if it had not been cancelled.")
    kind, action = "subscription.undo_cancel", Action.UNDO_CANCEL
    done = _("The cancellation was undone.")

    def act(self, book: OpenBook) -> None:
        """Undo it."""
        book.undo_cancel(self.subscription)
