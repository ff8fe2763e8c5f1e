"""The ids by which a customer's programs call a payment: one of their own choice, or the public id."""

import re
from collections.abc import Callable, Collection, Iterable

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import DomainError
from ledger.models import Transaction
from payments.models import Dispute, Payment, Refund

# It must hold a digit, so that it differs from words such as `confirm-payment` at the same place of a URL.
CLIENT_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9_-]{7,39}", re.ASCII)


class DuplicatePayment(DomainError):
    """The customer already has a payment with the id that the client chose."""

    code = "duplicate_payment"
    param = "payment_id"


class InvalidPaymentId(DomainError):
    """The payment id that the client chose does not match CLIENT_ID."""

    code = "invalid_payment_id"
    param = "payment_id"


# A cause of a transaction of a payment, in the transaction's key: the kind of the object and its public id.
CAUSE = re.compile(r"(payment|refund|dispute):([a-z]+_[0-9a-z]+)")


def of_transactions(rows: Iterable[Transaction]) -> dict[int, str]:
    """Return the id of the payment that each transaction comes from, by the transaction's. At most three queries.

    It is the payment that brought the money, or whose refund or dispute took it. A charge comes from none.
    """
    causes = {row.pk: match.groups() for row in rows if (match := CAUSE.search(row.key))}
    found: dict[tuple[str, str], str] = {}
    for kind, source in SOURCES.items():
        if wanted := {cause[1] for cause in causes.values() if cause[0] == kind}:
            found |= {(kind, public_id): client_id or own for public_id, client_id, own in source(wanted)}
    return {pk: found[kind, public_id] for pk, (kind, public_id) in causes.items() if (kind, public_id) in found}


def _of_payments(ids: Collection[str]) -> Iterable[tuple[str, str | None, str]]:
    return Payment.objects.filter(public_id__in=ids).values_list("public_id", "client_payment_id", "public_id")


def _of_refunds(ids: Collection[str]) -> Iterable[tuple[str, str | None, str]]:
    rows = Refund.objects.filter(public_id__in=ids)
    return rows.values_list("public_id", "payment__client_payment_id", "payment__public_id")


def _of_disputes(ids: Collection[str]) -> Iterable[tuple[str, str | None, str]]:
    rows = Dispute.objects.filter(public_id__in=ids)
    return rows.values_list("public_id", "payment__client_payment_id", "payment__public_id")


SOURCES: dict[str, Callable[[Collection[str]], Iterable[tuple[str, str | None, str]]]] = {
    "payment": _of_payments,
    "refund": _of_refunds,
    "dispute": _of_disputes,
}


def find(customer: User, payment_id: str) -> QuerySet[Payment]:
    """Return the customer's payment with this id, the one they chose or the public one."""
    return Payment.objects.filter(matching(payment_id), customer=customer)


def matching(payment_id: str) -> Q:
    """Return the condition for a payment to be called by this id."""
    return Q(client_payment_id=payment_id) | Q(public_id=payment_id)


def check_new(customer: User, payment_id: str | None) -> None:
    """Raise InvalidPaymentId or DuplicatePayment if the customer cannot give this id to a new payment."""
    if payment_id is None:
        return
    if not CLIENT_ID.fullmatch(payment_id):
        raise InvalidPaymentId(
            _(
                "A payment_id has 8 to 40 letters, digits, - or _. It starts with a letter or digit and contains a "
                "digit."
            )
        )
    if find(customer, payment_id).exists():
        raise duplicate(payment_id)


def duplicate(payment_id: str) -> DuplicatePayment:
    """Return the refusal of an id that is used already."""
    return DuplicatePayment(_("Payment %s already exists.") % payment_id)
