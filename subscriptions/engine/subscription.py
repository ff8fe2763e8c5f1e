"""A subscription in the engine: its terms, its status and its instants."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum

from subscriptions.engine.calendar import DAY, LENGTHS

# Limits of one subscription: keep amounts within bigint.
MOST_PERIODS = 1_000
MOST_QUANTITY = 1_000_000
# One payment, in minor units.
MOST_DUE = 10**12


class Status(StrEnum):
    """The status of a subscription; see the table in docs/billing-rules.md."""

    PENDING = "pending"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# The way through the class costs more than a comparison: code that runs for every renewal uses these names.
PENDING, TRIALING, ACTIVE, PAST_DUE = Status.PENDING, Status.TRIALING, Status.ACTIVE, Status.PAST_DUE
SUSPENDED = Status.SUSPENDED
# The customer has access.
LIVE = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE})
# Ended for good.
FINAL = frozenset({Status.CANCELLED, Status.EXPIRED})
# Without service until money comes. It expires if none comes in time.
WAITING = frozenset({Status.PENDING, Status.SUSPENDED})
# Any money that comes in is spent on it.
REVIVABLE = frozenset({Status.SUSPENDED, Status.PAST_DUE})


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of a price: `amount` minor units per `count` intervals, a rate if `metered`, else paid ahead."""

    id: Hashable
    plan: Hashable
    amount: int
    interval: str
    count: int = 1
    metered: bool = False
    trial_days: int = 0
    grace_days: int = 0
    # How long a suspended subscription waits for money.
    keep_days: int = 30
    # The largest quantity that a trial is given for.
    trial_quantity_max: int = 10
    can_pause: bool = True
    can_refund_unused: bool = True

    @property
    def length(self) -> int:
        """The microseconds in which a metered price costs `amount`."""
        return LENGTHS[self.interval] * self.count


@dataclass(slots=True)
class Sub:
    """One subscription of a book. Instants are microseconds; None if the status does not use them.

    Rows are read by position: storage.read.SUBSCRIPTION has the columns in the order of these fields.
    """

    id: Hashable
    terms: Terms
    quantity: int = 1
    periods: int = 1
    auto_renew: bool = True
    status: Status = Status.PENDING
    # What changes at the period's end.
    scheduled: Terms | None = None
    scheduled_quantity: int | None = None

    # Advance: the current period is [start, end), number `number` from `anchor`; it is worth `paid` for `length`.
    # A pause moves the end and leaves the length.
    anchor: int | None = None
    number: int = 0
    start: int | None = None
    end: int | None = None
    paid: int = 0
    length: int = 0
    # What the period has cost: paid at its start, plus or less what changes of the quantity moved since.
    net: int = 0
    # The start of the charge that covers the present: the period's start, or its last change of the quantity.
    charge_start: int | None = None
    # Paused advance: the remaining microseconds of the period.
    left: int | None = None
    trial_end: int | None = None
    grace_end: int | None = None
    # Pending or suspended: when it expires unless it has started.
    wait_end: int | None = None

    # Metered: paid up to this instant; `credit` / terms.length is what is left of the last minor unit paid.
    billed_until: int | None = None
    credit: int = 0

    cancel_requested: bool = False
    # Paused because the customer is blocked; resumed when that is undone.
    is_held: bool = False
    started_at: int | None = None
    # Number of movements so far: part of the next movement's key.
    entry_count: int = 0
    # Its name in events, which the engine never reads.
    public_id: str = ""

    # No column is read for what follows: a subscription that has ended is not read.
    ended_at: int | None = None
    # Its position in the book: the oldest has 0.
    place: int = 0
    # True if it must be saved.
    changed: bool = False

    @property
    def due(self) -> int:
        """The minor units of one payment of an advance price."""
        return self.terms.amount * self.quantity * self.periods

    @property
    def rate(self) -> int:
        """The minor units that a metered price costs in `terms.length` microseconds."""
        return self.terms.amount * self.quantity

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_metering(self) -> bool:
        """Whether a meter runs now, also a free one."""
        return self.terms.metered and self.status is ACTIVE

    @property
    def is_paid_ahead(self) -> bool:
        """Whether a period paid in advance runs now."""
        return self.status is ACTIVE and not self.terms.metered

    @property
    def boundary(self) -> int | None:
        """The next instant at which something ends by itself (R1), None if nothing does."""
        status = self.status
        if status is ACTIVE:
            return None if self.terms.metered else self.end
        if status is TRIALING:
            return self.trial_end
        if status is PAST_DUE:
            return self.grace_end
        return self.wait_end if status is PENDING or status is SUSPENDED else None

    def wait(self, at: int, order_days: int) -> None:
        """Begin to wait for money at `at`."""
        days = order_days if self.status is Status.PENDING else self.terms.keep_days
        self.wait_end = at + days * DAY
