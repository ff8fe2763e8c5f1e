"""What the engine works on: one wallet with its subscriptions, and what they yield."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from subscriptions.engine.journal import Journal
from subscriptions.engine.subscription import Sub


@dataclass(slots=True)
class Book:
    """One wallet and the subscriptions that draw on it, oldest first."""

    balance: int = 0
    subs: list[Sub] = field(default_factory=list)
    # Plans of which the customer has had a trial.
    tried: set[Hashable] = field(default_factory=set)
    # The fraction of a minor unit that ended metered uses left, in parts (leftover.py).
    leftover: int = 0
    # Settled up to here.
    at: int | None = None
    # What must be written down.
    journal: Journal = field(default_factory=Journal)
