"""Staff change the plan or the quantity of a subscription, and see what the customer would see before confirming."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.rehearsal import Fact, Facts
from events.admin.review import Changed, Result
from ledger.display import money
from subscriptions import catalogue, quotes
from subscriptions.admin.acts import SubscriptionForm, cost_of
from subscriptions.books import OpenBook
from subscriptions.models import Price, Quote, Subscription
from subscriptions.web import cards
from subscriptions.web.actions import Action
from subscriptions.web.confirm_change import times
from subscriptions.web.quote import QuotePage


class QuotedForm(SubscriptionForm):
    """A change that goes through a quote, as the customer's own does. `preview` is what they would be shown."""

    needs_open_account = True
    when = forms.ChoiceField(label=_("When"))
    preview: Facts

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        self.preview = {}
        self.set_choices("when", [(each["when"], each["title"]) for each in times(self.card, "", "")])

    def set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Set the values that a field accepts."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Make a quote on the settled book, keep what it shows, and accept it."""
        self.on_book(by, lambda book: None, now=now)
        row = Subscription.objects.select_related("customer", "price__plan").get(pk=self.subscription.pk)
        quote = self.quote(row, now=now)
        self.preview = previewed(
            QuotePage(quote=quote, card=cards.one(row, now=now), changed=quotes.after(quote, now=now))
        )
        quotes.accept(quote, now=now, author=by)
        return Result(str(self.done))

    def quote(self, row: Subscription, *, now: datetime) -> Quote:
        """Return a quote for the change. Raises Refused."""
        raise NotImplementedError

    def facts(self, *, now: datetime) -> Facts:
        """Return the state, and what the customer would be shown once it is known."""
        return super().facts(now=now) | self.preview


def previewed(page: QuotePage) -> Facts:
    """Return what the page of a quote says: its sentences, and each amount with how it comes about."""
    told = (
        page.effects
        if page.is_exact
        else [*page.effects, gettext("Within 15 minutes the amounts do not get worse than this.")]
    )
    facts = {"told": Fact(gettext("As the customer would read it"), " ".join(told))}
    for place, row in enumerate(page.rows):
        formula = f" ({row.formula})" if row.formula else ""
        facts[f"line{place}"] = Fact(row.label, f"{money(row.money, signed=True)}{formula}")
    if page.lacking.amount:
        facts["lacking"] = Fact(gettext("Missing for the payment then"), money(page.lacking))
    return facts


class PlanForm(QuotedForm):
    """Another plan that is on sale in the currency of the subscription."""

    title = _("Change the plan")
    effect = _(
        "Unused time comes back and the new plan is paid from the balance, as when the customer changes it. "
        "Amounts are those of the moment at which you confirm."
    )
    kind, action = "subscription.change_plan", Action.CHANGE
    done = _("The plan was changed.")

    plan = forms.ChoiceField(label=_("New plan"))
    # The price that the review has shown, so that a newer version is not paid unseen.
    offer = forms.IntegerField(required=False, widget=forms.HiddenInput)
    field_order = ["form_key", "seen_act", "seen", "offer", "plan", "when", "reason"]

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        self.set_choices("plan", [(price.plan.code, self._label(price)) for price in self._offers()])

    def quote(self, row: Subscription, *, now: datetime) -> Quote:
        """Return a quote for the plan that was chosen."""
        price, seen = quotes.price_for(row, self.cleaned_data["plan"], now=now), self.cleaned_data.get("offer")
        self.take_over(offer=price.pk)
        # Another plan may have been chosen since the review.
        if seen not in (None, price.pk) and Price.objects.filter(pk=seen, plan=price.plan_id).exists():
            raise Changed(gettext("The price has changed meanwhile. Check the new one."))
        return quotes.make(row, price, now=now, when=self.cleaned_data["when"])

    def _offers(self) -> list[Price]:
        own = self.card.price
        return [price for price in catalogue.prices_on_sale(own.currency) if price.plan_id != own.plan_id]

    def _label(self, price: Price) -> str:
        return f"{price.plan.title}, {cost_of(price, self.card.quantity, self.subscription.periods)}"


class QuantityForm(QuotedForm):
    """Another quantity of the same plan."""

    title = _("Change the quantity")
    effect = _("In a paid period only the difference for the time left is charged or comes back.")
    kind, action = "subscription.change_quantity", Action.QUANTITY
    done = _("The quantity was changed.")

    quantity = forms.IntegerField(label=_("New quantity"), min_value=1, max_value=catalogue.MOST_QUANTITY)
    field_order = ["form_key", "seen_act", "seen", "quantity", "when", "reason"]

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        self.initial["quantity"] = self.card.quantity

    def clean_quantity(self) -> int:
        """Refuse the quantity that it has, unless that drops another one that is planned."""
        quantity: int = self.cleaned_data["quantity"]
        if quantity == self.card.quantity and self.card.coming_quantity is None:
            raise forms.ValidationError(gettext("This is the quantity it has. Enter another one."))
        return quantity

    def quote(self, row: Subscription, *, now: datetime) -> Quote:
        """Return a quote for the quantity."""
        sent = self.cleaned_data
        return quotes.make(row, row.price, now=now, quantity=sent["quantity"], when=sent["when"])


class KeepPlanForm(SubscriptionForm):
    """The end of a change that is planned for the end of the period."""

    title = _("Drop the planned change")
    effect = _("The change of plan or quantity that is planned for the end of the period does not happen.")
    kind, action = "subscription.keep_plan", Action.KEEP_PLAN
    needs_open_account = True
    done = _("The planned change was dropped.")

    def act(self, book: OpenBook) -> None:
        """Drop what is planned."""
        book.keep_plan(self.subscription)
