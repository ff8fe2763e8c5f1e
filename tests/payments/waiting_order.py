"""Helpers about the one order in the database. No test lives here."""

from django.utils import timezone

from subscriptions import orders
from subscriptions.models import Subscription


def only_order() -> Subscription:
    return Subscription.objects.select_related("customer", "price__plan").get()


def cancel_order() -> None:
    order = only_order()
    orders.change(order, now=timezone.now(), act=lambda book: book.cancel(order))
