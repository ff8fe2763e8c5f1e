"""What a payment's page says once its money is here: how it was paid, the balance after it, and what it keeps going."""

from dataclasses import dataclass
from datetime import datetime

from ledger.money import Money
from payments.models import Payment
from payments.web.forms import GATEWAYS, may_be_offered
from subscriptions import overview, renewals
from subscriptions.web.cards import Card


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What has become of the money of a confirmed payment."""

    # How it was paid: the saved card, or the kind of page.
    paid_with: str
    # The balance now, less what is used or due but not posted yet.
    balance: Money
    # Until when what it was for can be used; None if it cannot, or nothing limits it.
    until: datetime | None
    # What the balance lacks for the next renewal; None if it is enough, or nothing is renewed from it.
    lacking: Money | None


def of(payment: Payment, card: Card | None, *, now: datetime) -> Outcome:
    """Return the outcome of a confirmed payment. Reads only."""
    currency = payment.refunded.currency
    if card is not None and card.price.currency == currency:
        balance = card.available
    else:
        balance = Money(overview.peek(payment.customer, currency, now=now).available, currency)
    return Outcome(
        paid_with=_paid_with(payment),
        balance=balance,
        until=_until(card),
        lacking=_lacking(payment, card, now=now),
    )


def _paid_with(payment: Payment) -> str:
    if payment.method is not None:
        return str(payment.method)
    known = GATEWAYS.get(payment.gateway)
    return str(known.name) if known else payment.gateway


def _until(card: Card | None) -> datetime | None:
    if card is None or not card.is_live:
        return None
    return card.runs_dry_at if card.price.metered else card.until


def _lacking(payment: Payment, card: Card | None, *, now: datetime) -> Money | None:
    """Return what the balance lacks for the renewal, if no saved method pays the rest."""
    if card is None or not card.is_paid_ahead or not card.is_short or card.until is None:
        return None
    currency = card.price.currency
    if currency != payment.refunded.currency or not may_be_offered(payment.customer):
        return None
    view = overview.peek(payment.customer, currency, now=now)
    return Money(renewals.missing(view, [card.row.pk], at=card.until), currency)
