"""The book (one wallet with its subscriptions), its journal of unsaved changes, and the functions that write to it.

Every change of a balance, a status or a charge goes through this module.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from subscriptions.engine.subscription import Status, Sub, Terms

# Events that carry the terms, the quantity, and the auto-renew setting.
EVENTS_WITH_TERMS = {"subscription.created", "subscription.plan_changed", "subscription.plan_change_scheduled"}
EVENTS_WITH_QUANTITY = {
    "subscription.created", "subscription.quantity_changed", "subscription.quantity_change_scheduled",
}  # fmt: skip
EVENTS_WITH_AUTO_RENEW = {"subscription.created", "subscription.auto_renew_changed"}
# The event that carries the new end.
EXTENDED = "subscription.extended"


@dataclass(slots=True)
class Movement:
    """One movement of the wallet, or of the debt if `on_debt`: `amount` is signed, `balance` is the one after it."""

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
    # Of the debt account: the part that the wallet could not pay.
    on_debt: bool = False
    # The movement that this one stands or falls with: the debt is paid out of the money that came.
    along_with: "Movement | None" = None
    # The id of its transaction, set by the code that saves it.
    transaction_id: int | None = None


@dataclass(slots=True)
class Charge:
    """The span [start, end) of a subscription, paid ahead or used under `terms`. A free one has no movement."""

    sub: Sub
    terms: Terms
    start: int
    end: int
    amount: int
    movement: Movement | None
    quantity: int
    # Advance: the microseconds of the whole period of which this is a part, or all.
    full_length: int | None = None
    # Days of grace: the part that became a debt.
    owed: Movement | None = None
    # Metered: what was left of the last unit paid before and after, in parts 1 / terms.length of a minor unit.
    credit_before: int | None = None
    credit_after: int | None = None
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
    # The new terms, quantity and auto-renew setting, for the events that are about them.
    terms: Terms | None = None
    quantity: int | None = None
    auto_renew: bool | None = None
    # When what was extended ends now.
    until: int | None = None


@dataclass(slots=True)
class Journal:
    """Everything that must be saved, in the order in which it happened."""

    movements: list[Movement] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    # The trials that started: (plan, instant).
    trials: list[tuple[Hashable, int]] = field(default_factory=list)
    # By place of the subscription: its newest charge here, or the change of one saved before.
    newest: dict[int, Charge | Cut] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why money comes in or goes out: a key that prevents a second posting, and the account on the other side."""

    key: str = ""
    counter: str = ""
    description: str = ""
    author: int | None = None


@dataclass(slots=True)
class Book:
    """One wallet, its debt and its subscriptions, oldest first. Wallet and debt are never both above zero."""

    balance: int = 0
    subs: list[Sub] = field(default_factory=list)
    # Plans that the customer has already tried for free.
    tried: set[Hashable] = field(default_factory=set)
    # The instant up to which the book is settled.
    at: int | None = None
    debt: int = 0
    # Days that a subscription which has never started waits for money.
    order_days: int = 14
    # Staff have closed the account: nothing is used or renewed.
    is_blocked: bool = False
    # The changes that are not saved yet.
    journal: Journal = field(default_factory=Journal)
    # The running meters by place, and the boundaries to come as (instant, place); an outdated one is skipped.
    meters: dict[int, Sub] = field(default_factory=dict)
    boundaries: list[tuple[int, int]] = field(default_factory=list)
    # (instant, units): what the running meters use up to there; None: not known.
    use: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for place, sub in enumerate(self.subs):
            sub.place = place
            self.track(sub)

    def add(self, sub: Sub) -> None:
        """Add the newest subscription."""
        sub.place = len(self.subs)
        self.subs.append(sub)

    def track(self, sub: Sub) -> None:
        """Note whether the subscription's meter runs and when its next boundary is, after a change of either."""
        if sub.is_metering:
            self.meters[sub.place] = sub
        elif self.meters and sub.place in self.meters:
            del self.meters[sub.place]
            self.use = None
        boundary = sub.boundary
        if boundary is not None:
            heappush(self.boundaries, (boundary, sub.place))

    @property
    def wakes_at(self) -> int | None:
        """The next instant at which settling does anything: at once while any meter runs; None: never."""
        if self.meters:
            return self.at
        coming = self.next_boundary()
        return coming[0] if coming else None

    def next_boundary(self) -> tuple[int, Sub] | None:
        """Return the earliest boundary and its subscription, the oldest if several share it; None if there is none."""
        while self.boundaries:
            at, place = self.boundaries[0]
            sub = self.subs[place]
            if sub.boundary == at:
                return at, sub
            heappop(self.boundaries)
        return None


def set_status(book: Book, sub: Sub, at: int, status: Status, event: str) -> None:
    """Set the subscription's status and record the event."""
    terms = quantity = auto_renew = None
    if event in EVENTS_WITH_TERMS:
        terms = sub.scheduled or sub.terms
    if event in EVENTS_WITH_QUANTITY:
        quantity = sub.scheduled_quantity or sub.quantity
    if event in EVENTS_WITH_AUTO_RENEW:
        auto_renew = sub.auto_renew
    until = sub.boundary if event == EXTENDED else None
    book.journal.events.append(Event(at, event, sub, sub.status, status, terms, quantity, auto_renew, until))
    sub.status = status
    sub.changed = True
    book.track(sub)


def record_event(book: Book, sub: Sub, at: int, event: str) -> None:
    """Record an event that does not change the status."""
    set_status(book, sub, at, sub.status, event)


def record_movement(book: Book, at: int, amount: int, reason: str, sub: Sub | None = None) -> Movement:
    """Change the balance by `amount`, record the movement and return it."""
    book.balance += amount
    return _record(book, Movement(at, amount, book.balance, reason, sub))


def record_debt(book: Book, at: int, amount: int, reason: str, sub: Sub | None = None) -> Movement:
    """Add `amount` to the debt, record the movement and return it. One below zero lowers the debt."""
    book.debt += amount
    return _record(book, Movement(at, amount, book.debt, reason, sub, on_debt=True))


def _record(book: Book, movement: Movement) -> Movement:
    if sub := movement.sub:
        movement.number = sub.entry_count
        sub.entry_count += 1
        sub.changed = True
    book.journal.movements.append(movement)
    return movement


def receive(book: Book, money: Movement) -> None:
    """Pay the debt out of money that has just come in."""
    paid = min(book.debt, money.amount)
    if paid:
        book.debt -= paid
        payment = record_movement(book, money.at, -paid, "debt_payment")
        payment.counter, payment.along_with = "debt", money


def caused(movement: Movement, cause: Cause) -> Movement:
    """Set where the money comes from or goes to, and why."""
    movement.key, movement.counter, movement.description = cause.key, cause.counter, cause.description
    movement.author = cause.author
    return movement


def charge(book: Book, sub: Sub, at: int, start: int, end: int, amount: int) -> Charge:
    """Charge `amount` at `at` for the span [start, end)."""
    movement = record_movement(book, at, -amount, "charge", sub) if amount else None
    full_length = None if sub.terms.metered else sub.length
    row = Charge(sub, sub.terms, start, end, amount, movement, sub.quantity, full_length)
    book.journal.charges.append(row)
    book.journal.newest[sub.place] = row
    return row


def cut(book: Book, sub: Sub, ended_at: int | None, refund: Movement | None = None) -> None:
    """End the subscription's current charge early, whether that charge is still in the journal or already saved."""
    assert sub.charge_start is not None
    row = book.journal.newest.get(sub.place)
    if row is not None and row.start == sub.charge_start:
        row.ended_at = row.ended_at if ended_at is None else ended_at
        row.refund = refund or row.refund
        return
    row = Cut(sub, sub.charge_start, ended_at, refund)
    book.journal.cuts.append(row)
    book.journal.newest[sub.place] = row
