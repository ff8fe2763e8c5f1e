"""What the paying forms of the checkout and top-up pages share: payment methods, the base form, texts of refusals."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypedDict

from django import forms
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from core import idempotency
from core.addresses import UNKNOWN, client_address
from core.errors import DomainError
from core.idempotency import KeyReused
from core.ids import new_id
from ledger import display
from ledger.money import Money
from payments import sessions
from payments.collection import checkout_consents, consents
from payments.collection.consents import Agreement
from payments.gateways import registry
from payments.models import Payment


class Method(NamedTuple):
    """A payment method, shown as a radio button with a hint."""

    value: str
    name: str | Promise
    hint: str | Promise
    # Whether its gateway can keep the customer's card or account for later payments.
    saves: bool = False
    # Whether it can also charge that for renewals while the customer is away.
    charges: bool = False


BALANCE = Method("balance", gettext_lazy("Account balance"), gettext_lazy("Paid at once. Nothing to enter."))
# Metered use takes nothing from the balance in advance; the money only has to be there.
BALANCE_IN_USE = Method(
    "balance", gettext_lazy("Account balance"), gettext_lazy("Nothing to pay now. Charged by the second.")
)
# A gateway that is not listed here is offered under its own name.
GATEWAYS = {
    "sandbox": Method(
        "sandbox", gettext_lazy("Test payment page"), gettext_lazy("On the next page you choose how the payment ends.")
    ),
    "stripe": Method(
        "stripe", gettext_lazy("Card"), gettext_lazy("You enter your card on Stripe's page. We never see its number.")
    ),
    "yookassa": Method(
        "yookassa", gettext_lazy("Card or SBP"), gettext_lazy("You pay on YooKassa's page. We never see your card.")
    ),
    "manual": Method(
        "manual",
        gettext_lazy("Bank transfer"),
        gettext_lazy("You send the money yourself. It takes one to three days."),
    ),
}


def from_balance(*, metered: bool) -> Method:
    """Return the balance as a payment method for a metered or an advance price."""
    return BALANCE_IN_USE if metered else BALANCE


def gateways(money: Money) -> list[Method]:
    """Return the offered gateways that take this amount as payment methods, the default one first."""
    names = registry.names(money.currency, money.amount)
    offered = [GATEWAYS.get(name, Method(name, name, "")) for name in names]
    return [_with_capabilities(each) for each in offered]


def _with_capabilities(method: Method) -> Method:
    can = registry.can(method.value)
    return method._replace(saves=can.saves_methods, charges=can.saves_methods and can.charges_off_session)


def no_way_to_pay(money: Money) -> str:
    """Return why no offered gateway takes this amount, for customers; empty if one does.

    An amount of 0 stands for the payments to come: only its currency counts.
    """
    if registry.names(money.currency, money.amount or None):
        return ""
    possible = registry.limits(money.currency)
    if possible is None:
        return _("You cannot pay in %(currency)s here now, only from your balance.") % {"currency": money.currency}
    least, most = (display.money(Money(limit, money.currency)) for limit in possible)
    return _("One payment can be from %(least)s to %(most)s.") % {"least": least, "most": most}


def new_form_key() -> str:
    """Return a new idempotency key for a form's hidden field, so that a form sent twice acts once."""
    return new_id("form")


# What can become of the card or account of a payment: it is used once, saved, or saved and charged for renewals.
ONCE, SAVE, RENEW = KEEP = "", "save", "renew"


class PayForm(forms.Form):
    """The form that pays what its page shows. `shown` is the amount on the button, in minor units."""

    form_key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    shown = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    # Whether the gateway may save the card or account for later payments, and renewals may be paid with it too. Never
    # chosen beforehand: both are consents.
    keep = forms.ChoiceField(required=False, choices=[(each, each) for each in KEEP])
    # Fingerprint of the words about renewals as the page has shown them.
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    method = forms.ChoiceField(
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose how you want to pay"))
    )

    def __init__(
        self,
        data: Any = None,
        *,
        amount: Money | None,
        before: Sequence[Method] = (),
        customer: User | None = None,
        **initial: Any,
    ) -> None:
        """Offer the methods `before` and the gateways that take the amount; none without an amount.

        A `customer` who has not agreed to automatic payments yet may agree here.
        """
        shown = {"form_key": new_form_key(), "shown": None if amount is None else amount.amount}
        super().__init__(data, initial=shown | initial)
        self.amount = amount
        self.offered = [] if amount is None else [*before, *gateways(amount)]
        self.saving = [each for each in self.offered if each.saves]
        self.all_save = all(each.saves for each in self.offered if each.value != BALANCE.value)
        self.all_charge = all(each.charges for each in self.offered if each.value != BALANCE.value)
        self.charging = [each for each in self.offered if each.charges]
        may_agree = bool(self.charging) and customer is not None and may_be_offered(customer)
        self.consent_words = checkout_consents.words() if may_agree else ""
        field = self.fields["method"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.value, each.name) for each in self.offered]

    def clean_shown(self) -> int:
        """Reject the form if the amount is not the one the customer has seen."""
        shown: int = self.cleaned_data["shown"]
        if self.amount is not None and shown != self.amount.amount:
            self.reject_changed_amount(self.amount)
        return shown

    def reject_changed_amount(self, money: Money) -> None:
        """Raise a ValidationError: the amount is `money` now, but the button showed another one."""
        raise forms.ValidationError(
            _("The amount is now %(amount)s. You have not been charged. Check it and confirm again.")
            % {"amount": display.money(money)}
        )

    def clean(self) -> dict[str, Any]:
        """Hide errors of the method while the amount is rejected: the methods offered depend on the amount."""
        if "shown" in self.errors:
            self.errors.pop("method", None)
        self.check_consent()
        return self.cleaned_data

    def check_consent(self) -> None:
        """Reject a consent that the chosen gateway cannot use, or whose words are not those that were shown.

        From the balance nothing is saved: the question is not shown there, and an answer left counts for nothing.
        """
        chosen, agrees = self.cleaned_data.get("method"), self.cleaned_data.get("keep") == RENEW
        if not agrees or chosen is None or chosen == BALANCE.value:
            return
        if chosen not in [each.value for each in self.charging]:
            self.add_error("keep", _("Renewals cannot be paid this way. Choose otherwise, or pay another way."))
        elif self.cleaned_data.get("seen") != self.fingerprint:
            self.add_error("keep", _("The text that you agree to has changed. Read it and choose again."))

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the consent's words in the current language."""
        return idempotency.fingerprint(words=self.consent_words)

    def renew_key(self) -> None:
        """Give the form a new key and the current amounts: its old key belongs to an earlier order."""
        amounts = {name: self.initial[name] for name in ("shown", "total") if name in self.initial}
        self.data = {**self.data, **amounts, "form_key": new_form_key()}
        self.full_clean()


def may_be_offered(customer: User) -> bool:
    """Tell whether a checkout offers the consent to renewals: not to who has given it for a method that works."""
    consent = consents.in_force(customer.pk, consents.Purpose.RENEWALS)
    return consent is None or consent.method.removed_at is not None or consent.method.refused_at is not None


class Saving(TypedDict):
    """What a checkout's request says about the payment method."""

    save_method: bool
    agreement: Agreement | None


def saving_of(request: HttpRequest, *, now: datetime) -> Saving:
    """Return what a sent form says about the payment method. Who agrees that renewals are paid with it saves it too."""
    keep = request.POST.get("keep", ONCE)
    if keep != RENEW or request.POST.get("method") == BALANCE.value:
        return {"save_method": keep == SAVE, "agreement": None}
    address = client_address(request)
    known = None if address == UNKNOWN else address
    return {"save_method": True, "agreement": consents.agreed(checkout_consents.words(), address=known, now=now)}


def continue_url(payment: Payment) -> str:
    """Return the URL where the customer continues: the gateway's page while it can be paid, otherwise our own."""
    if payment.status == Payment.Status.PENDING and payment.confirmation_url and payment.closing_at is None:
        return payment.confirmation_url
    return resolve_url("payment", payment.public_id)


def start_payment(start: Callable[[], Payment]) -> str:
    """Call `start` and return the URL where the customer continues.

    If it fails after the payment was created, return the payment's page, which shows the state. If it fails before,
    raise the DomainError for the form to show.
    """
    try:
        return continue_url(start())
    except DomainError as error:
        payment_id = error.extra.get("payment_id")
        if payment_id is None:
            raise
        return resolve_url("payment", payment_id)


def go_on(payment: Payment, *, now: datetime) -> str:
    """Return where a form leads that has been sent before; open the payment's page unless the first click has."""
    return start_payment(lambda: sessions.opened(payment, now=now))


# Texts of refusals for customers, by error code. Any other error shows its own detail.
REFUSALS: dict[str, str | Promise] = {
    "insufficient_funds": gettext_lazy("Your balance is too low now. Choose another way to pay."),
    "amount_mismatch": gettext_lazy("The amount has changed. You have not been charged. Check it and confirm again."),
    "unavailable": gettext_lazy(
        "The payment service is not responding. You have not been charged. Try again in a minute."
    ),
    "gateway_refused": gettext_lazy(
        "We could not open the payment page. You have not been charged. Try again in a few minutes."
    ),
    "idempotency_key_reused": gettext_lazy(
        "You already sent this form with other choices, and that order is in your account. Nothing was charged "
        "now. If you want this one as well, check it and confirm again."
    ),
}


def refuse(form: PayForm, error: DomainError) -> None:
    """Add the refusal to the form's errors, in words for the customer."""
    if isinstance(error, KeyReused):
        form.renew_key()
    form.add_error(None, str(REFUSALS.get(error.code, error.detail)))
