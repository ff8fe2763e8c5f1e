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


def failure_of(payment: Payment) -> Failure | None:
    """Return why a payment failed, for its customer; None if it did not fail."""
    if payment.status != Payment.Status.FAILED:
        return None
    text = WORDS.get(payment.failure_code)
    return Failure(payment.failure_code, text) if text else DECLINED
