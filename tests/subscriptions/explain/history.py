"""Helpers of tests of explanations: begin a subscription, find its transactions, explain them. No test lives here."""

from accounts.models import User
from ledger.models import Transaction
from subscriptions import books
from subscriptions.explain import arithmetic
from subscriptions.models import Price, Subscription
from tests.subscriptions.bank import NOON
from tests.subscriptions.shop import pay_in

DAY = 86_400_000_000


def begin(user: User, money: int, price, **terms) -> Subscription:
    pay_in(user, money, at=NOON)
    with books.open(user, "RUB", now=NOON) as book:
        return book.subscribe(price, **terms)


def last_transaction(reason: str = "charge") -> Transaction:
    return Transaction.objects.filter(reason=reason).latest("id")


def explain(transaction: Transaction) -> arithmetic.Explanation:
    explanation = arithmetic.explain(transaction)
    assert explanation is not None
    return explanation


def basic_now():
    return Price.objects.get(plan__code="basic")
