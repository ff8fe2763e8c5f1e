"""What a payment's page is rendered from: its face, its steps, and what the money has set going."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from payments.failures import failure_of
from payments.models import Payment
from payments.web.faces import LOOKS, face_of
from subscriptions.models import Subscription
from subscriptions.web import cards
from subscriptions.web.cards import Card


def shown(payment: Payment, *, now: datetime, way_back: str = "") -> dict[str, Any]:
    """Return the template's variables for a payment at `now`, with the way back to the page that asked for it."""
    face = face_of(payment, now=now)
    look = LOOKS[face]
    last = _("Balance topped up") if payment.subscription is None else _("Plan active")
    paid = (
        _("Not paid") if look.steps[1] == "fail" else _("Paid") if look.steps[1] == "done" else _("Waiting for payment")
    )
    ends = None if look.steps[1] in ("", "now") else payment.updated_at
    return {
        "payment": payment,
        "face": face,
        "look": look,
        "template": f"payments/faces/{face}.html",
        "steps": [
            (look.steps[0], _("Order created"), payment.created_at),
            (look.steps[1], paid, payment.confirmed_at or ends),
            (look.steps[2], last, payment.confirmed_at),
        ],
        "failure": failure_of(payment),
        "card": _card(payment, now=now),
        "way_back": way_back,
    }


def _card(payment: Payment, *, now: datetime) -> Card | None:
    """What was paid for, as it stands at this instant."""
    if payment.subscription is None:
        return None
    row = Subscription.objects.select_related("customer", "price__plan").get(pk=payment.subscription.pk)
    return cards.one(row, now=now)
