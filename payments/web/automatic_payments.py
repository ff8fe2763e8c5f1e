"""The page on which customers agree to automatic payments for renewals, choose the method, and withdraw."""

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.web.auth import SignedInRequest, button
from core.addresses import UNKNOWN, client_address
from ledger import display
from payments.collection import consents, states, top_ups
from payments.collection.consents import MethodNotUsable, Purpose
from payments.models import AutoTopUp, Collection, Consent, PaymentMethod
from payments.web.methods import adding
from payments.web.policy import leads_to_gateways


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A saved method, and what its customer would agree to with it."""

    method: PaymentMethod
    words: str
    # Why it cannot be charged; empty if it can.
    obstacle: str

    @property
    def reason(self) -> str:
        """Return the obstacle in words for the customer."""
        match self.obstacle:
            case "method_refused":
                return _("Your bank has refused automatic payments with it.")
            case "method_expired":
                return _("It has expired.")
        return _("It cannot be used for automatic payments.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleShown:
    """A rule of automatic top-ups on the page, and why it charges nothing now; empty if it does."""

    rule: AutoTopUp
    trouble: str


def rules_of(customer: User, *, now: datetime) -> list[RuleShown]:
    """Return the customer's rules, with what keeps them from charging."""
    rules = AutoTopUp.objects.filter(customer=customer, ended_at=None).select_related("consent__method")
    return [RuleShown(rule=rule, trouble=_trouble_of(rule, now=now)) for rule in rules.order_by("currency")]


def _trouble_of(rule: AutoTopUp, *, now: datetime) -> str:
    method = rule.consent.method
    if rule.stopped_at is None and not consents.obstacle(method, now=now):
        return ""
    match rule.stopped_reason:
        case "burst":
            text = _(
                "We stopped it on %(moment)s, because too many charges were needed in a day. Set it up again to turn "
                "it on."
            )
        case top_ups.DISPUTED:
            text = _(
                "We stopped it on %(moment)s, because your bank is taking back one of your payments. Set it up again "
                "to turn it on."
            )
        case _other:
            text = _("%(method)s cannot be charged any more. Set it up again with another payment method.")
    return text % {"method": str(method), "moment": display.moment(rule.stopped_at) if rule.stopped_at else ""}


class AgreementForm(forms.Form):
    """The method that the customer has chosen, and the consent."""

    method = forms.CharField(max_length=40)
    agree = forms.BooleanField(required=False)

    def __init__(self, data: object = None, *, choices: list[Choice]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.choices = {choice.method.public_id: choice for choice in choices}

    def clean_method(self) -> PaymentMethod:
        """Return the method; reject one that is not on the page."""
        choice = self.choices.get(self.cleaned_data["method"])
        if choice is None or choice.obstacle:
            raise forms.ValidationError(_("Choose one of the payment methods on this page."))
        return choice.method

    def clean_agree(self) -> bool:
        """Reject the form without the consent."""
        if not self.cleaned_data["agree"]:
            raise forms.ValidationError(_("Tick the box to agree. Nothing was changed."))
        return True


def choices_of(customer: User, *, now: datetime) -> list[Choice]:
    """Return the customer's saved methods, the newest first."""
    kept = PaymentMethod.objects.filter(customer=customer, removed_at=None).order_by("-id")
    return [
        Choice(
            method=method, words=consents.renewal_words(method), obstacle=consents.obstacle(method, now=now)
        )
        for method in kept
    ]  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@leads_to_gateways
def automatic_payments(request: SignedInRequest) -> HttpResponse:
    """Show the customer's methods and the consent in force, or record a new consent."""
    now = timezone.now()
    form = AgreementForm(request.POST or None, choices=choices_of(request.user, now=now))
    if request.method == "POST" and form.is_valid():
        _agree(request, form.cleaned_data["method"], now=now)
        return HttpResponseRedirect(resolve_url("automatic_payments"), status=303)
    context = _context(request.user, form, now=now)
    return render(request, "payments/automatic_payments.html", context, status=422 if form.errors else 200)


@button("automatic_payments")
def withdraw(request: SignedInRequest) -> HttpResponse:
    """Withdraw the consent to renewals and go back to the page. A second click finds nothing to withdraw."""
    consent = consents.in_force(request.user.pk, Purpose.RENEWALS)
    if consent is not None:
        consents.withdraw(consent, now=timezone.now())
    messages.success(request, _("Automatic payments are off. Nothing will be charged without you."))
    return HttpResponseRedirect(resolve_url("automatic_payments"), status=303)


def _agree(request: SignedInRequest, method: PaymentMethod, *, now: datetime) -> None:
    address = client_address(request)
    try:
        consents.agree_to_renewals(method, address=None if address == UNKNOWN else address, now=now)
        messages.success(request, _("Automatic payments are on."))
    except MethodNotUsable as error:
        messages.error(request, error.detail)


def _context(customer: User, form: AgreementForm, *, now: datetime) -> dict[str, object]:
    consent: Consent | None = consents.in_force(customer.pk, Purpose.RENEWALS)
    running = Collection.objects.filter(customer=customer, status__in=states.OPEN).order_by("due_at")
    return {
        "form": form,
        "choices": list(form.choices.values()),
        "consent": consent,
        "is_off": consent is not None and bool(consents.obstacle(consent.method, now=now)),
        "rules": rules_of(customer, now=now),
        "adding": adding(),
        "running": [(each, each.attempts.order_by("-id").first()) for each in running],
    }
