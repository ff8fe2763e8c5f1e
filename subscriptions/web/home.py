"""The start page: what this site sells, for visitors; the price list for who is logged in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from subscriptions import catalogue
from subscriptions.web.pricing import choose_currency, currency_for, offers, pricing


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
        # The lowest price that is paid in advance; prices for use cannot be compared with those.
        "lowest": min(ahead, key=lambda price: price.amount, default=None),
    }
    return render(request, "subscriptions/home.html", context)
