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
# For what is used up by the second nothing is paid ahead out of the balance: it only has to be there.
BALANCE_IN_USE = Method("balance", _("Account balance"), _("Nothing is paid now. It is used up by the second."))
GATEWAYS = {
    "sandbox": Method("sandbox", _("Test payment page"), _("You choose on the next page how the payment ends.")),
    "stripe": Method("stripe", _("Card"), _("You enter the card on Stripe's page. We never see its number.")),
    "yookassa": Method("yookassa", _("Card or SBP"), _("You pay on YooKassa's page. We never see your card.")),
}


def from_balance(*, metered: bool) -> Method:
    """Return the balance as a way to pay a price."""
    return BALANCE_IN_USE if metered else BALANCE


def gateways() -> list[Method]:
    """Return the gateways that are switched on, in the settings' order."""
    names: list[str] = settings.PAYMENT_GATEWAYS
    return [GATEWAYS.get(name, Method(name, name, "")) for name in names]
