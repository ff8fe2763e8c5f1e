"""Staff start a plan for a customer: paid from the balance, or with the free trial that the plan has."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.errors import DomainError
from core.rehearsal import Fact, Facts
from events.admin.review import ActForm, Result
from events.admin.trace import reason_field
from ledger.display import money
from ledger.money import Money
from subscriptions import catalogue, orders, overview
from subscriptions.admin import acts
from subscriptions.admin import facts as customer_facts
from subscriptions.admin.refusals import for_staff
from subscriptions.models import Price, Subscription


class SaleForm(ActForm):
    """A plan for a customer, who is the row. `sold` is the subscription that it has made."""

    title = _("Start a plan")
    effect = _(
        "The plan starts at once: with its free trial if the customer has not had one, else paid from the balance. "
        "It renews automatically."
    )
    kind, permission = "customer.subscribe", "subscriptions.add_subscription"
    sold: Subscription | None = None

    price = forms.ModelChoiceField(label=_("Plan"), queryset=Price.objects.none(), empty_label=None)
    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, max_value=catalogue.MOST_QUANTITY, initial=1)
    periods = forms.IntegerField(
        label=_("Periods"),
        min_value=1,
        max_value=catalogue.MOST_PERIODS,
        initial=1,
        help_text=_("How many intervals of the price each payment buys. A plan with a meter has none."),
    )
    reason = reason_field(_("For the record. The customer does not read it."))

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        field = self.fields["price"]
        assert isinstance(field, forms.ModelChoiceField)
        offered = catalogue.prices_on_sale()
        field.queryset = offered
        field.choices = [(str(price.pk), label(price)) for price in offered]

    @classmethod
    def obstacle(cls, row: User) -> str:
        """Return why nothing can be started for this customer."""
        return "" if row.is_active else gettext("The account is closed. Open it first.")

    def customer(self) -> User:
        """Return the customer."""
        row: User = self.row
        return row

    def logged(self) -> Sequence[Any]:
        """Return the customer and the new subscription."""
        return [self.row, self.sold] if self.sold else [self.row]

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Start the plan. Raises Refused if it is not funded."""
        sent = self.cleaned_data
        self.sold = orders.sell(
            self.customer(), sent["price"], author=by, now=now, quantity=sent["quantity"], periods=sent["periods"]
        )
        values = {"plan": self.sold.price.plan.title, "id": self.sold.public_id}
        return Result(gettext("%(plan)s was started: %(id)s.") % values)

    def add_refusal(self, error: DomainError) -> None:
        """Show the error in words for staff."""
        super().add_refusal(for_staff(error))

    def facts(self, *, now: datetime) -> Facts:
        """Return the balances, or once a plan is chosen the state of that currency and of the new subscription."""
        chosen = getattr(self, "cleaned_data", {}).get("price")
        if chosen is None:
            views = overview.of(self.customer(), now=now).views
            return {view.currency: _balance(view.available, view.currency) for view in views}
        facts = customer_facts.of_customer(self.customer(), chosen.currency, now=now)
        if self.sold is None or self.sold.public_id not in facts:
            return facts
        facts.pop(self.sold.public_id)
        return acts.of_state(overview.one(self.sold, now=now)) | facts


def label(price: Price) -> str:
    """Return how a price is chosen: the plan, what it costs, and its trial."""
    text = f"{price.plan.title}, {acts.cost_of(price, 1, 1)}"
    if not price.trial_days:
        return text
    return gettext("%(plan)s, %(days)d days free") % {"plan": text, "days": price.trial_days}


def _balance(amount: int, currency: str) -> Fact:
    return Fact(gettext("Balance in %s") % currency, money(Money(amount, currency)))
