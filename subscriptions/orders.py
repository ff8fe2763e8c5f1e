"""Customers' orders: subscribe, or change a subscription. Each is one transaction, retried if it is aborted."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.dispatch import Signal

from accounts.models import User
from core import idempotency
from core.retry import retried
from subscriptions import books, catalogue
from subscriptions.models import Price, Subscription

# Sent after the commit of each change, with `customer_id` and `now`. Only a hint to look now whether an open payment is
# still wanted (payments.open_orders): the rows say it too, and a sweep reads them.
changed = Signal()


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
    """Subscribe the customer: active if the wallet or a trial allows it, else pending. Raise books.Refused.

    With `must_start`, refuse with `insufficient_funds` instead of leaving it pending. A repeated `idempotency_key`
    returns the subscription of the first request; with other terms it raises KeyReused.
    """
    terms = {"quantity": quantity, "periods": periods, "auto_renew": auto_renew}
    with books.open(customer, price.currency, now=now) as book:
        if existing := find(customer, price, idempotency_key=idempotency_key, **terms):
            return existing
        row = book.subscribe(
            price, quantity=quantity, periods=catalogue.renewal_periods(price, periods), auto_renew=auto_renew
        )
        if must_start and not book.is_live(row):
            raise books.insufficient_funds()
        if idempotency_key is not None:
            fingerprint = _fingerprint(price, **terms)
            Subscription.objects.filter(pk=row.pk).update(idempotency_key=idempotency_key, fingerprint=fingerprint)
    return row


def find(customer: User, price: Price, *, idempotency_key: str | None, **terms: int) -> Subscription | None:
    """Return the subscription that a request with this key created, None if there is none.

    Raise KeyReused if that request had another plan, currency, quantity, periods or auto_renew. Later changes of the
    subscription do not matter.
    """
    subscriptions = Subscription.objects.filter(customer=customer)
    return idempotency.find(subscriptions, idempotency_key, fingerprint=_fingerprint(price, **terms))


@retried
def change(subscription: Subscription, *, now: datetime, act: Callable[[books.OpenBook], None]) -> None:
    """Open the subscription's book and call `act` on it. Either everything that `act` does happens, or nothing."""
    with books.open(subscription.customer, subscription.price.currency, now=now) as book:
        act(book)
        hint = partial(changed.send_robust, sender=Subscription, customer_id=subscription.customer_id, now=now)
        transaction.on_commit(hint)


def start(subscription: Subscription, *, now: datetime) -> None:
    """Start a pending or suspended subscription from the balance; raise books.Refused."""
    change(subscription, now=now, act=lambda book: book.start(subscription))


def _fingerprint(price: Price, **terms: int) -> str:
    return idempotency.fingerprint(plan=price.plan.code, currency=price.currency, **terms)
