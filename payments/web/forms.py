"""The ways to pay, as the checkout names them. A gateway without a row is offered under its own name."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.shortcuts import resolve_url
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from core.idempotency import KeyReused
from core.ids import new_id
from ledger import display
from ledger.money import Money
from payments.models import Payment


class Method(NamedTuple):
    """A radio button: its value, its name, and what happens when it is taken."""

    value: str
    name: str | Promise
    hint: str | Promise


BALANCE = Method("balance", gettext_lazy("Account balance"), gettext_lazy("Paid at once, nothing to enter."))
# For what is used up by the second nothing is paid ahead out of the balance: it only has to be there.
BALANCE_IN_USE = Method(
    "balance", gettext_lazy("Account balance"), gettext_lazy("Nothing is paid now. It is used up by the second.")
)
GATEWAYS = {
    "sandbox": Method(
        "sandbox", gettext_lazy("Test payment page"), gettext_lazy("You choose on the next page how the payment ends.")
    ),
    "stripe": Method(
        "stripe", gettext_lazy("Card"), gettext_lazy("You enter the card on Stripe's page. We never see its number.")
    ),
    "yookassa": Method(
        "yookassa", gettext_lazy("Card or SBP"), gettext_lazy("You pay on YooKassa's page. We never see your card.")
    ),
}


def from_balance(*, metered: bool) -> Method:
    """Return the balance as a way to pay a price."""
    return BALANCE_IN_USE if metered else BALANCE


def gateways() -> list[Method]:
    """Return the gateways that are switched on, in the settings' order."""
    names: list[str] = settings.PAYMENT_GATEWAYS
    return [GATEWAYS.get(name, Method(name, name, "")) for name in names]


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

    def offer(self, offered: list[Method]) -> None:
        """Set the ways to pay that may be chosen."""
        self.offered = offered
        field = self.fields["method"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.value, each.name) for each in offered]


def onward(payment: Payment) -> str:
    """Return where a customer goes on with this payment."""
    if payment.status == Payment.Status.PENDING and payment.confirmation_url:
        return payment.confirmation_url
    return resolve_url("payment", payment.public_id)


def started(start: Callable[[], Payment]) -> str:
    """Start a payment and return where to go on; raise DomainError for what the form must show."""
    try:
        return onward(start())
    except DomainError as error:
        payment_id = error.extra.get("payment_id")
        if payment_id is None:
            raise
        return resolve_url("payment", payment_id)


# Refusals in the customer's words. A code that is not here shows its own detail.
REFUSALS: dict[str, str | Promise] = {
    "insufficient_funds": gettext_lazy("Your balance is not enough any more. Choose another way to pay."),
    "amount_mismatch": gettext_lazy("The amount has changed. You have not been charged. Check it and confirm again."),
    "unavailable": gettext_lazy(
        "The payment service does not answer just now. You have not been charged. Try again in a minute."
    ),
    "gateway_refused": gettext_lazy(
        "The payment page could not be opened. You have not been charged. Try again in a few minutes."
    ),
    "idempotency_key_reused": gettext_lazy(
        "You have sent this form before, with other choices, and that order stands: see your account. "
        "Nothing was charged now. If you want this as well, check it and confirm again."
    ),
}


def refuse(form: PayForm, error: DomainError) -> None:
    """Say on the form, in the customer's words, why it was refused."""
    if isinstance(error, KeyReused):
        form.begin_anew()
    form.add_error(None, str(REFUSALS.get(error.code, error.detail)))
