"""The start page: what this site sells, for visitors; the price list for who is logged in."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core import charts
from ledger.money import Money
from subscriptions import catalogue, labels
from subscriptions.models import Price
from subscriptions.web.pricing import choose_currency, currency_for, offers, pricing

# How often the top-up of the example pays for its price.
TIMES = 4


@dataclass(frozen=True, slots=True)
class Example:
    """An account on which one interval of a price has just been paid."""

    price: Price

    @property
    def top_up(self) -> Money:
        return Money(TIMES * self.price.amount, self.price.currency)

    @property
    def balance(self) -> Money:
        return Money((TIMES - 1) * self.price.amount, self.price.currency)

    @property
    def lasts(self) -> str:
        """How long the paid interval and the balance last: `4 months`."""
        return labels.span(self.price, TIMES)

    @property
    def bar(self) -> charts.Runway:
        """The picture of it: a mark at each renewal that the balance pays."""
        marks = [(number / (TIMES + 1), labels.span(self.price, number)) for number in range(1, TIMES)]
        first, last = _("Today"), labels.span(self.price, TIMES + 1)
        return charts.runway(TIMES / (TIMES + 1), marks, first=first, last=last, end_text=self.lasts)

    @property
    def label(self) -> str:
        return _("Lasts for %(time)s") % {"time": self.lasts}


@require_safe
def home_page(request: HttpRequest) -> HttpResponse:
    """Show what is sold and at which prices, in a currency that plans are sold in. Needs no log-in."""
    if request.user.is_authenticated:
        return pricing(request)
    sold = sorted(set(catalogue.prices_on_sale().values_list("currency", flat=True)))
    currency = request.GET.get("currency") or currency_for(sold, reader=request.user)
    if sold and currency not in sold:
        return choose_currency(request, sold, _("There are no plans in %s."))
    on_sale = offers(request.user, currency) if currency else []
    ahead = [offer.price for offer in on_sale if not offer.price.metered and offer.price.amount]
    context = {
        "offers": on_sale,
        "currencies": sold,
        "currency": currency,
        "example": Example(next((price for price in ahead if price.plan.is_highlighted), ahead[0])) if ahead else None,
        # The lowest price that is paid in advance; prices for use cannot be compared with those.
        "lowest": min(ahead, key=lambda price: price.amount, default=None),
    }
    return render(request, "subscriptions/home.html", context)
