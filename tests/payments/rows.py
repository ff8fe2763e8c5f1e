"""Helpers that read balances, credits and events from the database."""

from accounts.models import User
from events.models import Event
from ledger.models import Account, Transaction
from payments.models import Dispute, Payment, Refund


def balance(customer: User, currency: str = "RUB") -> int:
    account = Account.objects.filter(owner=customer, kind="wallet", currency=currency).first()
    return account.balance or 0 if account else 0


def times_credited(payment: Payment) -> int:
    """Return how many times the payment was credited."""
    return Transaction.objects.filter(key=f"payment:{payment.public_id}").count()


def events(row: Payment | Refund | Dispute) -> list[str]:
    return list(Event.objects.filter(subject=row.public_id).order_by("id").values_list("type", flat=True))
