"""A customer who leaves: closing the account by themselves, and everything that we have about them, to take along."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import BrowserSession, User
from core.retry import retried
from events.models import Event, Mail
from ledger.models import Account, Transaction
from ledger.money import Money
from payments.models import Consent, Payment, PaymentMethod, Refund
from subscriptions import closure
from subscriptions.models import Subscription

OPEN = (Payment.Status.PENDING, Payment.Status.UNKNOWN)


class MoneyLeft(Exception):
    """The account cannot be closed: money is left on a balance, owed, or on its way."""


def money_left(customer: User) -> list[Money]:
    """Return what is left on each balance (above zero) and what is owed (below zero), as last settled."""
    rows = Account.objects.filter(owner=customer, balance__isnull=False).exclude(balance=0).order_by("currency", "kind")
    return [Money(row.balance or 0, row.currency) for row in rows]


def has_open_payments(customer: User) -> bool:
    """Return whether a payment of the customer may still bring money."""
    return Payment.objects.filter(customer=customer, status__in=OPEN).exists()


@retried
def close(customer: User, *, now: datetime) -> None:
    """Close the account of a customer who asks for it: every row is kept. Raise MoneyLeft and change nothing.

    What is left is looked at after the books were settled, in the same transaction.
    """
    with transaction.atomic():
        closure.close(customer, now=now)
        if money_left(customer) or has_open_payments(customer):
            raise MoneyLeft


def export(customer: User) -> Iterator[str]:
    """Yield a JSON object of all that we have about a customer. Amounts are in minor units; times are in UTC."""
    own: dict[str, tuple[QuerySet[Any], tuple[str, ...]]] = {
        "profile": (
            User.objects.filter(pk=customer.pk),
            ("username", "email", "first_name", "last_name", "company", "address", "tax_id", "language", "time_zone",
             "mails_off", "date_joined", "last_login"),
        ),
        "balances": (
            Account.objects.filter(owner=customer).order_by("pk"),
            ("kind", "currency", "balance", "created_at"),
        ),
        "subscriptions": (
            Subscription.objects.filter(customer=customer).order_by("pk"),
            ("public_id", "price__plan__code", "price__amount", "price__currency", "quantity", "status", "auto_renew",
             "created_at", "started_at", "period_start", "period_end", "ended_at"),
        ),
        "payments": (
            Payment.objects.filter(customer=customer).order_by("pk"),
            ("public_id", "client_payment_id", "amount", "currency", "status", "description", "gateway",
             "amount_received", "received_currency", "amount_refunded", "created_at", "confirmed_at", "billed_to",
             "metadata"),
        ),
        "refunds": (
            Refund.objects.filter(payment__customer=customer).order_by("pk"),
            ("public_id", "payment__public_id", "amount", "currency", "status", "created_at"),
        ),
        "payment_methods": (
            PaymentMethod.objects.filter(customer=customer).order_by("pk"),
            ("public_id", "gateway", "brand", "last4", "expires_on", "created_at", "removed_at"),
        ),
        "transactions": (
            Transaction.objects.filter(wallet__in=Account.objects.filter(owner=customer).values("pk")).order_by("pk"),
            ("id", "reason", "description", "amount", "currency", "balance_after", "effective_at", "credit__kind"),
        ),
        "consents": (
            Consent.objects.filter(customer=customer).order_by("pk"),
            ("public_id", "method__public_id", "purpose", "currency", "words", "language", "address", "given_at",
             "withdrawn_at"),
        ),
        "events": (
            Event.objects.filter(customer=customer).order_by("pk"),
            ("type", "subject", "data", "effective_at"),
        ),
        "mails": (
            Mail.objects.filter(customer=customer).order_by("pk"),
            ("public_id", "kind", "state", "address", "subject", "text", "created_at", "sent_at"),
        ),
        "sessions": (
            BrowserSession.objects.filter(user=customer).order_by("pk"),
            ("user_agent", "address", "created_at", "last_seen_at"),
        ),
    }  # fmt: skip
    for number, (name, (rows, fields)) in enumerate(own.items()):
        yield f"{',' if number else '{'}\n{json.dumps(name)}: ["
        for place, row in enumerate(rows.values(*fields).iterator(2000)):
            yield f"{',' if place else ''}\n{json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)}"
        yield "\n]"
    yield "\n}\n"
