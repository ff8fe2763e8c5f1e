"""Cancelling a subscription with its unused time refunded to the card, by way of the wallet.

Refunds take the newest payments of the subscription first, then other payments of the customer in the same currency.
What pays a debt, and what no payment can take, stays where it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.utils.translation import gettext as _

from accounts.models import User
from core import idempotency, retry
from core.errors import DomainError
from ledger.money import Money
from payments import refunds, transitions
from payments.models import Dispute, Payment, Refund
from subscriptions import books, overview, refusals
from subscriptions.models import Subscription

# How many payments one cancellation looks at, at most.
MOST_PAYMENTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRefunds:
    """What came back for unused time, and the refunds to the card that were made of it."""

    came_back: Money
    refunds: list[Refund]

    @property
    def to_card(self) -> Money:
        """What goes to the card. The rest is on the wallet, or has paid the debt."""
        sent = [each.amount for each in self.refunds if each.status != Refund.Status.FAILED]
        return Money(sum(sent), self.came_back.currency)


def cancel(
    subscription: Subscription, *, now: datetime, author: User | None = None,
    check: Callable[[int], None] = lambda came_back: None,
) -> CardRefunds:  # fmt: skip
    """Cancel the subscription at once, refund its unused time to the card as far as possible, and send the refunds.

    `check` is called with what came back, in minor units, before anything is kept; what it raises undoes all. A second
    call returns the refunds of the first one, if it has made any. Raises refusals.Refused.
    """
    done = _cancel(subscription, now=now, author=author, check=check)
    sent = [refunds.send(each, now=now) if each.status == Refund.Status.PENDING else each for each in done.refunds]
    return CardRefunds(came_back=done.came_back, refunds=sent)


def sent_to_card(subscription: Subscription) -> Money:
    """Return what was refunded to the card when the subscription was cancelled, and has not failed."""
    made = _made(subscription).exclude(status=Refund.Status.FAILED)
    return Money(sum(refund.amount for refund in made), subscription.price.currency)


def has_card_payment(customer: User, currency: str) -> bool:
    """Tell whether a payment of the customer could take a refund to the card, at least in part."""
    return any(_takes(payment, 1) for payment in _payments(customer, currency)[:MOST_PAYMENTS])


@retry.retried
def _cancel(
    subscription: Subscription, *, now: datetime, author: User | None, check: Callable[[int], None]
) -> CardRefunds:
    customer, currency = subscription.customer, subscription.price.currency
    key = _key(subscription)
    with transaction.atomic():
        # Payments are locked before the wallet, in one order.
        locked = {payment.pk: payment for payment in _lock(subscription)}
        made = list(_made(subscription))
        if made:
            return CardRefunds(came_back=Money(sum(each.amount for each in made), currency), refunds=made)
        with books.open(customer, currency, now=now) as book:
            came_back = book.end(subscription, refund_unused=True)
            check(came_back)
        left = min(came_back, max(0, overview.peek(customer, currency, now=now).available))
        for payment in _in_order(subscription, locked):
            if not left:
                break
            refund = _refund(payment, left, key=key, author=author, now=now)
            if refund is not None:
                made.append(refund)
                left -= refund.amount
    return CardRefunds(came_back=Money(came_back, currency), refunds=made)


def _key(subscription: Subscription) -> str | None:
    return idempotency.key_of("cause", f"cancel-to-card:{subscription.public_id}")


def _made(subscription: Subscription) -> QuerySet[Refund]:
    """Return the refunds that the cancellation has made, the oldest first."""
    rows = Refund.objects.filter(payment__customer=subscription.customer_id, idempotency_key=_key(subscription))
    return rows.order_by("id")


def _payments(customer: User, currency: str) -> QuerySet[Payment]:
    """Return the confirmed payments of which something is left, the newest first."""
    rows = Payment.objects.filter(customer=customer, status=Payment.Status.CONFIRMED, received_currency=currency)
    rows = rows.filter(amount_refunded__lt=F("amount_received"))
    return rows.exclude(disputes__status__in=(Dispute.Status.OPEN, Dispute.Status.LOST)).order_by("-id")


def _lock(subscription: Subscription) -> list[Payment]:
    """Lock the payments that may be refunded, in ascending order. The subscription's own are chosen first."""
    own_first = Case(When(subscription=subscription, then=Value(0)), default=Value(1))
    rows = _payments(subscription.customer, subscription.price.currency).order_by(own_first, "-id")
    chosen = sorted(rows.values_list("pk", flat=True)[:MOST_PAYMENTS])
    return [transitions.lock(pk) for pk in chosen]


def _in_order(subscription: Subscription, locked: dict[int, Payment]) -> Iterator[Payment]:
    """Yield the newest payments of the subscription first, then the other ones."""
    yield from sorted(locked.values(), key=lambda each: (each.subscription_id != subscription.pk, -each.pk))


def _refund(payment: Payment, most: int, *, key: str | None, author: User | None, now: datetime) -> Refund | None:
    """Make a refund of at most `most` minor units of a locked payment; None if it or the wallet refuses."""
    amount = min(most, payment.refundable)
    if not _takes(payment, amount):
        return None
    try:
        with transaction.atomic():
            return refunds.make(
                payment, amount, destination=Refund.Destination.CARD, reason=_("Unused time"), author=author, key=key,
                fingerprint=idempotency.fingerprint(cause="cancel-to-card"), now=now,
            )  # fmt: skip
    except refusals.Refused:
        return None


def _takes(payment: Payment, amount: int) -> bool:
    """Tell whether the payment can be refunded by so much at its gateway."""
    try:
        refunds.check_card(payment, amount)
    except DomainError:
        return False
    return True
