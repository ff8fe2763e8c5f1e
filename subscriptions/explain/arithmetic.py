"""Explain a charge: the arithmetic behind a transaction, worked out again now and compared with what was posted.

How it is said is steps.py's business.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from ledger.models import Transaction
from subscriptions.engine.calendar import LENGTHS, MICROSECOND
from subscriptions.models import Charge, Price, Subscription


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a transaction has its amount. Minor units and microseconds; `matches` is False when something is wrong."""

    # `period` (paid ahead), `slice` (metered), `leftover` (fractions of a minor unit that came to a whole one) or
    # `unused` (given back).
    kind: str
    subscription: Subscription
    price: Price
    quantity: int
    periods: int
    span_start: datetime
    span_end: datetime
    # The arithmetic, as one line that anybody can check.
    formula: str
    worked_out: int
    posted: int
    # Metered: the fraction of a minor unit carried in and out, as a share of `rate_length` microseconds, and what is
    # written down of the latter.
    remainder_before: int | None = None
    remainder_after: int | None = None
    rate_length: int | None = None
    remainder_written: int | None = None
    # Given back: of what was paid for `full` microseconds, `left` were not used.
    paid: int = 0
    left: int = 0
    full: int = 0

    @property
    def micros(self) -> int:
        """How long the span lasts, in microseconds."""
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
    """Work a transaction's amount out again from the price it was under; None for money that no rule worked out."""
    charges = Charge.objects.select_related("price__plan", "subscription")
    charge = charges.filter(transaction=transaction).first()
    if charge is not None:
        return _used(charge, transaction) if charge.price.metered else _period(charge, transaction)
    charge = charges.filter(refund=transaction).first()
    return _unused(charge, transaction) if charge is not None else None


def _period(charge: Charge, transaction: Transaction) -> Explanation:
    """Paid ahead: amount x quantity x periods."""
    price, subscription = charge.price, charge.subscription
    return Explanation(
        "period", subscription, price, subscription.quantity, subscription.periods,
        charge.period_start, charge.period_end,
        f"{price.amount} × {subscription.quantity} × {subscription.periods}",
        price.amount * subscription.quantity * subscription.periods, transaction.amount,
    )  # fmt: skip


def _used(charge: Charge, transaction: Transaction) -> Explanation:
    """Metered (R2): (rate x microseconds + remainder before) divided by the interval; what is left is carried on."""
    price, quantity = charge.price, charge.subscription.quantity
    rate, length = price.amount * quantity, LENGTHS[price.interval] * price.interval_count
    span, before = (charge.period_end - charge.period_start) // MICROSECOND, charge.remainder_before or 0
    amount, after = divmod(rate * span + before, length)
    parts = {"whole": amount, "rest": after}
    sum_ = f"({rate} × {span} + {before})" if span else f"{before}"
    return Explanation(
        "slice" if span else "leftover", charge.subscription, price, quantity, 1,
        charge.period_start, charge.period_end, f"{sum_} ÷ {length} = " + _("%(whole)d, %(rest)d carried on") % parts,
        amount, transaction.amount,
        before, after, length, charge.remainder_after,
    )  # fmt: skip


def _unused(charge: Charge, transaction: Transaction) -> Explanation:
    """Given back: what was paid x what was left / the full period, rounded down.

    A resumed rest costs nothing itself: what was paid for it is the last charge above zero before it.
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


CHARGE_REASONS = (Transaction.Reason.CHARGE, Transaction.Reason.UNUSED_REFUND)


def charges_of(rows: Iterable[Transaction]) -> dict[int, Charge]:
    """Find, by the transaction's number, what was charged or given back of it. One query at most."""
    ids = {row.pk for row in rows if row.reason in CHARGE_REASONS}
    if not ids:
        return {}
    found = Charge.objects.filter(Q(transaction__in=ids) | Q(refund__in=ids)).select_related(
        "price__plan", "subscription"
    )
    both = {pk: charge for charge in found for pk in (charge.transaction_id, charge.refund_id) if pk}
    return {pk: charge for pk, charge in both.items() if pk in ids}
