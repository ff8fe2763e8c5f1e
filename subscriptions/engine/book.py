"""What an operation yields: entries for the ledger, charges, cuts of earlier charges, events."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from subscriptions.engine.subscription import Status, Sub, Terms


@dataclass(slots=True)
class Movement:
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
    entry: Movement | None
    remainder_before: int | None = None
    remainder_after: int | None = None
    # The use ended before the span did, and what came back for the rest.
    ended_at: int | None = None
    refund: Movement | None = None


@dataclass(slots=True)
class Cut:
    """An earlier charge, known by its start, whose use ends early; `ended_at` None leaves that as it is."""

    sub: Sub
    start: int
    ended_at: int | None
    refund: Movement | None


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

    entries: list[Movement] = field(default_factory=list)
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


# The largest number of 64 bits.
MOST = 2**63 - 1
ABOUT_TERMS = {"subscription.created", "subscription.plan_changed", "subscription.plan_change_scheduled"}
ABOUT_RENEWAL = {"subscription.created", "subscription.auto_renew_changed"}


def move(book: Book, sub: Sub, at: int, status: Status, event: str) -> None:
    """Give the subscription a status and tell why."""
    terms = sub.scheduled or sub.terms if event in ABOUT_TERMS else None
    auto_renew = sub.auto_renew if event in ABOUT_RENEWAL else None
    book.journal.events.append(Event(at, event, sub, sub.status, status, terms, auto_renew))
    sub.status = status
    sub.changed = True


def tell(book: Book, sub: Sub, at: int, event: str) -> None:
    """Note an event that leaves the status as it is."""
    move(book, sub, at, sub.status, event)


def enter_from_outside(book: Book, at: int, amount: int, reason: str, cause: Cause) -> None:
    """Move the wallet for a cause outside the book."""
    entry = enter(book, at, amount, reason)
    entry.key, entry.counter, entry.description = cause.key, cause.counter, cause.description
    entry.author = cause.author


def enter(book: Book, at: int, amount: int, reason: str, sub: Sub | None = None) -> Movement:
    """Move the wallet by `amount` at `at` and return the entry."""
    book.balance += amount
    entry = Movement(at, amount, book.balance, reason, sub, sub.entry_count if sub else 0)
    if sub:
        sub.entry_count += 1
        sub.changed = True
    book.journal.entries.append(entry)
    return entry


def charge(book: Book, sub: Sub, at: int, start: int, end: int, amount: int, terms: Terms | None = None) -> Charge:
    """Take `amount` from the wallet at `at` for [start, end), under other terms than the subscription's if given."""
    entry = enter(book, at, -amount, "charge", sub) if amount else None
    row = Charge(sub, terms or sub.terms, start, end, amount, entry)
    book.journal.charges.append(row)
    return row


def charge_leftover(book: Book, sub: Sub, at: int, whole: int, *, rest: int) -> None:
    """Take whole minor units that fractions have come to, and say what is carried on beside them: charges of no span.

    As many as it takes: what is brought over is written down in parts of the rate's length, in 64 bits.
    """
    length = sub.terms.length
    while whole:
        amount = min(whole, MOST // length - 1)
        row = charge(book, sub, at, at, at, amount)
        row.remainder_before, row.remainder_after = amount * length + rest, rest
        row.ended_at = at
        whole -= amount


def cut(book: Book, sub: Sub, ended_at: int | None, refund: Movement | None = None) -> None:
    """End the use of the subscription's current charge early, wherever that charge is written."""
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
