"""Starting out of the balance what waits for a payment: the payment is given up, and the order is made anew."""

from datetime import datetime

import ledger.retrying
from accounts.errors import DomainError
from payments import cancellation, states
from payments.models import Payment
from subscriptions import books
from subscriptions.engine.refusal import Refusal
from subscriptions.engine.starting import is_funded
from subscriptions.engine.subscription import Status
from subscriptions.models import Subscription
from subscriptions.open_book import Refused, explain


class NotPending(DomainError):
    """It has started or ended meanwhile: there is nothing to start."""

    code = "subscription_not_waiting"


def start(subscription: Subscription, *, now: datetime) -> Subscription:
    """Start what the subscription was ordered for from the wallet, on the same terms, and return the new one.

    Its open payment is cancelled at the gateway first, so that nobody pays twice; whatever was opened for it ends with
    it. Raises NotPending; Refused when the wallet does not hold enough, and then the payment stays; NotCancellable when
    the customer is paying just now; Unavailable when the gateway does not answer.
    """
    held = books.peek(subscription.customer, subscription.price.currency, now=now)
    sub = held.subs.get(subscription.pk)
    if sub is None or sub.status is not Status.PENDING:
        raise NotPending("")
    if not is_funded(held.book, sub):
        raise Refused(Refusal.INSUFFICIENT_FUNDS, explain(Refusal.INSUFFICIENT_FUNDS))
    waiting = Payment.objects.filter(subscription=subscription, status__in=states.OPEN).first()
    if waiting is not None:
        cancellation.cancel(waiting, now=now)
    return _again(subscription, now=now, must_end=waiting is None or not waiting.opened_subscription)


@ledger.retrying.retried
def _again(subscription: Subscription, *, now: datetime, must_end: bool) -> Subscription:
    """End the one that waits, where its payment has not ended it, and make another in its place: both or neither.

    Once: of two clicks at the same moment the second finds what the first has made. Where the money has gone meanwhile
    the new one waits for it as the old one did.
    """
    key = f"instead:{subscription.public_id}"
    with books.open(subscription.customer, subscription.price.currency, now=now) as book:
        made = Subscription.objects.filter(customer=subscription.customer, request_key=key).first()
        if made is not None:
            return made
        if must_end:
            book.cancel(subscription, when="now")
        row = book.subscribe(
            subscription.price,
            quantity=subscription.quantity,
            periods=subscription.periods,
            auto_renew=subscription.auto_renew,
        )
        Subscription.objects.filter(pk=row.pk).update(request_key=key)
    return row
