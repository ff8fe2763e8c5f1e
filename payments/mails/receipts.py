"""The receipt of a payment, with what its money did."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from events.mails.kinds import Kind, each_subject
from events.models import Event
from ledger import display
from ledger.money import Money
from payments import change_texts, descriptions, paid_changes, receipts
from payments.models import Payment
from subscriptions import overview
from subscriptions.mails import subjects

STARTED, RENEWED = "subscription.activated", "subscription.renewed"


def receipt(events: Sequence[Event], recipient: User, now: datetime) -> dict[str, Any]:
    """Return what a receipt shows: what was paid, when and how, and the balance now."""
    rows = Payment.objects.select_related("plan", "subscription__price__plan", "method")
    payment = rows.get(public_id=events[-1].subject)
    assert payment.received is not None
    assert payment.confirmed_at is not None
    received, what = payment.received, descriptions.name_of(payment)
    balance = Money(overview.peek(recipient, received.currency, now=now).available, received.currency)
    values = {"name": recipient.greeting_name, "day": display.day(payment.confirmed_at)}
    return {
        "received": received,
        "what": what,
        "balance": balance,
        "thanks": _("Thank you, %(name)s. We received your payment on %(day)s.") % values,
        "payment_url": links.absolute("payment", payment.public_id),
        "rows": [
            (what, display.money(received)),
            (_("Paid with"), receipts.way_of(payment)),
            (_("Date"), display.moment(payment.confirmed_at)),
            *_effects(events[-1], payment),
            (_("Your balance now"), display.money(balance)),
            (_("Reference"), payment.reference),
        ],
    }


def _effects(event: Event, payment: Payment) -> list[tuple[str, str]]:
    """Return what the payment started, renewed or resumed in its transaction, and the debt that it paid."""
    beside = Event.objects.filter(transaction_number=event.transaction_number, customer=event.customer_id)
    starts = list(beside.filter(type__in=(STARTED, RENEWED)).order_by("pk"))
    names = {row.public_id: row.price.plan.title for row in subjects.of(starts)}
    labels = [(_effect(each), names[each.subject]) for each in starts if each.subject in names]
    debt = receipts.debt_payment_of(payment)
    paid = [(_("Debt paid"), display.money(Money(debt.amount, debt.currency)))] if debt else []
    change = paid_changes.of(payment)
    refused = [(_("Not changed"), change_texts.reason(change))] if change and change.refusal else []
    return [*paid, *refused, *subjects.shortened(labels)]


def _effect(event: Event) -> str:
    if event.type == RENEWED:
        return _("Renewed")
    return _("Active again") if event.data["from"] == "suspended" else _("Started")


RECEIPT = Kind(
    name="receipt",
    title=gettext_lazy("Receipt"),
    category=MailCategory.MONEY,
    events=("payment.confirmed",),
    compose=receipt,
    cause=each_subject,
)
