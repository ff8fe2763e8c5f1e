"""The page on which customers set up automatic top-ups of one balance: the numbers, then the words to agree to."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.web.auth import SignedInRequest, button
from core import idempotency
from core.addresses import UNKNOWN, client_address
from core.errors import DomainError
from ledger.models import Account
from ledger.money import Money, NotMoney
from payments.collection import top_ups
from payments.models import AutoTopUp, PaymentMethod
from payments.web import amount_input
from payments.web.automatic_payments import Choice, choices_of
from payments.web.topup import usual_currencies


class AmountField(forms.CharField):
    """An amount as people type it, in minor units; None if nothing was typed."""

    currency = ""

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        try:
            return amount_input.parse(text, self.currency).amount if text else None
        except amount_input.Unclear as unclear:
            raise forms.ValidationError(str(unclear)) from unclear
        except NotMoney as error:
            raise forms.ValidationError(_("Enter an amount, for example 500 or 499.50.")) from error


class RuleForm(forms.Form):
    """The numbers of a rule. What they mean together is checked by payments.collection.top_ups."""

    method = forms.ChoiceField(label=gettext_lazy("Payment method"))
    threshold = AmountField(label=gettext_lazy("When the balance falls below"), required=False, max_length=30)
    amount = AmountField(label=gettext_lazy("Top up by"), required=False, max_length=30)
    days = forms.IntegerField(label=gettext_lazy("Or keep enough for this many days"), required=False)
    cap = AmountField(
        label=gettext_lazy("Monthly limit"), max_length=30,
        help_text=gettext_lazy("The most that is charged in a calendar month."),
        error_messages={"required": gettext_lazy("Enter a monthly limit.")},
    )  # fmt: skip
    # Whether the customer agrees, and to which words: the fingerprint of those that the page has shown.
    agree = forms.BooleanField(required=False, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, data: Any = None, *, currency: str, choices: list[Choice], rule: AutoTopUp | None = None
    ) -> None:
        super().__init__(data, initial=numbers_of(rule) if rule else None)
        self.currency = currency
        self.methods = {each.method.public_id: each.method for each in choices if not each.obstacle}
        methods = [(public_id, str(method)) for public_id, method in self.methods.items()]
        self.fields["method"] = forms.ChoiceField(label=_("Payment method"), choices=methods)
        for name in ("threshold", "amount", "cap"):
            field = self.fields[name]
            assert isinstance(field, AmountField)
            field.currency = currency

    @property
    def chosen(self) -> PaymentMethod:
        return self.methods[self.cleaned_data["method"]]

    @property
    def rule(self) -> dict[str, int | None]:
        return {name: self.cleaned_data[name] for name in ("threshold", "amount", "days", "cap")}

    @property
    def words(self) -> str:
        """Return what the customer agrees to with these numbers; "" if the form has errors."""
        if self.errors:
            return ""
        rule: dict[str, Any] = self.rule
        return top_ups.words(self.chosen, self.currency, **rule)

    @property
    def fingerprint(self) -> str:
        return idempotency.fingerprint(words=self.words)

    @property
    def is_agreed(self) -> bool:
        """Whether the customer agrees to exactly these words."""
        return bool(self.cleaned_data["agree"]) and self.cleaned_data["seen"] == self.fingerprint

    def clean(self) -> dict[str, Any]:
        """Reject numbers that make no sense together."""
        if not self.errors:
            rule: dict[str, Any] = self.rule
            try:
                top_ups.check(self.chosen, self.currency, **rule)
            except DomainError as error:
                self.add_error(error.param if error.param in self.fields else None, error.detail)
        return self.cleaned_data


def numbers_of(rule: AutoTopUp) -> dict[str, Any]:
    """Return what the form shows for a rule."""
    amounts = {"threshold": rule.threshold, "amount": rule.amount, "cap": rule.monthly_cap}
    typed = {name: Money(each, rule.currency).plain() for name, each in amounts.items() if each is not None}
    return {**typed, "days": rule.days_ahead, "method": rule.consent.method.public_id}


def _currency(request: SignedInRequest, currencies: list[str]) -> str:
    """Return the currency that the URL names, else that of the customer's first balance, else the first one."""
    wallets = Account.objects.filter(owner=request.user, kind=Account.Kind.WALLET).order_by("id")
    wanted = [request.GET.get("currency", ""), *wallets.values_list("currency", flat=True), currencies[0]]
    return next(currency for currency in wanted if currency in currencies)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def auto_top_up(request: SignedInRequest) -> HttpResponse:
    """Show the form, then the words for its numbers; turn the rule on once the customer agrees to those words."""
    now = timezone.now()
    currencies = usual_currencies(request.user)
    currency = _currency(request, currencies)
    choices = choices_of(request.user, now=now)
    rule = top_ups.rule_of(request.user.pk, currency)
    form = RuleForm(request.POST or None, currency=currency, choices=choices, rule=rule)
    if request.method == "POST" and form.is_valid() and form.is_agreed:
        _turn_on(request, form, now=now)
        return HttpResponseRedirect(resolve_url("automatic_payments"), status=303)
    context = {"form": form, "currency": currency, "currencies": currencies}
    context["words"] = form.words if form.is_bound else ""
    return render(request, "payments/auto_top_up.html", context, status=422 if form.errors else 200)


@button("automatic_payments")
def auto_top_up_off(request: SignedInRequest) -> HttpResponse:
    """Turn the rule of one balance off and go back to the page."""
    top_ups.turn_off(request.user.pk, request.POST.get("currency", ""), now=timezone.now())
    messages.success(request, _("Automatic top-ups are off."))
    return HttpResponseRedirect(resolve_url("automatic_payments"), status=303)


def _turn_on(request: SignedInRequest, form: RuleForm, *, now: datetime) -> None:
    address, rule = client_address(request), form.rule
    numbers: dict[str, Any] = rule
    try:
        top_ups.turn_on(form.chosen, form.currency, address=None if address == UNKNOWN else address, now=now, **numbers)
        messages.success(request, _("Automatic top-ups are on."))
    except DomainError as error:
        messages.error(request, error.detail)
