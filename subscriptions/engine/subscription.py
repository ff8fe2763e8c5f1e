"""A subscription as the engine sees it: its terms, its status and where it stands in time."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum

from subscriptions.engine.calendar import LENGTHS

MOST_PERIODS = 1_000
MOST_QUANTITY = 1_000_000


class Status(StrEnum):
    """Where a subscription stands; the table is in docs/billing-rules.md."""

    PENDING = "pending"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LIVE = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE})
FINAL = frozenset({Status.CANCELLED, Status.EXPIRED})
WAITING = frozenset({Status.PENDING, Status.SUSPENDED, Status.PAST_DUE})


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of a price. `amount` minor units for `count` intervals; a rate when `metered`, else paid ahead."""

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
        """Microseconds in which a metered price uses up `amount`."""
        return LENGTHS[self.interval] * self.count


@dataclass(slots=True)
class Sub:
    """One subscription of a book. Instants are microseconds; None where the state has none."""

    id: Hashable
    terms: Terms
    quantity: int = 1
    periods: int = 1
    auto_renew: bool = True
    status: Status = Status.PENDING

    # Advance: period `number` counted from `anchor` is [start, end), cost `paid` and lasts `length` in full.
    anchor: int | None = None
    number: int = 0
    start: int | None = None
    end: int | None = None
    paid: int = 0
    length: int = 0
    # Paused advance: microseconds left of the period.
    left: int | None = None
    trial_end: int | None = None
    grace_end: int | None = None

    # Metered: charged up to here, with the fraction of a minor unit in [0, terms.length).
    billed_until: int | None = None
    remainder: int = 0

    cancel_requested: bool = False
    scheduled: Terms | None = None
    # A change to `scheduled` that is agreed and paid for: its first period runs from `end` to here, a metered one not.
    next_end: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    # Entries written so far: part of the next one's key.
    entry_count: int = 0
    # Set by whatever touches it, read by whoever writes it down.
    changed: bool = False

    @property
    def due(self) -> int:
        """What one payment of an advance price costs."""
        return self.terms.amount * self.quantity * self.periods

    @property
    def rate(self) -> int:
        """Minor units that a metered price uses up in `terms.length` microseconds."""
        return self.terms.amount * self.quantity

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_running(self) -> bool:
        """Whether it is used up by the meter now, at a price."""
        return self.billed_until is not None and self.status is Status.ACTIVE and self.rate > 0

    @property
    def boundary(self) -> int | None:
        """The instant at which something must be decided (R3), if any."""
        if self.status is Status.ACTIVE:
            return None if self.terms.metered else self.end
        if self.status is Status.TRIALING:
            return self.trial_end
        if self.status is Status.PAST_DUE:
            return self.grace_end
        return None
