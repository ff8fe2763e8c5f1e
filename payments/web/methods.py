"""The ways to pay, as the checkout names them. A gateway without a row is offered under its own name."""

from typing import NamedTuple

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Method(NamedTuple):
    """A radio button: its value, its name, and what happens when it is taken."""

    value: str
    name: str | Promise
    hint: str | Promise


BALANCE = Method("balance", _("Account balance"), _("Paid at once, nothing to enter."))
GATEWAYS = {
    "sandbox": Method("sandbox", _("Test payment page"), _("You choose on the next page how the payment ends.")),
    "stripe": Method("stripe", _("Card"), _("You enter the card on Stripe's page. We never see its number.")),
    "yookassa": Method("yookassa", _("Card or SBP"), _("You pay on YooKassa's page. We never see your card.")),
}


def gateways() -> list[Method]:
    """Return the gateways that are switched on, in the settings' order."""
    names: list[str] = settings.PAYMENT_GATEWAYS
    return [GATEWAYS.get(name, Method(name, name, "")) for name in names]
