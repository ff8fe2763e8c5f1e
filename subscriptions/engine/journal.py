"""What an operation yields: entries for the ledger, charges, cuts of earlier charges, events."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subscriptions.engine.book import Book, Status, Sub, Terms


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


@dataclass(slots=True)
class Journal:
    """Everything to be written, in the order in which it happened."""

    entries: list[Entry] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    # The plans of trials begun, and when.
    trials: list[tuple[Hashable, int]] = field(default_factory=list)


def move(book: Book, sub: Sub, at: int, status: Status, event: str) -> None:
    """Give the subscription a status and tell why."""
    book.journal.events.append(Event(at, event, sub, sub.status, status))
    sub.status = status
    sub.changed = True


def tell(book: Book, sub: Sub, at: int, event: str) -> None:
    """Note an event that leaves the status as it is."""
    move(book, sub, at, sub.status, event)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why money comes in or goes out: the key that makes it happen once, and the account on the other side."""

    key: str = ""
    counter: str = ""
    description: str = ""
    author: int | None = None


def enter_from_outside(book: Book, at: int, amount: int, reason: str, cause: Cause) -> None:
    """Move the wallet for a cause outside the book."""
    entry = enter(book, at, amount, reason)
    entry.key, entry.counter, entry.description = cause.key, cause.counter, cause.description
    entry.author = cause.author


def enter(book: Book, at: int, amount: int, reason: str, sub: Sub | None = None) -> Entry:
    """Move the wallet by `amount` at `at` and return the entry."""
    book.balance += amount
    entry = Entry(at, amount, book.balance, reason, sub, sub.entry_count if sub else 0)
    if sub:
        sub.entry_count += 1
        sub.changed = True
    book.journal.entries.append(entry)
    return entry


def charge(book: Book, sub: Sub, at: int, start: int, end: int, amount: int) -> Charge:
    """Take `amount` from the wallet at `at` for [start, end) and return the charge."""
    entry = enter(book, at, -amount, "charge", sub) if amount else None
    row = Charge(sub, sub.terms, start, end, amount, entry)
    book.journal.charges.append(row)
    return row


def cut(book: Book, sub: Sub, ended_at: int | None, refund: Entry | None = None) -> None:
    """End the use of the subscription's current charge early, wherever that charge is written."""
    assert sub.start is not None
    for row in reversed(book.journal.charges):
        if row.sub is sub and row.start == sub.start:
            row.ended_at = row.ended_at if ended_at is None else ended_at
            row.refund = refund or row.refund
            return
    book.journal.cuts.append(Cut(sub, sub.start, ended_at, refund))
