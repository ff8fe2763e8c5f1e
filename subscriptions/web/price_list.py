"""What the price list shows: current prices in one currency, and which of them the visitor has."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils.translation import get_language

from accounts.models import User
from subscriptions.models import Price, Subscription

Status = Subscription.Status
# Which currency comes first for readers of a language, if it is sold in.
USUAL = {"ru": "RUB", "en": "EUR"}


def on_sale(currency: str | None = None) -> QuerySet[Price]:
    """Return the current prices of public plans, in the plans' order."""
    prices = Price.objects.filter(plan__is_public=True, archived_at=None).select_related("plan")
    if currency is not None:
        prices = prices.filter(currency=currency)
    return prices.order_by("plan__position", "plan_id", "currency")


def currency_for(wanted: str | None, sold: list[str]) -> str | None:
    """Choose the currency to show: the one asked for, else the one usual in the reader's language, else the first."""
    usual = USUAL.get((get_language() or "en")[:2])
    return next((each for each in (wanted, usual) if each in sold), sold[0] if sold else None)


def held_by(user: User | AnonymousUser) -> dict[int, Subscription]:
    """Return the newest subscription that is not over, by plan."""
    if not isinstance(user, User):
        return {}
    going_on = Subscription.objects.filter(customer=user).exclude(status__in=[Status.CANCELLED, Status.EXPIRED])
    return {each.price.plan_id: each for each in going_on.select_related("price").order_by("id")}
