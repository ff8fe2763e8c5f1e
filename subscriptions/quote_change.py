"""The change that a quote is about, played on a copy of the book, and what is missing on the balance for it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from core.idempotency import fingerprint
from subscriptions import confirmed_addresses, dues, overview
from subscriptions.engine import changes, funds, shortage
from subscriptions.engine.access import settled
from subscriptions.engine.book import Book, Journal
from subscriptions.engine.calendar import SECOND, to_micros
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.subscription import FINAL, Sub, Terms
from subscriptions.models import Price, Subscription
from subscriptions.overview import next_charge
from subscriptions.quote_lines import key_of, rest_of, stored_lines
from subscriptions.refusals import check_limits, refused
from subscriptions.storage import read

# How long the money that is missing for a change is enough for it.
TIME_TO_PAY = 3600 * SECOND
# How often a missing amount is raised because playing it shows that it is not enough.
MOST_TRIES = 10


class Change(NamedTuple):
    """What a quote is about: other terms, or another quantity if that is set."""

    terms: Terms
    quantity: int | None
    when: str

    def apply(self, book: Book, at: int, sub: Sub) -> Refusal | None:
        """Make the change on a book of the engine."""
        if self.quantity is None:
            return changes.change_plan(book, at, sub, self.terms, when=self.when)
        return changes.change_quantity(book, at, sub, self.quantity, when=self.when)


class Played(NamedTuple):
    """A change played on a copy of the book: the balance before, its movements, and the subscription afterwards."""

    balance: int
    lines: list[dict[str, Any]]
    sub: Sub
    # Fingerprint of the statuses of the other subscriptions afterwards: a meter that starts has no line.
    others: str
    # The other meters that it starts.
    started: tuple[Sub, ...] = ()

    @property
    def shape(self) -> tuple[Any, ...]:
        """What must be the same at acceptance, whenever that is."""
        return [key_of(line) for line in self.lines], self.sub.status, next_charge(self.sub)[1], self.others


def play(book: Book, at: int, key: object, change: Change) -> Played | Refusal:
    """Play the change at `at` on a copy of the book."""
    twin = settled(book, at)
    twin.journal = Journal()
    sub = next(one for one in twin.subs if one.id == key)
    balance, rest, running = twin.balance, rest_of(sub, at, change.quantity), set(twin.meters)
    refusal = change.apply(twin, at, sub)
    if refusal is not None:
        return refusal
    lines = stored_lines(twin.journal.movements, twin.journal, rest)
    started = tuple(meter for place, meter in twin.meters.items() if place not in running and meter is not sub)
    return Played(balance, lines, sub, fingerprint_of_others(twin, sub), started)


def fingerprint_of_others(book: Book, sub: Sub) -> str:
    """Return a fingerprint of the statuses of the book's other subscriptions, without ended ones."""
    others = [(one.id, one.status) for one in book.subs if one is not sub and one.status not in FINAL]
    return fingerprint(others=others)


def check_change(price: Price, sub: Sub, quantity: int | None, at: int) -> None:
    """Raise Refused if the change is beyond the limits of what can be ordered."""
    if quantity is not None or price.plan_id != sub.terms.plan:
        number = max(sub.quantity, sub.scheduled_quantity or 0) if quantity is None else quantity
        check_limits(price, number, sub.periods, at=at)


def check_address(subscription: Subscription, price: Price, sub: Sub) -> None:
    """Raise AddressNotConfirmed if the customer must confirm the address before changing to this plan."""
    if price.plan_id != sub.terms.plan:
        confirmed_addresses.check(subscription.customer, price.plan)


def sub_of(book: Book, subscription: Subscription) -> Sub:
    """Return the subscription in the book; raise Refused if it has ended."""
    sub = next((one for one in book.subs if one.id == subscription.pk), None)
    if sub is None or sub.status in FINAL:
        raise refused(Refusal.FINAL)
    return sub


def copy_at(subscription: Subscription, now: datetime) -> tuple[Book, Sub]:
    """Return a copy of the subscription's book, settled to `now`, and the subscription in it."""
    [item] = read.look([subscription.wallet_id])
    view = overview.view(item.currency, item.book, now)
    assert view.at >= to_micros(now)
    return view.book, sub_of(view.book, subscription)


def missing(book: Book, sub: Sub, change: Change, currency: str) -> int:
    """Return a payment that is enough for the change, whatever it revives first, if it comes within the time to pay.

    Payments that fall due meanwhile show only when it is played.
    """
    return _enough(book, sub, change, currency, TIME_TO_PAY)


def to_pay(book: Book, sub: Sub, change: Change, currency: str, *, time_to_pay: int) -> int:
    """Return such a payment that gateways take in this currency. What it is more than missing may revive more."""
    return _enough(book, sub, change, currency, time_to_pay, raised=partial(dues.payable, currency=currency))


def _enough(
    book: Book, sub: Sub, change: Change, currency: str, time_to_pay: int,
    raised: Callable[[int], int] = lambda amount: amount,
) -> int:  # fmt: skip
    """Return what is lacking, raised until the change lacks nothing after it, whenever it comes in the time to pay."""
    assert book.at is not None
    amount = _lacking(book, sub, change, currency, time_to_pay)
    instants = _instants(book, sub, book.at, time_to_pay)
    for _turn in range(MOST_TRIES):
        amount = raised(amount)
        more = max(_lacking_after(book, sub.id, change, currency, amount, at) for at in instants)
        if more <= 0:
            break
        amount += more
    return amount


def _instants(book: Book, sub: Sub, start: int, time_to_pay: int) -> list[int]:
    """Return the instants within the time to pay at which a payment may be enough before and not enough after."""
    end = start + time_to_pay
    if sub.boundary is not None:
        end = max(start, min(end, sub.boundary - 1))
    between = {at for at, _ in book.boundaries if start < at < end}
    return [start, *sorted(between)[:MOST_TRIES], end]


def _lacking(book: Book, sub: Sub, change: Change, currency: str, time_to_pay: int) -> int:
    quantity = sub.quantity if change.quantity is None else change.quantity
    bare = shortage.for_change(book, sub, change.terms, quantity, time_to_pay)
    raised = partial(dues.payable, currency=currency)
    return shortage.with_revived(book, bare, but=sub, time_to_pay=time_to_pay, raised=raised)


def _lacking_after(book: Book, key: object, change: Change, currency: str, amount: int, at: int) -> int:
    """Return what the change still lacks after a payment of `amount` at `at`."""
    twin = settled(book, at)
    sub = next(one for one in twin.subs if one.id == key)
    funds.top_up(twin, at, amount)
    if change.apply(twin, at, sub) is not Refusal.INSUFFICIENT_FUNDS:
        return 0
    return max(1, _lacking(twin, sub, change, currency, 0))
