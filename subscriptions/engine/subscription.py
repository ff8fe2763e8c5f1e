"""A subscription in the engine: its terms, its status and its instants."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum

from subscriptions.engine.calendar import LENGTHS

# Limits of one subscription: keep amounts within bigint.
MOST_PERIODS = 1_000
MOST_QUANTITY = 1_000_000


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


# The customer has access.
LIVE = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE})
# Ended for good.
FINAL = frozenset({Status.CANCELLED, Status.EXPIRED})
# Waiting for money.
WAITING = frozenset({Status.PENDING, Status.SUSPENDED, Status.PAST_DUE})


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

    @property
    def length(self) -> int:
        """The microseconds in which a metered price costs `amount`."""
        return LENGTHS[self.interval] * self.count


@dataclass(slots=True)
class Sub:
    """One subscription of a book. Instants are microseconds; None if the status does not use them."""

    id: Hashable
    terms: Terms
    quantity: int = 1
    periods: int = 1
    auto_renew: bool = True
    status: Status = Status.PENDING

    # Advance: the current period is [start, end), number `number` from `anchor`; it cost `paid` for `length`.
    # A pause moves the end and leaves the length.
    anchor: int | None = None
    number: int = 0
    start: int | None = None
    end: int | None = None
    paid: int = 0
    length: int = 0
    # Paused advance: the remaining microseconds of the period.
    left: int | None = None
    trial_end: int | None = None
    grace_end: int | None = None

    # Metered: charged up to this instant; the carried fraction of a minor unit is remainder / terms.length.
    billed_until: int | None = None
    remainder: int = 0

    cancel_requested: bool = False
    scheduled: Terms | None = None
    # Set when the change to `scheduled` is agreed: the end of its first period, which begins at `end` and is paid.
    # With metered terms it equals `end`.
    next_end: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    # Number of movements so far: part of the next movement's key.
    entry_count: int = 0
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
    def is_running(self) -> bool:
        """Whether a paid meter runs now."""
        return self.billed_until is not None and self.status is Status.ACTIVE and self.rate > 0

    @property
    def boundary(self) -> int | None:
        """The end of the current period, trial or grace (R3), None if there is none."""
        if self.status is Status.ACTIVE:
            return None if self.terms.metered else self.end
        if self.status is Status.TRIALING:
            return self.trial_end
        if self.status is Status.PAST_DUE:
            return self.grace_end
        return None
