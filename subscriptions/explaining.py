"""Explain a charge: the arithmetic behind a transaction, worked out again now and compared with what was posted."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.models import Transaction
from subscriptions.engine.calendar import LENGTHS, MICROSECOND
from subscriptions.models import Charge, Price


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a transaction has its amount. Minor units and microseconds; `matches` is False when something is wrong."""

    # `period` (paid ahead), `slice` (metered), `unused` (given back).
    kind: str
    price: Price
    quantity: int
    periods: int
    span_start: datetime
    span_end: datetime
    # The arithmetic, as one line that anybody can check.
    formula: str
    worked_out: int
    posted: int
    # Metered: the fraction of a minor unit carried in and out, as a share of `rate_length` microseconds.
    remainder_before: int | None = None
    remainder_after: int | None = None
    rate_length: int | None = None

    @property
    def matches(self) -> bool:
        return self.worked_out == self.posted


def explain(transaction: Transaction) -> Explanation | None:
    """Work a transaction's amount out again from the price it was under; None for money that no rule worked out."""
    charges = Charge.objects.select_related("price__plan", "subscription")
    charge = charges.filter(transaction=transaction).first()
    if charge is not None:
        return _slice(charge, transaction) if charge.price.metered else _period(charge, transaction)
    charge = charges.filter(refund=transaction).first()
    return _unused(charge, transaction) if charge is not None else None


def _period(charge: Charge, transaction: Transaction) -> Explanation:
    """Paid ahead: amount x quantity x periods."""
    price, subscription = charge.price, charge.subscription
    return Explanation(
        "period", price, subscription.quantity, subscription.periods, charge.period_start, charge.period_end,
        f"{price.amount} × {subscription.quantity} × {subscription.periods}",
        price.amount * subscription.quantity * subscription.periods, transaction.amount,
    )  # fmt: skip


def _slice(charge: Charge, transaction: Transaction) -> Explanation:
    """Metered (R2): (rate x microseconds + remainder before) divided by the interval; what is left is carried on."""
    price, quantity = charge.price, charge.subscription.quantity
    rate, length = price.amount * quantity, LENGTHS[price.interval] * price.interval_count
    span, before = (charge.period_end - charge.period_start) // MICROSECOND, charge.remainder_before or 0
    amount, after = divmod(rate * span + before, length)
    if after != charge.remainder_after:
        amount = -1
    return Explanation(
        "slice", price, quantity, 1, charge.period_start, charge.period_end,
        f"({rate} × {span} + {before}) ÷ {length} = {amount}, {after} carried on", amount, transaction.amount,
        before, after, length,
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
    left: timedelta = charge.period_end - (charge.ended_at or charge.period_end)
    unused, full = left // MICROSECOND, (paid.period_end - paid.period_start) // MICROSECOND
    return Explanation(
        "unused", charge.price, charge.subscription.quantity, charge.subscription.periods,
        charge.ended_at or charge.period_end, charge.period_end,
        f"{paid.amount} × {unused} ÷ {full}", paid.amount * unused // full, transaction.amount,
    )  # fmt: skip
