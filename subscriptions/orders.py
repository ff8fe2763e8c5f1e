"""What a customer orders: each order is one transaction on the book, run again whole when the database gave it up."""

from collections.abc import Callable
from datetime import datetime

from accounts.models import User
from ledger.retrying import retried
from subscriptions import books
from subscriptions.engine.refusal import Refusal
from subscriptions.models import Price, Subscription
from subscriptions.open_book import explain


@retried
def subscribe(
    customer: User,
    price: Price,
    *,
    now: datetime,
    quantity: int = 1,
    periods: int = 1,
    auto_renew: bool = True,
    request_key: str | None = None,
    must_start: bool = False,
) -> Subscription:
    """Subscribe the customer: active when the wallet or a trial allows it, else pending. Raise books.Refused.

    With `must_start` one that would stay pending is refused with `insufficient_funds` instead, and nothing happened.

    The same `request_key` again returns the subscription it made, so that nobody buys twice by sending twice.
    """
    with books.open(customer, price.currency, now=now) as book:
        if request_key is not None:
            made = Subscription.objects.filter(customer=customer, request_key=request_key).first()
            if made is not None:
                return made
        row = book.subscribe(price, quantity=quantity, periods=periods, auto_renew=auto_renew)
        if must_start and not book.is_live(row):
            raise books.Refused(Refusal.INSUFFICIENT_FUNDS, explain(Refusal.INSUFFICIENT_FUNDS))
        if request_key is not None:
            Subscription.objects.filter(pk=row.pk).update(request_key=request_key)
    return row


@retried
def change(subscription: Subscription, *, now: datetime, act: Callable[[books.OpenBook], None]) -> None:
    """Open the subscription's book and let `act` do one thing or several: all of it happens, or none."""
    with books.open(subscription.customer, subscription.price.currency, now=now) as book:
        act(book)
