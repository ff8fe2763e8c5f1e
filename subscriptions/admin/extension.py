"""Staff give a customer days for free: a paid period or a trial ends later, or days of grace go on."""

from django import forms
from django.utils.translation import gettext_lazy as _

from subscriptions.admin.acts import SubscriptionForm
from subscriptions.books import OpenBook
from subscriptions.models import Subscription
from subscriptions.web.cards import Card

Status = Subscription.Status


class ExtendForm(SubscriptionForm):
    """So many days more of what runs now."""

    title = _("Give days for free")
    effect = _(
        "The paid period or the trial ends so many days later, and the next charge moves with it. Nothing is charged. "
        "In days of grace the customer gets more time to pay; the days stay unpaid until they do."
    )
    kind = "subscription.extend"
    needs_open_account = True
    done = _("The days were given.")

    days = forms.IntegerField(label=_("Days"), min_value=1, widget=forms.NumberInput(attrs={"inputmode": "numeric"}))
    field_order = ["form_key", "seen_act", "seen", "days", "reason"]

    @classmethod
    def is_possible(cls, card: Card) -> bool:
        """Tell whether something runs towards an end."""
        return card.is_paid_ahead or card.status in (Status.TRIALING, Status.PAST_DUE)

    def act(self, book: OpenBook) -> None:
        """Extend it."""
        book.extend(self.subscription, self.cleaned_data["days"])
