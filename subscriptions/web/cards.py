"""A customer's subscriptions as pages show them: what they are now, and what money does or would do to them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ledger.money import Money
from subscriptions import books, holdings
from subscriptions.engine.calendar import DAY
from subscriptions.engine.requests import unused
from subscriptions.engine.subscription import FINAL, LIVE, Status
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
    # What is left of a paused period, in whole days.
    days_left: int = 0

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
    coming = holding.next_charge.amount.amount if holding.next_charge else None
    due = price.amount * row.quantity * (1 if price.metered else row.periods)
    return Card(
        holding=holding,
        due=Money(due if coming is None else coming, price.currency),
        missing=Money(max(0, due - view.available), price.currency),
        unused=Money(unused(sub, view.book.at or 0) if sub else 0, price.currency),
        days_left=(sub.left or 0) // DAY if sub else 0,
    )
