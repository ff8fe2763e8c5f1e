"""A customer's subscriptions as pages show them: what they are now, and what money does or would do to them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ledger.money import Money
from subscriptions import books, holdings
from subscriptions.engine.calendar import to_datetime
from subscriptions.engine.subscription import FINAL, LIVE, Status, Sub
from subscriptions.engine.unused import unused
from subscriptions.holdings import Holding, Holdings
from subscriptions.models import Price, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One subscription at an instant."""

    holding: Holding
    # What its next payment costs; for a metered price, what one interval uses.
    due: Money
    # What the wallet lacks to start it.
    missing: Money
    # What giving it up this instant would bring back.
    unused: Money
    # In the wallet and not used up.
    available: Money
    # What is left of a period paid ahead, running or paused, in microseconds.
    left: int = 0
    # A change of plan is agreed and paid for, and comes at this instant, which is near.
    changes_at: datetime | None = None
    # It ends with its period: asked for. Also while it is paused, when that cannot be taken back.
    is_leaving: bool = False

    @property
    def row(self) -> Subscription:
        return self.holding.row

    @property
    def price(self) -> Price:
        return self.holding.price

    @property
    def status(self) -> Status:
        return self.holding.status

    @property
    def until(self) -> datetime | None:
        """The period's, trial's or grace's end, or when the wallet runs dry."""
        return self.holding.access.until

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_over(self) -> bool:
        return self.status in FINAL

    @property
    def is_paused(self) -> bool:
        return self.status is Status.PAUSED

    @property
    def coming(self) -> Price | None:
        """The plan it changes to when its period ends, unless it ends itself then."""
        goes_on = self.holding.auto_renew and not self.is_leaving
        return self.holding.scheduled if goes_on or self.changes_at else None

    @property
    def coming_due(self) -> Money | None:
        """What the first payment under that plan costs; its rate, where it is metered."""
        if self.coming is None:
            return None
        periods = 1 if self.coming.metered else self.row.periods
        return Money(books.due(self.coming, self.row.quantity, periods), self.coming.currency)

    @property
    def ends_by_itself(self) -> bool:
        """Whether a cancel may wait for an end that is known."""
        return self.status is Status.TRIALING or (self.status is Status.ACTIVE and not self.price.metered)


def cards(rows: Iterable[Subscription], looked: Holdings) -> list[Card]:
    """Show subscriptions of a customer whose books were looked at."""
    views = {view.currency: view for view in looked.views}
    return [_card(holding, views[holding.price.currency]) for holding in looked.show(rows)]


def one(row: Subscription, *, now: datetime) -> Card:
    """Show one subscription."""
    [card] = cards([row], holdings.of(row.customer, now=now))
    return card


def _card(holding: Holding, view: books.View) -> Card:
    row, price, sub = holding.row, holding.price, view.subs.get(holding.row.pk)
    at = view.book.at or 0
    coming = holding.next_charge.amount.amount if holding.next_charge else None
    due = price.amount * row.quantity * (1 if price.metered else row.periods)
    return Card(
        holding=holding,
        due=Money(due if coming is None else coming, price.currency),
        missing=Money(max(0, due - view.free) if due else 0, price.currency),
        unused=Money(unused(sub, at) if sub else 0, price.currency),
        available=Money(view.available, price.currency),
        left=_left(sub, at) if sub else 0,
        changes_at=to_datetime(sub.end) if sub and sub.next_end is not None and sub.end is not None else None,
        is_leaving=sub is not None and sub.cancel_requested,
    )


def _left(sub: Sub, at: int) -> int:
    if sub.status is Status.PAUSED:
        return sub.left or 0
    return sub.end - at if sub.status is Status.ACTIVE and not sub.terms.metered and sub.end is not None else 0
