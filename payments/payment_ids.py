"""The ids by which a customer's programs call a payment: one of their own choice, or the public id."""

import re

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import DomainError
from payments.models import Payment

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
