"""The price list, for anybody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from subscriptions.web import price_list


@require_safe
def pricing(request: HttpRequest) -> HttpResponse:
    """Plans and prices, for anybody."""
    sold = sorted(set(price_list.on_sale().values_list("currency", flat=True)))
    currency = price_list.currency_for(request.GET.get("currency"), sold, reader=request.user)
    context = {
        "prices": price_list.on_sale(currency) if currency else [],
        "currencies": sold,
        "currency": currency,
        "held": price_list.held_by(request.user),
    }
    return render(request, "subscriptions/pricing.html", context)
