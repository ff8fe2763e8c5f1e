"""What a customer orders: each order is one transaction on the book, run again whole when the database gave it up."""

from collections.abc import Callable
from datetime import datetime

from accounts import asked
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

    The same `request_key` again returns the subscription it made, so that nobody buys twice by sending twice; with
    other terms it raises asked.KeyReused.
    """
    terms = {"quantity": quantity, "periods": periods, "auto_renew": auto_renew}
    with books.open(customer, price.currency, now=now) as book:
        if request_key is not None and (before := made(customer, price, request_key=request_key, **terms)):
            return before
        row = book.subscribe(
            price, quantity=quantity, periods=books.lasting_periods(price, periods), auto_renew=auto_renew
        )
        if must_start and not book.is_live(row):
            raise books.Refused(Refusal.INSUFFICIENT_FUNDS, explain(Refusal.INSUFFICIENT_FUNDS))
        if request_key is not None:
            Subscription.objects.filter(pk=row.pk).update(request_key=request_key, asked=_mark(price, **terms))
    return row


def made(customer: User, price: Price, *, request_key: str, **terms: int) -> Subscription | None:
    """Find the subscription that this key's request has made; None if there is none. Raises asked.KeyReused.

    That is when it was made for other terms (quantity, periods, auto_renew), another plan or another currency. What has
    become of the subscription since is all the same.
    """
    row = Subscription.objects.filter(customer=customer, request_key=request_key).first()
    if row is not None:
        asked.check(row.asked, _mark(price, **terms))
    return row


def _mark(price: Price, **terms: int) -> str:
    return asked.mark(plan=price.plan.code, currency=price.currency, **terms)


@retried
def change(subscription: Subscription, *, now: datetime, act: Callable[[books.OpenBook], None]) -> None:
    """Open the subscription's book and let `act` do one thing or several: all of it happens, or none."""
    with books.open(subscription.customer, subscription.price.currency, now=now) as book:
        act(book)
