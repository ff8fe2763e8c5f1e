"""Reasons of failed payments as customers read them. The gateway's own code is for staff only."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments.models import Payment


class Failure(NamedTuple):
    """A code that customers may see, and a text that says what to do."""

    code: str
    detail: str | Promise


DECLINED = Failure("declined", _("Your bank declined the payment. Try another card, or ask your bank."))

# Any other code is shown as DECLINED. Codes that would help a thief (lost or stolen card, suspected fraud) are left out
# on purpose.
WORDS: dict[str, str | Promise] = {
    "insufficient_funds": _("There was not enough money on the card. Try another card, or pay again later."),
    "expired_card": _("The card has expired. Try another card."),
    "incorrect_cvc": _("The card's security code is wrong. Check it and try again."),
    "authentication_failed": _("You did not confirm the payment with your bank. Try again and confirm it there."),
    "authentication_required": _("Your bank asks you to confirm the payment. Try again and confirm it there."),
    "card_not_supported": _("The card cannot be used for this payment. Try another card."),
    "currency_not_supported": _("The card cannot be used in this currency. Try another card."),
    "limit_exceeded": _("The payment is over the card's limit. Ask your bank, or try another card."),
    "processing_error": _("Your bank could not process the payment. Try again in a few minutes."),
    "gateway_refused": _("We could not open the payment page. Try again in a few minutes."),
}

# The same reasons in the words of gateways that call them otherwise.
SAME = {
    "card_expired": "expired_card",
    "invalid_csc": "incorrect_cvc",
    "3d_secure_failed": "authentication_failed",
    "payment_method_restricted": "card_not_supported",
    "country_forbidden": "card_not_supported",
    "payment_method_limit_exceeded": "limit_exceeded",
    "issuer_unavailable": "processing_error",
    "internal_timeout": "processing_error",
}


def failure_of(payment: Payment) -> Failure | None:
    """Return why a payment failed, for its customer; None if it did not fail."""
    if payment.status != Payment.Status.FAILED:
        return None
    code = SAME.get(payment.failure_code, payment.failure_code)
    text = WORDS.get(code)
    return Failure(code, text) if text else DECLINED
