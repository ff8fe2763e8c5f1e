"""What the top-up page shows: the amounts to choose from, the one chosen, and the balance after it."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from django.conf import settings

from accounts.web.requests import SignedIn
from ledger.money import Money, NotMoney
from payments import checkout, orders
from payments.web import ways_back
from payments.web.forms import AmountForm, TopUpForm
from payments.web.starting import onward, started
from subscriptions import books
from subscriptions.web import price_list

# What most people pay in, in minor units; the second is taken when nothing was asked for.
PRESETS = {"RUB": (500_00, 1000_00, 3000_00, 10_000_00), "EUR": (10_00, 25_00, 50_00, 100_00)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One currency, one amount. `amount` is None while what was typed is not good."""

    currency: str
    currencies: list[str]
    form: AmountForm
    presets: list[Money]
    balance: Money
    amount: Money | None
    # Where the customer came from, to be found again after paying.
    way_back: str

    @property
    def after(self) -> Money:
        return Money(self.balance.amount + (self.amount.amount if self.amount else 0), self.currency)

    @property
    def address(self) -> str:
        """Where this very page is found again."""
        asked = {"currency": self.currency, "amount": self.amount.plain() if self.amount else "", "next": self.way_back}
        return "?" + urlencode({name: value for name, value in asked.items() if value})


def page_of(request: SignedIn, *, now: datetime) -> Page:
    """Read currency and amount from the address; an amount that the form sends, pressed to pay or not, goes first."""
    currencies = sorted(settings.TOP_UP_LIMITS)
    wanted = request.GET.get("currency")
    currency = price_list.currency_for(wanted, currencies, reader=request.user) or currencies[0]
    presets = [Money(amount, currency) for amount in _presets(currency)]
    typed = request.POST.get("amount", request.GET.get("amount"))
    form = AmountForm(None if typed is None else {"amount": typed}, currency=currency)
    amount = _amount(form, request.GET.get("need", ""), presets)
    if amount and not form.is_bound:
        form.initial["amount"] = amount.plain()
    return Page(
        currency=currency,
        currencies=currencies,
        form=form,
        presets=presets,
        balance=Money(books.peek(request.user, currency, now=now).available, currency),
        amount=amount,
        way_back=ways_back.asked(request),
    )


def paid_already(request: SignedIn, page: Page) -> str | None:
    """Return where this very form led when it was sent before, None when it was not. Raises KeyReused.

    That is when it was sent for another sum, or to be paid otherwise.
    """
    method, key = request.POST.get("method", ""), request.POST.get("form_key", "")
    payment = orders.made(request.user, _order_of(page, gateway=method, key=key)) if page.amount else None
    return onward(payment) if payment else None


def pay(request: SignedIn, form: TopUpForm, page: Page, *, now: datetime) -> str:
    """Start the payment and return where to go on. Raises DomainError."""
    ways_back.remember(request, form.cleaned_data["form_key"])
    order = _order_of(page, gateway=form.cleaned_data["method"], key=form.cleaned_data["form_key"])
    return started(partial(checkout.start, request.user, now=now, **order))


def _order_of(page: Page, *, gateway: str, key: str) -> orders.Order:
    amount = page.amount.amount if page.amount else None
    return {"amount": amount, "currency": page.currency, "gateway": gateway, "form_key": key}


def _amount(form: AmountForm, need: str, presets: list[Money]) -> Money | None:
    """Choose the amount: the one typed if it is good, else what a subscription needs, else a usual one."""
    if form.is_bound:
        return form.cleaned_data["amount"] if form.is_valid() else None
    try:
        needed = Money.parse(need, form.currency)
    except NotMoney:
        return presets[min(1, len(presets) - 1)]
    return Money(min(max(needed.amount, form.least.amount), form.most.amount), form.currency)


def _presets(currency: str) -> list[int]:
    """Return the usual amounts that are within the limits; the least, where none is."""
    least, most = settings.TOP_UP_LIMITS[currency]
    return [amount for amount in PRESETS.get(currency, ()) if least <= amount <= most] or [least]
