"""Helpers for tests of bank transfers: what the bank account and clearing hold, and acts at the same time."""

from django.utils import timezone

from accounts.models import User
from payments import ageing
from subscriptions import books
from tests.ledger.conftest import balance_of


def clearing() -> int:
    """Return what the clearing account of transfers holds in roubles."""
    accounts = [account for account in ageing.ageing(now=timezone.now()) if account.gateway == "manual"]
    return accounts[0].balance.amount if accounts else 0


def bank() -> int:
    """Return what the bank account has received: its own side of each movement counts the other way."""
    return -balance_of("bank")


def pay_in(customer: User, amount: int) -> None:
    """Put roubles on the balance that have nothing to do with transfers."""
    with books.open(customer, "RUB", now=timezone.now()) as book:
        book.top_up(amount, key=f"test:{amount}", source="promotions", reason="promotion")
