"""The mails about payments. events.mails sends them; their texts are in templates/mail/."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from events.mails.kinds import Kind
from events.models import Event
from ledger import display
from ledger.money import Money
from payments import descriptions
from payments.models import Payment
from payments.web.forms import GATEWAYS
from subscriptions import overview


def payment_of(event: Event) -> str:
    """Return the payment's id: all events of one type about a payment make one mail."""
    return event.subject


def receipt(events: Sequence[Event], recipient: User, now: datetime) -> dict[str, Any]:
    """Return what a receipt shows: what was paid, when and how, and the balance now."""
    rows = Payment.objects.select_related("plan", "subscription__price__plan")
    payment = rows.get(public_id=events[-1].subject)
    assert payment.received is not None
    assert payment.confirmed_at is not None
    received, what = payment.received, descriptions.name_of(payment)
    balance = Money(overview.peek(recipient, received.currency, now=now).available, received.currency)
    values = {"name": recipient.first_name or recipient.username, "day": display.day(payment.confirmed_at)}
    return {
        "received": received,
        "what": what,
        "balance": balance,
        "thanks": _("Thank you, %(name)s. We received your payment on %(day)s.") % values,
        "payment_url": links.absolute("payment", payment.public_id),
        "rows": [
            (what, display.money(received)),
            (_("Paid with"), _way(payment)),
            (_("Date"), display.moment(payment.confirmed_at)),
            (_("Your balance now"), display.money(balance)),
            (_("Reference"), payment.reference),
        ],
    }


def _way(payment: Payment) -> str:
    """Return how it was paid, as the checkout calls it; a gateway without a name there under its own."""
    known = GATEWAYS.get(payment.gateway)
    return str(known.name) if known else payment.gateway


RECEIPT = Kind(
    name="receipt",
    title=gettext_lazy("Receipt"),
    category=MailCategory.MONEY,
    events=("payment.confirmed",),
    compose=receipt,
    cause=payment_of,
)

KINDS = (RECEIPT,)
