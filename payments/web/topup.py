"""The top-up page: the amounts to choose from, the chosen one, the balance after it, and starting the payment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.web.auth import SignedInRequest
from core import idempotency
from core.dates import table_day
from core.errors import DomainError
from ledger import display
from ledger.models import Account
from ledger.money import Money, NotMoney, exponent_of
from payments import amounts, checkout
from payments.checkout_request import CheckoutRequest, find_payment
from payments.gateways import registry
from payments.web import amount_input, next_url
from payments.web.forms import PayForm, Saving, go_on, no_way_to_pay, refuse, saving_of, start_payment
from payments.web.policy import leads_to_gateways
from subscriptions import catalogue, forecast, overview
from subscriptions.web import pricing


class AmountForm(forms.Form):
    """The amount to top up, as typed."""

    amount = forms.CharField(
        label=gettext_lazy("Another amount"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"inputmode": "decimal", "autocomplete": "transaction-amount", "data-typed": True}
        ),
        error_messages={"required": gettext_lazy("Enter an amount")},
    )

    def __init__(self, data: Any = None, *, currency: str, **more: Any) -> None:
        super().__init__(data, **more)
        self.least, self.most = (Money(limit, currency) for limit in amounts.top_up_limits(currency))
        self.currency = currency
        limits = {"least": display.money(self.least), "most": display.money(self.most)}
        self.fields["amount"].help_text = _("From %(least)s to %(most)s") % limits

    def clean_amount(self) -> Money:
        """Return the amount as Money; reject one outside the limits."""
        try:
            amount = amount_input.parse(self.cleaned_data["amount"], self.currency)
        except amount_input.Unclear as unclear:
            raise forms.ValidationError(str(unclear)) from None
        except NotMoney:
            raise forms.ValidationError(_("Enter the amount in digits, for example 1000.50")) from None
        if amount.amount < self.least.amount:
            raise forms.ValidationError(
                _("The amount must be at least %(least)s") % {"least": display.money(self.least)}
            )
        if amount.amount > self.most.amount:
            raise forms.ValidationError(_("The amount must be at most %(most)s") % {"most": display.money(self.most)})
        return self.rounded(amount.amount)

    def rounded(self, amount: int) -> Money:
        """Return the amount, in minor units, raised to a step of the gateways. The page shows it before it is paid."""
        return Money(amounts.round_up(amount, registry.step(self.currency)), self.currency)


# The amounts offered, in minor units. The second one is preselected. Other currencies offer 10, 25, 50 and 100 units,
# and those without decimals a hundred times as much.
PRESETS = {"RUB": (500_00, 1000_00, 3000_00, 10_000_00), "EUR": (10_00, 25_00, 50_00, 100_00)}
UNITS = (10, 25, 50, 100)


@dataclass(frozen=True, slots=True)
class Preset:
    """An amount to choose, and how long the balance lasts with it, in words; empty if nothing is paid from it."""

    amount: Money
    lasts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpPage:
    """What the page shows: one currency and one amount."""

    currency: str
    currencies: list[str]
    form: AmountForm
    presets: list[Preset]
    balance: Money
    # What the customer owes. It is paid first.
    debt: Money
    # None if the typed amount is not valid.
    amount: Money | None
    # How long the balance lasts with the amount, in words; empty if nothing is paid from it, or not for a year.
    lasts: str
    # URL of the page that sent the customer here, to link back to after paying; empty if there is none.
    return_url: str

    @property
    def after(self) -> Money:
        """The balance after the top-up."""
        paid_in = self.amount.amount if self.amount else 0
        return Money(self.balance.amount + paid_in + self.pays_debt.amount, self.currency)

    @property
    def pays_debt(self) -> Money:
        """The part of the top-up that pays the debt, as a negative amount."""
        return Money(-min(self.debt.amount, self.amount.amount if self.amount else 0), self.currency)

    @property
    def still_owed(self) -> Money:
        """What the customer still owes after the top-up."""
        return Money(self.debt.amount + self.pays_debt.amount, self.currency)

    @property
    def address(self) -> str:
        """The query string that leads back to this page with the same choices, the amount as typed."""
        query = {
            "currency": self.currency,
            "amount": self.form["amount"].value() if self.amount else "",
            "next": self.return_url,
        }
        return "?" + urlencode({name: value for name, value in query.items() if value})


def page_of(request: SignedInRequest, *, now: datetime) -> TopUpPage:
    """Return the page for the currency and amount in the URL. An amount in the posted form takes precedence.

    Raises CurrencyNotTaken if no offered gateway takes the currency.
    """
    currencies = usual_currencies(request.user)
    requested = request.GET.get("currency") or pricing.currency_for(currencies, reader=request.user)
    currency = amounts.check_taken(requested)
    currencies = sorted({*currencies, currency})
    presets = [Money(amount, currency) for amount in _presets(currency)]
    view = overview.peek(request.user, currency, now=now)
    typed = request.POST.get("amount", request.GET.get("amount"))
    form = AmountForm(None if typed is None else {"amount": typed}, currency=currency)
    amount = _amount(form, request.GET.get("need", ""), presets)
    if amount and not form.is_bound:
        form.initial["amount"] = amount.plain()
    chosen = [amount] if amount else []
    ends = forecast.after_top_ups(view, {each.amount for each in [*presets, *chosen]}, now=now)
    return TopUpPage(
        currency=currency,
        currencies=currencies,
        form=form,
        presets=[Preset(each, _lasting(ends, each)) for each in presets],
        balance=Money(view.available, currency),
        debt=Money(view.debt, currency),
        amount=amount,
        lasts=_lasting(ends, amount) if amount else "",
        return_url=next_url.from_request(request),
    )


def _lasting(ends: Mapping[int, datetime | None], amount: Money) -> str:
    """Return until when the balance lasts with an amount: `until 24 Dec 2026`; empty if that is not known."""
    if amount.amount not in ends:
        return ""
    end = ends[amount.amount]
    return _("until %(day)s") % {"day": table_day(end)} if end else _("more than a year")


def usual_currencies(customer: User) -> list[str]:
    """Return the currencies to choose from: of the plans, of the customer's wallets and of the limits, if taken."""
    sold = catalogue.prices_on_sale().order_by().values_list("currency", flat=True)
    owned = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).values_list("currency", flat=True)
    return sorted({*sold, *owned, *settings.TOP_UP_LIMITS} & set(registry.currencies()))


def paid_before(request: SignedInRequest, page: TopUpPage, *, now: datetime) -> str | None:
    """Return the URL that this form led to when it was sent before; None if it was not.

    Raises KeyReused if it was sent with another amount or another method.
    """
    method, key = request.POST.get("method", ""), request.POST.get("form_key", "")
    terms = _checkout_request(page, gateway=method, form_key=key, saving=saving_of(request, now=now))
    payment = find_payment(request.user, terms) if page.amount else None
    return go_on(payment, now=now) if payment else None


def pay(request: SignedInRequest, form: PayForm, page: TopUpPage, *, now: datetime) -> str:
    """Start the payment and return the URL to redirect to. Raises DomainError."""
    sent, saving = form.cleaned_data, saving_of(request, now=now)
    terms = _checkout_request(page, gateway=sent["method"], form_key=sent["form_key"], saving=saving)
    next_url.remember(request, str(terms["idempotency_key"]))
    return start_payment(partial(checkout.start, request.user, now=now, **terms))


def _checkout_request(page: TopUpPage, *, gateway: str, form_key: str, saving: Saving) -> CheckoutRequest:
    return {
        "amount": page.amount.amount if page.amount else None,
        "currency": page.currency,
        "gateway": gateway,
        "save_method": saving["save_method"],
        "agreement": saving["agreement"],
        "idempotency_key": idempotency.key_of("form", form_key),
    }


def _amount(form: AmountForm, need: str, presets: list[Money]) -> Money | None:
    """Return the typed amount, None if it is not valid. If none was typed: the amount `need`ed, or a preset."""
    if form.is_bound:
        return form.cleaned_data["amount"] if form.is_valid() else None
    try:
        needed = Money.parse(need, form.currency)
    except NotMoney:
        return presets[min(1, len(presets) - 1)]
    return form.rounded(min(max(needed.amount, form.least.amount), form.most.amount))


def _presets(currency: str) -> list[int]:
    """Return the presets within the limits, or the lowest allowed amount if there are none."""
    least, most = amounts.top_up_limits(currency)
    unit = 10 ** (exponent_of(currency) or 2)
    offered = PRESETS.get(currency, tuple(units * unit for units in UNITS))
    return [amount for amount in offered if least <= amount <= most] or [least]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@leads_to_gateways
def topup_page(request: SignedInRequest) -> HttpResponse:
    """Show the top-up page, or start the payment if the amount is still the one on the button."""
    now = timezone.now()
    try:
        page = page_of(request, now=now)
    except amounts.CurrencyNotTaken:
        return pricing.choose_currency(request, usual_currencies(request.user), _("You cannot top up in %s here."))
    if "show" in request.POST and page.amount:
        return HttpResponseRedirect(page.address, status=303)
    form = PayForm(request.POST or None, amount=page.amount, customer=request.user)
    try:
        if sent_before := paid_before(request, page, now=now):
            return HttpResponseRedirect(sent_before, status=303)
        if request.method == "POST" and page.amount and form.is_valid():
            return HttpResponseRedirect(pay(request, form, page, now=now), status=303)
    except DomainError as error:
        refuse(form, error)
    context = {"page": page, "form": form, "no_way_to_pay": no_way_to_pay(page.amount) if page.amount else ""}
    return render(request, "payments/topup.html", context, status=_status(request, form, page.form))


def _status(request: SignedInRequest, *sent: forms.BaseForm) -> int:
    """Return 422 if a form has errors. static/app.js asks about what may be half typed, which is no failure."""
    return 422 if any(form.errors for form in sent) and "X-As-Typed" not in request.headers else 200
