"""What a customer orders. Each order is one transaction on the book, run again whole when the database gave it up."""

from collections.abc import Callable
from datetime import datetime

from accounts.models import User
from core import idempotency
from core.retry import retried
from subscriptions import books, catalogue
from subscriptions.models import Price, Subscription


@retried
def subscribe(
    customer: User,
    price: Price,
    *,
    now: datetime,
    quantity: int = 1,
    periods: int = 1,
    auto_renew: bool = True,
    idempotency_key: str | None = None,
    must_start: bool = False,
) -> Subscription:
    """Subscribe the customer: active if the wallet or a trial allows it, else pending. Raises books.Refused.

    With `must_start`, one that would stay pending is refused with `insufficient_funds` and nothing happens. The same
    `idempotency_key` again returns the subscription it made; with other terms it raises KeyReused.
    """
    terms = {"quantity": quantity, "periods": periods, "auto_renew": auto_renew}
    with books.open(customer, price.currency, now=now) as book:
        if before := find(customer, price, idempotency_key=idempotency_key, **terms):
            return before
        row = book.subscribe(
            price, quantity=quantity, periods=catalogue.renewal_periods(price, periods), auto_renew=auto_renew
        )
        if must_start and not book.is_live(row):
            raise books.insufficient_funds()
        if idempotency_key is not None:
            kept = {"idempotency_key": idempotency_key, "fingerprint": _fingerprint(price, **terms)}
            Subscription.objects.filter(pk=row.pk).update(**kept)
    return row


def find(customer: User, price: Price, *, idempotency_key: str | None, **terms: int) -> Subscription | None:
    """Return the subscription that the request with this key made, None if there is none.

    Raises KeyReused if it was made for another plan, currency, quantity, periods or auto_renew. What has become of the
    subscription since does not matter.
    """
    mine = Subscription.objects.filter(customer=customer)
    return idempotency.find(mine, idempotency_key, fingerprint=_fingerprint(price, **terms))


@retried
def change(subscription: Subscription, *, now: datetime, act: Callable[[books.OpenBook], None]) -> None:
    """Open the subscription's book and let `act` do one thing or several: all of it happens, or none."""
    with books.open(subscription.customer, subscription.price.currency, now=now) as book:
        act(book)


def _fingerprint(price: Price, **terms: int) -> str:
    return idempotency.fingerprint(plan=price.plan.code, currency=price.currency, **terms)
