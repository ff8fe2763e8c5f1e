"""Explain a transaction: recalculate its amount from the price and the span, and compare it with what was posted.

explain.sentences puts the result into words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from ledger.models import Transaction
from subscriptions.engine.calendar import LENGTHS, MICROSECOND
from subscriptions.models import Charge, Price, Subscription

CHARGE_REASONS = (Transaction.Reason.CHARGE, Transaction.Reason.UNUSED_REFUND)


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a transaction's amount is calculated, in minor units and microseconds. `matches` is False on an error."""

    # `period` (paid ahead), `slice` (metered), `leftover` (fractions that add up to whole minor units) or `unused`
    # (a refund).
    kind: str
    subscription: Subscription
    price: Price
    quantity: int
    periods: int
    span_start: datetime
    span_end: datetime
    # The calculation in one line.
    formula: str
    # The recalculated amount and the posted one.
    worked_out: int
    posted: int
    # Metered: the fractions of a minor unit carried in and out, recalculated, and the saved one carried out. Each is
    # a numerator over `rate_length`.
    remainder_before: int | None = None
    remainder_after: int | None = None
    rate_length: int | None = None
    remainder_written: int | None = None
    # A refund: `paid` bought `full` microseconds, of which `left` were not used.
    paid: int = 0
    left: int = 0
    full: int = 0

    @property
    def micros(self) -> int:
        """The length of the span in microseconds."""
        return (self.span_end - self.span_start) // MICROSECOND

    @property
    def amount_matches(self) -> bool:
        return self.worked_out == self.posted

    @property
    def rest_matches(self) -> bool:
        return self.remainder_after == self.remainder_written

    @property
    def matches(self) -> bool:
        return self.amount_matches and self.rest_matches


def explain(transaction: Transaction) -> Explanation | None:
    """Recalculate a transaction's amount from its price; return None if it is neither a charge nor its refund."""
    charges = Charge.objects.select_related("price__plan", "subscription")
    charge = charges.filter(transaction=transaction).first()
    if charge is not None:
        return _used(charge, transaction) if charge.price.metered else _period(charge, transaction)
    charge = charges.filter(refund=transaction).first()
    return _unused(charge, transaction) if charge is not None else None


def charges_of(rows: Iterable[Transaction]) -> dict[int, Charge]:
    """Return the charge of each transaction that is a charge or its refund, by transaction id. At most one query."""
    ids = {row.pk for row in rows if row.reason in CHARGE_REASONS}
    if not ids:
        return {}
    charges = Charge.objects.filter(Q(transaction__in=ids) | Q(refund__in=ids)).select_related(
        "price__plan", "subscription"
    )
    both = {pk: charge for charge in charges for pk in (charge.transaction_id, charge.refund_id) if pk}
    return {pk: charge for pk, charge in both.items() if pk in ids}


def _period(charge: Charge, transaction: Transaction) -> Explanation:
    """Explain a payment ahead: amount x quantity x periods."""
    price, subscription = charge.price, charge.subscription
    return Explanation(
        "period", subscription, price, subscription.quantity, subscription.periods,
        charge.period_start, charge.period_end,
        f"{price.amount} × {subscription.quantity} × {subscription.periods}",
        price.amount * subscription.quantity * subscription.periods, transaction.amount,
    )  # fmt: skip


def _used(charge: Charge, transaction: Transaction) -> Explanation:
    """Explain metered use (R2): (rate x microseconds + remainder before) / length; the remainder is carried on."""
    price, quantity = charge.price, charge.subscription.quantity
    rate, length = price.amount * quantity, LENGTHS[price.interval] * price.interval_count
    span, before = (charge.period_end - charge.period_start) // MICROSECOND, charge.remainder_before or 0
    amount, after = divmod(rate * span + before, length)
    parts = {"whole": amount, "rest": after}
    sum_ = f"({rate} × {span} + {before})" if span else f"{before}"
    return Explanation(
        "slice" if span else "leftover", charge.subscription, price, quantity, 1,
        charge.period_start, charge.period_end, f"{sum_} ÷ {length} = " + _("%(whole)d, %(rest)d carried over") % parts,
        amount, transaction.amount,
        before, after, length, charge.remainder_after,
    )  # fmt: skip


def _unused(charge: Charge, transaction: Transaction) -> Explanation:
    """Explain a refund: paid x unused time / full period, rounded down.

    The charge of a resumed period is zero, so the payment is the last charge above zero up to it.
    """
    paid = (
        Charge.objects.filter(subscription=charge.subscription_id, id__lte=charge.pk, amount__gt=0)
        .order_by("-id")
        .first()
    ) or charge
    rest: timedelta = charge.period_end - (charge.ended_at or charge.period_end)
    left, full = rest // MICROSECOND, (paid.period_end - paid.period_start) // MICROSECOND
    return Explanation(
        "unused", charge.subscription, charge.price, charge.subscription.quantity, charge.subscription.periods,
        charge.ended_at or charge.period_end, charge.period_end,
        f"{paid.amount} × {left} ÷ {full}", paid.amount * left // full, transaction.amount,
        paid=paid.amount, left=left, full=full,
    )  # fmt: skip
