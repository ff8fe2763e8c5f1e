"""Buying from what is in the wallet: no gateway, and once per form however often it is sent."""

from datetime import datetime

from accounts.models import IdempotencyKey, User
from subscriptions import books
from subscriptions.models import Price, Subscription

FINGERPRINT = "subscriptions.purchase"


def from_balance(
    customer: User, price: Price, *, form_key: str, now: datetime, quantity: int = 1, periods: int = 1, auto_renew: bool = True
) -> Subscription:
    """Subscribe and start at once, or raise books.Refused(`insufficient_funds`) and change nothing.

    The same form again finds the subscription the first one made: the key is looked up under the wallet's lock.
    """
    with books.open(customer, price.currency, now=now) as book:
        made = IdempotencyKey.objects.filter(user=customer, key=f"form:{form_key}", fingerprint=FINGERPRINT).first()
        if made and made.body:
            return Subscription.objects.get(public_id=made.body["subscription"])
        subscription = book.subscribe(price, quantity=quantity, periods=periods, auto_renew=auto_renew)
        if not book.is_live(subscription):
            raise books.Refused("insufficient_funds", "There is not enough money in the wallet; top it up first.")
        IdempotencyKey.objects.create(
            user=customer, key=f"form:{form_key}", fingerprint=FINGERPRINT, status=201, created_at=now,
            body={"subscription": subscription.public_id},
        )  # fmt: skip
    return subscription
