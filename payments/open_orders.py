"""Open payments and what they are for.

A customer has at most one open payment for the same purpose. When the subscription of an open payment starts or ends
in another way, its page is closed at the gateway: `mark_ended` notes that in the row, reconciliation closes the page.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from core import retry
from payments import paid_changes, transitions
from payments.amounts import WAITING, AmountDue
from payments.models import Payment
from subscriptions import overview
from subscriptions.models import Subscription

# The constraints that hold it.
ONE_OPEN = frozenset({"one_open_payment_per_subscription", "one_open_payment_per_purpose"})


def purpose_of(due: AmountDue, *, quantity: int, periods: int, auto_renew: bool) -> str:
    """Return the name of what is paid for: a plan on these terms, a subscription, its change, a top-up of this sum."""
    if due.change is not None:
        quote = due.change.quote
        return f"{Payment.CHANGE}{quote.subscription_id}:{quote.price_id}:{quote.quantity or ''}"
    if due.price is not None:
        return f"plan:{due.price.pk}:{quantity}:{periods}:{auto_renew}"
    if due.subscription is not None:
        return f"subscription:{due.subscription.pk}"
    return f"top-up:{due.money}"


def find(customer: User, due: AmountDue, purpose: str, *, now: datetime) -> Payment | None:
    """Return the customer's open payment for the same purpose, None if there is none.

    Leaves out payments that are parked for staff, and those whose pages are to be closed.
    """
    rows = open_payments().filter(customer=customer, closing_at=None)
    related = ("customer", "plan", "subscription__price", "change")
    if due.subscription is not None:
        return _first(rows.filter(subscription=due.subscription), *related)
    payment = _first(rows.filter(purpose=purpose), *related)
    if payment is None or payment.subscription is None or _is_as_ordered(payment.subscription, purpose, now=now):
        return payment
    # Its subscription was changed or has ended: the same order again is another one.
    Payment.objects.filter(pk=payment.pk).update(purpose=f"subscription:{payment.subscription_id}")
    return None


def find_waiting(customer: User, purpose: str, *, now: datetime) -> Payment | None:
    """Return the last payment of an order that still waits as it was made, None if there is none.

    Its payment failed, expired or was refused, or waits for staff because its gateway cannot be asked any more. A
    customer who orders the same again continues it.
    """
    is_over = Q(parked_reason="") & ~Q(status__in=transitions.OPEN)
    is_lost = ~Q(parked_reason="") & Q(amount_received=None)
    rows = Payment.objects.filter(is_over | is_lost, customer=customer, purpose=purpose, opened_subscription=True)
    waiting = rows.filter(subscription__status=Subscription.Status.PENDING)
    payment = _first(waiting.order_by("-id"), "customer", "subscription__price")
    if payment is None or payment.subscription is None or payment.status == Payment.Status.CONFIRMED:
        return None
    return payment if _is_as_ordered(payment.subscription, purpose, now=now) else None


def open_payments() -> QuerySet[Payment]:
    """Return the payments that can still be paid, without those that wait for staff."""
    return Payment.objects.filter(status__in=transitions.OPEN, parked_reason="")


def is_for(payment: Payment, due: AmountDue, purpose: str) -> bool:
    """Tell whether an open payment of the same subscription is for the same: its start, or just this change of it."""
    change = paid_changes.of(payment)
    if change is None or due.change is None:
        return change is None and due.change is None
    return payment.purpose == purpose and change.standing == due.change.standing


def is_wanted(payment: Payment, *, now: datetime) -> bool:
    """Tell whether what the payment is for still waits for money."""
    if payment.subscription is None:
        return True
    view = overview.peek(payment.customer, payment.currency, now=now)
    if (change := paid_changes.of(payment)) is not None:
        return paid_changes.stands(change, payment.subscription, view)
    # The view is of this instant and has all that wait; the payment's own row of the subscription may be older.
    sub = view.subs.get(payment.subscription.pk)
    return sub is not None and Subscription.Status(sub.status) in WAITING


def mark_ended(*, now: datetime, customer_id: int | None = None) -> int:
    """Mark the open payments whose subscription waits neither for money nor for their change, of all customers or one.

    Return how many. They become due at once, and reconciliation closes their pages.
    """
    # Each of them has a next check; the index of these spares reading all payments.
    ended = open_payments().filter(check_at__isnull=False, closing_at=None, subscription__isnull=False)
    if customer_id is not None:
        ended = ended.filter(customer_id=customer_id)
    changes = ended.filter(change__isnull=False).select_related("change", "subscription")
    moved_on = [payment.pk for payment in changes if paid_changes.has_moved_on(payment)]
    ended = ended.filter(Q(change__isnull=True) & ~Q(subscription__status__in=WAITING) | Q(pk__in=moved_on))
    return ended.update(closing_at=now, check_at=now)


def unpark(payment_id: int, *, now: datetime) -> None:
    """Let the sweep ask again about a payment that was parked because asking had failed, and its customer pay it.

    If the customer has begun another payment for the same meanwhile, the page of this one is closed. A payment of which
    money was taken goes on waiting for the decision of staff.
    """
    try:
        _unpark(payment_id, now=now)
    except IntegrityError as error:
        if retry.constraint_of(error) not in ONE_OPEN:
            raise
        _unpark(payment_id, now=now, is_replaced=True)


@retry.retried
def _unpark(payment_id: int, *, now: datetime, is_replaced: bool = False) -> None:
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if not payment.parked_reason or payment.received is not None or payment.status not in transitions.OPEN:
            return
        payment.parked_reason, payment.failures = "", 0
        payment.check_at = transitions.next_check(payment.created_at, expires_at=payment.expires_at, after=now)
        if is_replaced:
            payment.closing_at = payment.check_at = now
        payment.save(update_fields=["parked_reason", "failures", "check_at", "closing_at"])
        if payment.status == Payment.Status.UNKNOWN:
            transitions.move(payment, Payment.Status.PENDING, now=now)


def _first(rows: QuerySet[Payment], *related: str) -> Payment | None:
    """Return the first row with what belongs to it, None if there is none.

    Most orders are new: a look that finds nothing takes a quarter of the time without the other tables.
    """
    found = rows.values_list("pk", flat=True).first()
    return None if found is None else rows.filter(pk=found).select_related(*related).first()


def _is_as_ordered(subscription: Subscription, purpose: str, *, now: datetime) -> bool:
    """Tell whether the pending subscription of an open payment still has the terms of its order."""
    view = overview.peek(subscription.customer, subscription.price.currency, now=now)
    if view.status_of(subscription) != Subscription.Status.PENDING:
        return False
    _, price, quantity, _, auto_renew = purpose.split(":")
    return (str(subscription.price_id), str(subscription.quantity), str(subscription.auto_renew)) == (
        price, quantity, auto_renew,
    )  # fmt: skip
