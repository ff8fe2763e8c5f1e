"""The mails about payments that have not succeeded: one failed, or the bank asks the customer to confirm it."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from core.letters import Notice
from events.mails.kinds import Kind
from events.models import Event
from ledger import display
from payments import descriptions, failures, transitions
from payments.gateways.charges import Decline
from payments.models import Payment
from subscriptions.mails import subjects

Status = Payment.Status
DECLINED = "collection.declined"
CONFIRM = ("collection.action_required", "collection.authentication_required")


def payment_id(event: Event) -> str:
    """Return the public id of the payment that the event is about."""
    return str(event.data.get("payment") or event.subject)


def told_here(events: Sequence[Event]) -> list[Event]:
    """Return the failures that are told here. One of an automatic payment is told with its next try.

    The last one has no next try: the mail that nothing more is tried tells of it.
    """
    return [
        event
        for event in events
        if (event.data.get("next_at") if event.type == DECLINED else not event.data.get("collection"))
    ]


def failed(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return which payment failed, why, and when it is tried again; None if the money has come meanwhile."""
    payment = _find(events[-1])
    if payment is None or payment.status != Status.FAILED or _has_paid_since(payment):
        return None
    failure = failures.failure_of(payment)
    assert failure is not None
    values = {"amount": display.money(payment.money), "what": descriptions.name_of(payment)}
    sentences = [_("The payment of %(amount)s did not go through.") % values, str(failure.detail)]
    is_automatic, is_refused = events[-1].type == DECLINED, events[-1].data.get("decline") == Decline.HARD
    next_at = parse_datetime(events[-1].data.get("next_at") or "")
    if is_refused:
        sentences.append(_("We will not charge this payment method again."))
    elif next_at is not None and next_at > now:
        sentences.append(_("We try again on %(moment)s.") % {"moment": display.moment(next_at)})
    return Notice(
        title=_("Payment failed: %(amount)s, %(what)s") % values,
        sentences=sentences,
        button=_("Pay now") if is_automatic else _("Try again"),
        url=_pay_again(payment),
        rows=[(_("Date"), display.moment(payment.updated_at)), (_("Reference"), payment.reference)],
        link=(_("Choose another method"), links.absolute("automatic_payments")) if is_refused else None,
        tone="bad",
        tag=_("Not paid"),
    )


def _has_paid_since(payment: Payment) -> bool:
    """Return whether a later payment of the customer in this currency was confirmed."""
    paid = Payment.objects.filter(customer=payment.customer_id, currency=payment.currency, status=Status.CONFIRMED)
    return paid.filter(confirmed_at__gte=payment.updated_at).exists()


def _pay_again(payment: Payment) -> str:
    subscription = payment.subscription
    if subscription is not None and subscription.ended_at is None:
        return links.absolute("subscription_pay", subscription.public_id)
    return subjects.top_up(payment.currency)


def _find(event: Event) -> Payment | None:
    rows = Payment.objects.select_related("plan", "subscription__price__plan")
    return rows.filter(public_id=payment_id(event)).first()


PAYMENT_FAILED = Kind(
    name="payment_failed",
    title=gettext_lazy("Payment failed"),
    category=MailCategory.MONEY,
    events=("payment.failed", DECLINED),
    compose=failed,
    choose=told_here,
    cause=payment_id,
)


def confirm(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return which payment waits for the customer's confirmation at the bank; None if it has ended or expired."""
    payment = _find(events[-1])
    if payment is None or payment.status not in transitions.OPEN or payment.expires_at <= now:
        return None
    values = {"amount": display.money(payment.money), "moment": display.moment(payment.expires_at)}
    return Notice(
        title=_("Confirm your payment of %(amount)s with your bank") % values,
        sentences=[
            _("Your bank asks you to confirm this payment. Until then nothing is charged to your card."),
            _("You can confirm it until %(moment)s.") % values,
        ],
        button=_("Confirm the payment"),
        url=links.absolute("payment", payment.public_id),
        rows=[(_("Amount"), values["amount"]), (_("Reference"), payment.reference)],
        tone="warn",
        tag=_("Your confirmation is needed"),
    )


CONFIRM_WITH_BANK = Kind(
    name="confirm_with_bank",
    title=gettext_lazy("Confirm with your bank"),
    category=MailCategory.MONEY,
    events=CONFIRM,
    compose=confirm,
    cause=payment_id,
)
