"""What an operation yields: entries for the ledger, charges, cuts of earlier charges, events."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from subscriptions.engine.subscription import Status, Sub, Terms


@dataclass(slots=True)
class Entry:
    """One movement of the wallet at an instant: `amount` signed, `balance` after it."""

    at: int
    amount: int
    balance: int
    reason: str
    # The subscription and its how-manieth entry; none for money that comes in or goes out.
    sub: Sub | None = None
    number: int = 0
    # Money in and out: the cause's key, and the account on the other side.
    key: str = ""
    counter: str = "revenue"
    description: str = ""
    # The member of staff who did it by hand.
    author: int | None = None


@dataclass(slots=True)
class Charge:
    """[start, end) of a subscription, paid or used, under these terms. Its entry is None when it cost nothing."""

    sub: Sub
    terms: Terms
    start: int
    end: int
    amount: int
    entry: Entry | None
    remainder_before: int | None = None
    remainder_after: int | None = None
    # The use ended before the span did, and what came back for the rest.
    ended_at: int | None = None
    refund: Entry | None = None


@dataclass(slots=True)
class Cut:
    """An earlier charge, known by its start, whose use ends early; `ended_at` None leaves that as it is."""

    sub: Sub
    start: int
    ended_at: int | None
    refund: Entry | None


@dataclass(slots=True)
class Event:
    """Something happened to a subscription; `before` and `after` are its statuses."""

    at: int
    type: str
    sub: Sub
    before: Status
    after: Status
    # What is chosen now, where the event is about that: under which terms, whether it renews.
    terms: Terms | None = None
    auto_renew: bool | None = None


@dataclass(slots=True)
class Journal:
    """Everything to be written, in the order in which it happened."""

    entries: list[Entry] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    # The plans of trials begun, and when.
    trials: list[tuple[Hashable, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why money comes in or goes out: the key that makes it happen once, and the account on the other side."""

    key: str = ""
    counter: str = ""
    description: str = ""
    author: int | None = None
