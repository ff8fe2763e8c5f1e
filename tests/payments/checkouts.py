"""Helpers that start a checkout and top up a wallet."""

from typing import Any

from django.utils import timezone

from accounts.models import User
from payments import checkout
from payments.models import Payment
from subscriptions import books


def start(customer: User, **terms: Any) -> Payment:
    return checkout.start(customer, now=timezone.now(), **terms)


def top_up(customer: User, amount: int) -> None:
    with books.open(customer, "RUB", now=timezone.now()) as book:
        book.top_up(amount, key=f"test:{amount}", source="gateway_clearing:sandbox")
