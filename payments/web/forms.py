"""What the pages that take money ask for. Amounts of plans are never among it: the server works those out."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.ids import new_id
from ledger import display
from ledger.money import Money, NotMoney
from payments.web import methods, typed
from payments.web.order import MOST, Order


def new_form_key() -> str:
    """Return a fresh value for the hidden field by which a form that is sent twice is done once (a UUIDv7)."""
    return new_id("form")


class PayForm(forms.Form):
    """What every paying form sends. `shown` is the amount that was on the button, in minor units."""

    form_key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    shown = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    method = forms.ChoiceField(error_messages={"required": gettext_lazy("Choose how you want to pay")})

    def refuse_unseen(self, money: Money) -> None:
        """Say that it is `money` now, for a form whose button showed another amount."""
        raise forms.ValidationError(
            _("The amount has changed to %(amount)s. You have not been charged. Check it and confirm again.")
            % {"amount": display.money(money)}
        )

    def clean(self) -> dict[str, Any]:
        """Ask again how to pay only once the sum is agreed: what may pay depends on it."""
        if "shown" in self.errors:
            self.errors.pop("method", None)
        return self.cleaned_data

    def begin_anew(self) -> None:
        """Become another form, with the sums of now: what has this one's key was ordered before."""
        sums = {name: self.initial[name] for name in ("shown", "total") if name in self.initial}
        self.data = {**self.data, **sums, "form_key": new_form_key()}
        self.full_clean()

    def offer(self, offered: list[methods.Method]) -> None:
        """Set the ways to pay that may be chosen."""
        self.offered = offered
        field = self.fields["method"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.value, each.name) for each in offered]


class CheckoutForm(PayForm):
    """Buys an order."""

    # What it costs each time, which in a trial is not what is due now.
    total = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"),
        min_value=1,
        max_value=MOST,
        widget=forms.NumberInput(attrs={"class": "few", "inputmode": "numeric"}),
    )
    auto_renew = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict | None = None, *, order: Order) -> None:
        """Bind to what was sent, for the order that it makes; a quantity that was not sent is the order's."""
        sums = {"shown": order.due_now.amount, "total": order.total.amount, "quantity": order.quantity}
        super().__init__(
            {"quantity": order.quantity} | data.dict() if data else None,
            initial={"form_key": new_form_key(), "auto_renew": True, **sums},
        )
        self.order = order
        errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), _quantities())
        self.fields["quantity"].error_messages.update(errors)
        self.offer(([methods.from_balance(metered=order.price.metered)] if order.covered else []) + methods.gateways())
        if order.needs_no_gateway:
            del self.fields["method"]

    def clean_shown(self) -> int:
        """Refuse to take an amount the customer has not seen."""
        shown: int = self.cleaned_data["shown"]
        if shown != self.order.due_now.amount:
            self.refuse_unseen(self.order.due_now)
        return shown

    def clean_total(self) -> int:
        """Refuse to agree to an amount for later that the customer has not seen."""
        total: int = self.cleaned_data["total"]
        if "shown" in self.cleaned_data and total != self.order.total.amount:
            self.refuse_unseen(self.order.total)
        return total

    def clean_quantity(self) -> int:
        """Refuse one that the order could not be made of."""
        quantity: int = self.cleaned_data["quantity"]
        if quantity != self.order.quantity:
            raise forms.ValidationError(_quantities())
        return quantity

    @property
    def pays_from_balance(self) -> bool:
        return self.order.needs_no_gateway or self.cleaned_data["method"] == methods.BALANCE.value


def _quantities() -> str:
    return _("Enter a whole number from 1 to %(most)d. You have not been charged.") % {"most": MOST}


class AmountForm(forms.Form):
    """How much to top up, as typed."""

    amount = forms.CharField(
        label=gettext_lazy("Another amount"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "transaction-amount"}),
        error_messages={"required": gettext_lazy("Enter an amount")},
    )

    def __init__(self, data: Any = None, *, currency: str, **more: Any) -> None:
        super().__init__(data, **more)
        self.least, self.most = (Money(limit, currency) for limit in settings.TOP_UP_LIMITS[currency])
        self.currency = currency
        limits = {"least": display.money(self.least), "most": display.money(self.most)}
        self.fields["amount"].help_text = _("From %(least)s to %(most)s") % limits

    def clean_amount(self) -> Money:
        """Return the amount as Money, within the limits."""
        try:
            amount = typed.parse(self.cleaned_data["amount"], self.currency)
        except NotMoney:
            raise forms.ValidationError(_("Enter an amount in digits, like 1000.50")) from None
        if amount.amount < self.least.amount:
            raise forms.ValidationError(
                _("The amount must be %(least)s or more") % {"least": display.money(self.least)}
            )
        if amount.amount > self.most.amount:
            raise forms.ValidationError(_("The amount must be %(most)s or less") % {"most": display.money(self.most)})
        return amount


class TopUpForm(PayForm):
    """Pays the amount that was reviewed. One typed since and not looked at is shown before it is paid."""

    def __init__(self, data: Any = None, *, amount: Money | None) -> None:
        super().__init__(data, initial={"form_key": new_form_key(), "shown": amount.amount if amount else None})
        self.amount = amount
        self.offer(methods.gateways())

    def clean_shown(self) -> int:
        """Refuse to take an amount the customer has not seen."""
        shown: int = self.cleaned_data["shown"]
        if self.amount and shown != self.amount.amount:
            self.refuse_unseen(self.amount)
        return shown
