"""A change of plan or quantity that is made with the money of a payment, in the transaction that credits it."""

from typing import Any, NamedTuple

from core.errors import DomainError
from payments.models import PaidChange, Payment
from subscriptions import catalogue, change_dues
from subscriptions.books import OpenBook
from subscriptions.change_dues import ChangeDues
from subscriptions.models import Price, Subscription
from subscriptions.overview import View

# Why a change was not made, besides the codes of subscriptions.refusals.
OTHER_AMOUNT = "other_amount"
TOO_LATE = "too_late"
CHANGED_MEANWHILE = "changed_meanwhile"
PRICE_CHANGED = "price_changed"


class ChangeTo(NamedTuple):
    """What a checkout is to change a subscription to: a price, or another quantity if that is set."""

    price: Price
    quantity: int | None = None


def record(payment: Payment, wanted: ChangeDues) -> None:
    """Note on a new payment the change that it is for."""
    quote = wanted.quote
    change = PaidChange(payment=payment, price=quote.price, quantity=quote.quantity, standing=wanted.standing)
    change.save(force_insert=True)


def of(payment: Payment) -> PaidChange | None:
    """Return the change that the payment is for, None if it is for none."""
    return payment.change if payment.is_for_change else None


def describe(change: PaidChange) -> dict[str, Any]:
    """Return the change as it stands in events."""
    return {
        "plan": change.price.plan.code,
        "quantity": change.quantity,
        "made": change.made_at is not None,
        "refusal": change.refusal or None,
    }


def stands(change: PaidChange, subscription: Subscription, view: View) -> bool:
    """Tell whether the subscription still has in this view what it had when the change was asked for."""
    sub = view.subs.get(subscription.pk)
    return sub is not None and change_dues.standing(sub) == change.standing


def has_moved_on(payment: Payment) -> bool:
    """Tell by the rows whether the subscription of an open payment has ended or was changed in another way."""
    change, subscription = of(payment), payment.subscription
    assert change is not None
    assert subscription is not None
    return subscription.ended_at is not None or change_dues.standing_of(subscription) != change.standing


def carry_out(payment: Payment, book: OpenBook, *, obstacle: str) -> None:
    """Make the change that the payment is for in the open book that its money was credited to.

    `obstacle` is why not, if the payment itself is the reason. Whatever is refused leaves the money on the balance.
    """
    change, subscription = of(payment), payment.subscription
    assert change is not None
    assert subscription is not None
    change.refusal = obstacle or _make(change, subscription, book)
    change.made_at = None if change.refusal else book.now
    change.save(update_fields=["refusal", "made_at"])


def _make(change: PaidChange, subscription: Subscription, book: OpenBook) -> str:
    """Make the change; return the code of the reason if it is refused, else an empty string."""
    if book.standing(subscription) != change.standing:
        return CHANGED_MEANWHILE
    price = change.price
    try:
        if change.quantity is not None:
            book.change_quantity(subscription, change.quantity)
        elif catalogue.current(price.plan, price.currency) != price:
            return PRICE_CHANGED
        else:
            book.change_plan(subscription, price)
    except (catalogue.PlanNotFound, catalogue.PlanNotSoldInCurrency):
        return PRICE_CHANGED
    except DomainError as error:
        return error.code
    return ""
