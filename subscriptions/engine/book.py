"""The book (one wallet with its subscriptions), its journal of unsaved changes, and the functions that write to it.

Every change of a balance, a status or a charge goes through this module.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

from subscriptions.engine.subscription import Status, Sub, Terms

# The largest number that a PostgreSQL bigint holds.
MAX_BIGINT = 2**63 - 1
# Events that carry the terms, and events that carry the auto-renew setting.
EVENTS_WITH_TERMS = {"subscription.created", "subscription.plan_changed", "subscription.plan_change_scheduled"}
EVENTS_WITH_AUTO_RENEW = {"subscription.created", "subscription.auto_renew_changed"}


@dataclass(slots=True)
class Movement:
    """One movement of the wallet: `amount` is signed, `balance` is the balance after it."""

    at: int
    amount: int
    balance: int
    reason: str
    # The subscription and the movement's number within it. None and 0 when money comes in or goes out.
    sub: Sub | None = None
    number: int = 0
    # Money in and out: the key of its cause, and the account on the other side.
    key: str = ""
    counter: str = "revenue"
    description: str = ""
    # The staff user who made it by hand.
    author: int | None = None


@dataclass(slots=True)
class Charge:
    """The span [start, end) of a subscription, paid ahead or used under `terms`. A free one has no movement."""

    sub: Sub
    terms: Terms
    start: int
    end: int
    amount: int
    movement: Movement | None
    # Metered: the fraction carried in and out, in [0, terms.length).
    remainder_before: int | None = None
    remainder_after: int | None = None
    # Set when the use ended before `end`, with the refund for the rest if there was one.
    ended_at: int | None = None
    refund: Movement | None = None


@dataclass(slots=True)
class Cut:
    """A change of a saved charge, identified by its start: its use ends early. None leaves `ended_at` unchanged."""

    sub: Sub
    start: int
    ended_at: int | None
    refund: Movement | None


@dataclass(slots=True)
class Event:
    """An event of a subscription, with its status before and after."""

    at: int
    type: str
    sub: Sub
    before: Status
    after: Status
    # The new terms and the new auto-renew setting, for the events that are about them.
    terms: Terms | None = None
    auto_renew: bool | None = None


@dataclass(slots=True)
class Journal:
    """Everything that must be saved, in the order in which it happened."""

    movements: list[Movement] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    # The trials that started: (plan, instant).
    trials: list[tuple[Hashable, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why money comes in or goes out: a key that prevents a second posting, and the account on the other side."""

    key: str = ""
    counter: str = ""
    description: str = ""
    author: int | None = None


@dataclass(slots=True)
class Book:
    """One wallet and its subscriptions, oldest first."""

    balance: int = 0
    subs: list[Sub] = field(default_factory=list)
    # Plans that the customer has already tried for free.
    tried: set[Hashable] = field(default_factory=set)
    # The fraction of a minor unit left by metered uses that ended, in parts (see metering.PARTS).
    leftover: int = 0
    # The instant up to which the book is settled.
    at: int | None = None
    # The changes that are not saved yet.
    journal: Journal = field(default_factory=Journal)


def set_status(book: Book, sub: Sub, at: int, status: Status, event: str) -> None:
    """Set the subscription's status and record the event."""
    terms = sub.scheduled or sub.terms if event in EVENTS_WITH_TERMS else None
    auto_renew = sub.auto_renew if event in EVENTS_WITH_AUTO_RENEW else None
    book.journal.events.append(Event(at, event, sub, sub.status, status, terms, auto_renew))
    sub.status = status
    sub.changed = True


def record_event(book: Book, sub: Sub, at: int, event: str) -> None:
    """Record an event that does not change the status."""
    set_status(book, sub, at, sub.status, event)


def record_movement(book: Book, at: int, amount: int, reason: str, sub: Sub | None = None) -> Movement:
    """Change the balance by `amount`, record the movement and return it."""
    book.balance += amount
    movement = Movement(at, amount, book.balance, reason, sub, sub.entry_count if sub else 0)
    if sub:
        sub.entry_count += 1
        sub.changed = True
    book.journal.movements.append(movement)
    return movement


def record_outside_movement(book: Book, at: int, amount: int, reason: str, cause: Cause) -> None:
    """Record money that comes into the wallet or leaves it, with its cause."""
    movement = record_movement(book, at, amount, reason)
    movement.key, movement.counter, movement.description = cause.key, cause.counter, cause.description
    movement.author = cause.author


def charge(book: Book, sub: Sub, at: int, start: int, end: int, amount: int, terms: Terms | None = None) -> Charge:
    """Charge `amount` at `at` for the span [start, end) under `terms`, by default the subscription's own."""
    movement = record_movement(book, at, -amount, "charge", sub) if amount else None
    row = Charge(sub, terms or sub.terms, start, end, amount, movement)
    book.journal.charges.append(row)
    return row


def charge_leftover(book: Book, sub: Sub, at: int, whole: int, *, rest: int) -> None:
    """Charge the `whole` minor units that carried fractions add up to, with `rest` still carried on.

    The charges have an empty span. There may be several: remainder_before is amount x length, which must fit a bigint.
    """
    length = sub.terms.length
    while whole:
        amount = min(whole, MAX_BIGINT // length - 1)
        row = charge(book, sub, at, at, at, amount)
        row.remainder_before, row.remainder_after = amount * length + rest, rest
        row.ended_at = at
        whole -= amount


def cut(book: Book, sub: Sub, ended_at: int | None, refund: Movement | None = None) -> None:
    """End the subscription's current charge early, whether that charge is still in the journal or already saved."""
    assert sub.start is not None
    for row in reversed(book.journal.charges):
        if row.sub is sub and row.start == sub.start:
            row.ended_at = row.ended_at if ended_at is None else ended_at
            row.refund = refund or row.refund
            return
    for earlier in book.journal.cuts:
        if earlier.sub is sub and earlier.start == sub.start:
            earlier.ended_at = earlier.ended_at if ended_at is None else ended_at
            earlier.refund = refund or earlier.refund
            return
    book.journal.cuts.append(Cut(sub, sub.start, ended_at, refund))
