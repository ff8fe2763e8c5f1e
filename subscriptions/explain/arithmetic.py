"""Explain a transaction: recalculate its amount from the price and the span, and compare it with what was posted.

explain.sentences puts the result into words.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from ledger.models import Transaction
from subscriptions.engine.calendar import LENGTHS, MICROSECOND
from subscriptions.models import Charge, Price, Subscription

CHARGE_REASONS = (Transaction.Reason.CHARGE, Transaction.Reason.UNUSED_REFUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How a transaction's amount is calculated, in minor units and microseconds. `matches` is False on an error."""

    # `period` (paid ahead), `slice` (metered), `difference` (a larger quantity within a period), `grace` (days that
    # no payment followed) or `unused` (a refund).
    kind: str
    subscription: Subscription
    price: Price
    quantity: int
    # Set if the amount is for a change of the quantity: the one before it.
    previous_quantity: int | None = None
    periods: int
    span_start: datetime
    span_end: datetime
    # The calculation in one line.
    formula: str
    # The recalculated amount and the posted one.
    worked_out: int
    posted: int
    # Grace: the part of `posted` that the balance could not pay.
    debt: int = 0
    # Metered: what was left of the last minor unit paid before and after, recalculated, and the saved one after. Each
    # is a numerator over `rate_length`.
    credit_before: int | None = None
    credit_after: int | None = None
    rate_length: int | None = None
    credit_written: int | None = None
    # A part of a period: `part` of its `full` microseconds.
    part: int = 0
    full: int = 0
    # Whether the result was rounded to a whole minor unit.
    is_rounded: bool = False

    @property
    def micros(self) -> int:
        """The length of the span in microseconds."""
        return (self.span_end - self.span_start) // MICROSECOND

    @property
    def priced_quantity(self) -> int:
        """The quantity that the amount is for: all of it, or what a change has added or taken away."""
        return self.quantity if self.previous_quantity is None else abs(self.quantity - self.previous_quantity)

    @property
    def amount_matches(self) -> bool:
        return self.worked_out == self.posted

    @property
    def credit_matches(self) -> bool:
        return self.credit_after == self.credit_written

    @property
    def matches(self) -> bool:
        return self.amount_matches and self.credit_matches


def explainable(customer_id: int) -> QuerySet[Transaction]:
    """Return the customer's transactions that can be explained: those of a wallet, and unpaid days of grace."""
    own = Transaction.objects.filter(customer_id=customer_id).select_related("debit", "credit")
    return own.filter(Q(wallet__isnull=False) | Q(owed_charge__isnull=False))


def explain(transaction: Transaction) -> Explanation | None:
    """Recalculate a transaction's amount from its price; return None if it is neither a charge nor its refund."""
    charge = charges_of([transaction]).get(transaction.pk)
    if charge is None:
        return None
    if charge.refund_id == transaction.pk:
        return _unused(charge, transaction)
    if charge.price.metered:
        return _used(charge, transaction)
    smaller = _smaller_before(charge)
    if smaller is not None:
        return _difference(charge, smaller, transaction)
    return _grace(charge) if _length(charge) < _full_length(charge) else _period(charge, transaction)


def charges_of(rows: Iterable[Transaction]) -> dict[int, Charge]:
    """Return the charge of each transaction that is a charge or its refund, by transaction id. At most one query."""
    ids = {row.pk for row in rows if row.reason in CHARGE_REASONS}
    charges = _charges(ids).select_related("price__plan", "subscription") if ids else ()
    each = (
        (pk, charge)
        for charge in charges
        for pk in (charge.transaction_id, charge.debt_transaction_id, charge.refund_id)
    )
    return {pk: charge for pk, charge in each if pk in ids}


class Subject(NamedTuple):
    """What a transaction was charged for: the public id of the subscription, and the code of the plan at that time."""

    subscription: str
    plan: str


def subjects_of(rows: Iterable[Transaction]) -> dict[int, Subject]:
    """Return what each transaction that is a charge or its refund was charged for, by id. At most one query.

    It reads five values of each charge, in place of four wide rows with the ORM's objects for them.
    """
    ids = {row.pk for row in rows if row.reason in CHARGE_REASONS}
    names = ("transaction_id", "debt_transaction_id", "refund_id", "subscription__public_id", "price__plan__code")
    found = _charges(ids).values_list(*names) if ids else ()
    return {pk: Subject(*row[3:]) for row in found for pk in row[:3] if pk in ids}


def _charges(ids: Collection[int]) -> QuerySet[Charge]:
    """Return the charges of which these transactions are the payment, the debt or the refund."""
    return Charge.objects.filter(Q(transaction__in=ids) | Q(debt_transaction__in=ids) | Q(refund__in=ids))


def _period(charge: Charge, transaction: Transaction) -> Explanation:
    """Explain a payment ahead: amount x quantity x periods."""
    price, quantity, periods = charge.price, charge.quantity, charge.subscription.periods
    return Explanation(
        kind="period", subscription=charge.subscription, price=price, quantity=quantity, periods=periods,
        span_start=charge.period_start, span_end=charge.period_end,
        formula=f"{price.amount} × {quantity} × {periods}",
        worked_out=_due(charge, quantity), posted=transaction.amount,
    )  # fmt: skip


def _used(charge: Charge, transaction: Transaction) -> Explanation:
    """Explain metered use (R2): what its begun units cost, less what was left of the last unit paid before."""
    price, before = charge.price, charge.credit_before or 0
    rate, length = price.amount * charge.quantity, LENGTHS[price.interval] * price.interval_count
    span = _length(charge)
    units = max(0, -((before - rate * span) // length))
    after = before + units * length - rate * span
    total = _noted(f"({rate} × {span} − {before}) ÷ {length} = {units}", is_rounded=after > 0, up=True)
    rest = f"{after} ÷ {length}" if after else "0"
    return Explanation(
        kind="slice", subscription=charge.subscription, price=price, quantity=charge.quantity, periods=1,
        span_start=charge.period_start, span_end=charge.period_end,
        formula=_("%(sum)s; left for the next charge: %(rest)s") % {"sum": total, "rest": rest},
        worked_out=units, posted=transaction.amount, is_rounded=after > 0,
        credit_before=before, credit_after=after, rate_length=length, credit_written=charge.credit_after,
    )  # fmt: skip


def _difference(charge: Charge, smaller: Charge, transaction: Transaction) -> Explanation:
    """Explain a larger quantity within a period: the difference for the time left, rounded up."""
    new, old = _due(charge, charge.quantity), _due(charge, smaller.quantity)
    part, full = _length(charge), _full_length(charge)
    is_rounded = (new - old) * part % full != 0
    return Explanation(
        kind="difference", subscription=charge.subscription, price=charge.price,
        quantity=charge.quantity, previous_quantity=smaller.quantity, periods=charge.subscription.periods,
        span_start=charge.period_start, span_end=charge.period_end,
        formula=_noted(f"({new} − {old}) × {part} ÷ {full}", is_rounded=is_rounded, up=True),
        worked_out=-(-(new - old) * part // full), posted=transaction.amount,
        part=part, full=full, is_rounded=is_rounded,
    )  # fmt: skip


def _grace(charge: Charge) -> Explanation:
    """Explain days of grace that no payment followed: their share of a period, rounded up."""
    due, part, full = _due(charge, charge.quantity), _length(charge), _full_length(charge)
    paid, owed = charge.transaction, charge.debt_transaction
    debt = owed.amount if owed else 0
    is_rounded = due * part % full != 0
    return Explanation(
        kind="grace", subscription=charge.subscription, price=charge.price, quantity=charge.quantity,
        periods=charge.subscription.periods, span_start=charge.period_start, span_end=charge.period_end,
        formula=_noted(f"{due} × {part} ÷ {full}", is_rounded=is_rounded, up=True),
        worked_out=-(-due * part // full), posted=(paid.amount if paid else 0) + debt, debt=debt,
        part=part, full=full, is_rounded=is_rounded,
    )  # fmt: skip


def _unused(charge: Charge, transaction: Transaction) -> Explanation:
    """Explain a refund: the worth of the period, or of the quantity taken off it, x unused time, rounded down."""
    start = charge.ended_at or charge.period_end
    part, full = (charge.period_end - start) // MICROSECOND, _full_length(charge)
    smaller = _smaller_after(charge)
    old, new = _due(charge, charge.quantity), _due(charge, smaller.quantity) if smaller else 0
    worth = f"({old} − {new})" if smaller else f"{old}"
    is_rounded = (old - new) * part % full != 0
    return Explanation(
        kind="unused", subscription=charge.subscription, price=charge.price,
        quantity=smaller.quantity if smaller else charge.quantity,
        previous_quantity=charge.quantity if smaller else None, periods=charge.subscription.periods,
        span_start=start, span_end=charge.period_end,
        formula=_noted(f"{worth} × {part} ÷ {full}", is_rounded=is_rounded, up=False),
        worked_out=(old - new) * part // full, posted=transaction.amount,
        part=part, full=full, is_rounded=is_rounded,
    )  # fmt: skip


def _smaller_before(charge: Charge) -> Charge | None:
    """Return the charge that this one followed within its period when the quantity was raised; None for any other.

    A charge that was refunded was not continued: what began then was paid anew.
    """
    earlier = Charge.objects.filter(
        subscription=charge.subscription_id, period_start__lte=charge.period_start, pk__lt=charge.pk
    )
    previous = earlier.order_by("-period_start", "-pk").first()
    if previous is None or previous.refund_id is not None or not _continues(charge, previous):
        return None
    return previous if previous.quantity < charge.quantity else None


def _smaller_after(charge: Charge) -> Charge | None:
    """Return the charge that followed this one within its period when the quantity was lowered; None for any other."""
    later = Charge.objects.filter(
        subscription=charge.subscription_id, period_start__gte=charge.period_start, pk__gt=charge.pk
    )
    following = later.order_by("period_start", "pk").first()
    if following is None or following.transaction_id is not None or not _continues(following, charge):
        return None
    return following if following.quantity < charge.quantity else None


def _continues(charge: Charge, previous: Charge) -> bool:
    """Tell whether a charge is for the rest of the period that the previous one was for, at the same price."""
    ends = (charge.period_start, charge.period_end, charge.price_id)
    return (previous.ended_at, previous.period_end, previous.price_id) == ends


def _due(charge: Charge, quantity: int) -> int:
    """Return what a whole period costs in this quantity."""
    return charge.price.amount * quantity * charge.subscription.periods


def _length(charge: Charge) -> int:
    return (charge.period_end - charge.period_start) // MICROSECOND


def _full_length(charge: Charge) -> int:
    return charge.full_length or _length(charge)


def _noted(total: str, *, is_rounded: bool, up: bool) -> str:
    """Return the calculation with a note of how it is rounded."""
    if not is_rounded:
        return total
    return (_("%(sum)s, rounded up") if up else _("%(sum)s, rounded down")) % {"sum": total}
