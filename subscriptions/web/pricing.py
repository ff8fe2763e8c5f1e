"""The price list: current prices in one currency, and what the visitor can do with each plan."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from ledger.models import Account
from subscriptions import catalogue
from subscriptions.models import Price, Subscription

Status = Subscription.Status
# A customer who chooses another plan while one of these runs or waits to go on means to change it.
CHANGEABLE = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE, Status.SUSPENDED})
# The currency shown by default in each language, if plans are sold in it.
USUAL = {"ru": "RUB", "en": "EUR"}


def currency_for(sold: list[str], *, reader: User | AnonymousUser) -> str | None:
    """Return the currency to show where none is requested: the reader's own, their language's, or the first in `sold`.

    Returns None if `sold` is empty. A currency that is requested and not sold is never replaced (choose_currency). The
    API, where nobody sees the choice, uses subscriptions.catalogue.chosen.
    """
    usual = USUAL.get((get_language() or "en")[:2])
    return next((each for each in (_own(reader), usual) if each in sold), sold[0] if sold else None)


def choose_currency(request: HttpRequest, offered: list[str], text: str) -> HttpResponse:
    """Answer 404: the page has no such currency, only the offered ones. `text` has a place for the one requested."""
    query, links = request.GET.copy(), []
    for currency in offered:
        query["currency"] = currency
        links.append((currency, "?" + query.urlencode()))
    context = {"text": text % request.GET.get("currency", "")[:8], "links": links}
    return render(request, "subscriptions/currency.html", context, status=404)


def _own(reader: User | AnonymousUser) -> str | None:
    """Return the currency of the newest subscription that has not ended, else of the wallet that changed last."""
    if not isinstance(reader, User):
        return None
    newest = _not_ended(reader).order_by("-id").values_list("price__currency", flat=True).first()
    return newest or (
        Account.objects.filter(owner=reader, kind=Account.Kind.WALLET, balance__gt=0)
        .order_by("-moved_at", "-id")
        .values_list("currency", flat=True)
        .first()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan on the price list, and what this visitor can do with it."""

    price: Price
    # Their newest subscription to it that has not ended.
    held: Subscription | None
    # Their subscription that can be changed to it; None if they have none, or hold this plan.
    changes: Subscription | None
    # Whether a new subscription would start with a free trial.
    has_trial: bool

    @property
    def is_unpaid(self) -> bool:
        """Whether what they have of it is only an order that waits for its payment."""
        return self.held is not None and self.held.status == Status.PENDING


def offers(reader: User | AnonymousUser, currency: str) -> list[Offer]:
    """Return what is on sale in the currency, as this visitor can have it."""
    rows, tried = [], set[int]()
    if isinstance(reader, User):
        rows = list(_not_ended(reader).select_related("price").order_by("id"))
        tried = catalogue.plans_tried(reader)
    held = {each.price.plan_id: each for each in rows}
    changeable = [each for each in rows if each.status in CHANGEABLE and _is_advance(each.price, currency)]
    newest = changeable[-1] if changeable else None
    return [
        Offer(
            price=price,
            held=held.get(price.plan_id),
            changes=newest if price.plan_id not in held and not price.metered else None,
            has_trial=price.trial_days > 0 and price.plan_id not in tried and price.plan_id not in held,
        )
        for price in catalogue.prices_on_sale(currency)
    ]


def _is_advance(price: Price, currency: str) -> bool:
    return price.currency == currency and not price.metered


def _not_ended(customer: User) -> QuerySet[Subscription]:
    return Subscription.objects.filter(customer=customer).exclude(status__in=[Status.CANCELLED, Status.EXPIRED])


@require_safe
def pricing(request: HttpRequest) -> HttpResponse:
    """Show the price list in a currency that plans are sold in. Needs no log-in."""
    sold = sorted(set(catalogue.prices_on_sale().values_list("currency", flat=True)))
    currency = request.GET.get("currency") or currency_for(sold, reader=request.user)
    if sold and currency not in sold:
        return choose_currency(request, sold, _("There are no plans in %s."))
    context = {
        "offers": offers(request.user, currency) if currency else [],
        "currencies": sold,
        "currency": currency,
    }
    return render(request, "subscriptions/pricing.html", context)
