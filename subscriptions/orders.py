"""Customers' orders: subscribe, or change a subscription. Each is one transaction, retried if it is aborted."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.dispatch import Signal

from accounts.models import User
from core import idempotency
from core.retry import constraint_of, retried
from subscriptions import books, catalogue, confirmed_addresses, refusals
from subscriptions.models import Price, Subscription

# Sent after the commit of each change, with `customer_id` and `now`. Only a hint to look now whether an open payment is
# still wanted (payments.open_orders): the rows say it too, and a sweep reads them.
changed = Signal()

# The constraint that lets a customer use a key for one subscription only.
ONCE = "one_subscription_per_request"


class Request(NamedTuple):
    """What tells a repeated request from another one: its key, and a fingerprint of what was sent."""

    key: str | None
    fingerprint: str


def request_of(
    key: str | None,
    *,
    plan: str,
    currency: str | None = None,
    quantity: int = 1,
    periods: int = 1,
    auto_renew: bool = True,
) -> Request:
    """Return the identity of a request, with the currency only if it was sent.

    What the server chooses may be another price or currency, or none, when the request comes again.
    """
    terms = {"quantity": quantity, "periods": periods, "auto_renew": auto_renew}
    return Request(key, idempotency.fingerprint(plan=plan, currency=currency, **terms))


def subscribe(
    customer: User,
    price: Price,
    *,
    now: datetime,
    quantity: int = 1,
    periods: int = 1,
    auto_renew: bool = True,
    request: Request | None = None,
    must_start: bool = False,
) -> Subscription:
    """Subscribe the customer: active if the wallet or a trial allows it, else pending.

    Raise refusals.Refused, or AddressNotConfirmed if the plan asks for a confirmed address.
    With `must_start`, refuse with `insufficient_funds` instead of leaving it pending. The same `request` again returns
    the subscription of the first one; another request with its key raises KeyReused.
    """
    terms = {"quantity": quantity, "periods": catalogue.renewal_periods(price, periods), "auto_renew": auto_renew}
    if price.plan.needs_confirmed_email and (request is None or find(customer, request) is None):
        confirmed_addresses.check(customer, price.plan)
    try:
        return _subscribe(customer, price, terms, request, now=now, must_start=must_start)
    except IntegrityError as error:
        # The same key came at the same time for another currency, whose book is not the one that we have locked.
        if constraint_of(error) != ONCE or request is None or (existing := find(customer, request)) is None:
            raise
        return existing


def sell(customer: User, price: Price, *, author: User, now: datetime, quantity: int, periods: int) -> Subscription:
    """Start a subscription for the customer, which `author` of the staff does: from the balance, or with its trial.

    Raise refusals.Refused if neither is possible.
    """
    terms = {"quantity": quantity, "periods": catalogue.renewal_periods(price, periods)}
    return _subscribe(customer, price, terms, None, now=now, must_start=True, author=author)


@retried
def _subscribe(
    customer: User, price: Price, terms: dict[str, int], request: Request | None, *, now: datetime, must_start: bool,
    author: User | None = None,
) -> Subscription:  # fmt: skip
    with books.open(customer, price.currency, now=now) as book, book.signed(author):
        if request and (existing := find(customer, request)):
            return existing
        row = book.subscribe(price, **terms)  # type: ignore[arg-type] # quantity, periods and auto_renew
        if must_start and not book.is_live(row):
            raise refusals.insufficient_funds()
        if request and request.key:
            own = Subscription.objects.filter(pk=row.pk)
            own.update(idempotency_key=request.key, fingerprint=request.fingerprint)
    return row


def find(customer: User, request: Request) -> Subscription | None:
    """Return the subscription that this request created, None if there is none; raise KeyReused if another one did.

    Later changes of the subscription do not matter.
    """
    subscriptions = Subscription.objects.filter(customer=customer)
    return idempotency.find(subscriptions, request.key, fingerprint=request.fingerprint)


@retried
def change(
    subscription: Subscription,
    *,
    now: datetime,
    act: Callable[[books.OpenBook], None],
    is_first_time: Callable[[], bool] = lambda: True,
) -> None:
    """Open the subscription's book and call `act` on it. Either everything that `act` does happens, or nothing.

    `is_first_time` is called first, in the same transaction; if it returns False, nothing is done.
    """
    with books.open(subscription.customer, subscription.price.currency, now=now) as book:
        if is_first_time():
            act(book)
        hint = partial(changed.send_robust, sender=Subscription, customer_id=subscription.customer_id, now=now)
        transaction.on_commit(hint)


def start(subscription: Subscription, *, now: datetime) -> None:
    """Start a pending or suspended subscription from the balance; raise refusals.Refused."""
    change(subscription, now=now, act=lambda book: book.start(subscription))
