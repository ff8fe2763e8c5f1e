"""A customer's subscriptions as pages show them: settled to this instant by arithmetic, whatever the workers did."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from ledger.money import Money
from subscriptions import books
from subscriptions.engine.book import FINAL, LIVE, WAITING
from subscriptions.engine.calendar import DAY
from subscriptions.engine.requests import unused
from subscriptions.models import Price, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One subscription at an instant. `row` names it; its state is here."""

    row: Subscription
    status: Subscription.Status
    price: Price
    # What its next payment costs; for a metered price, what one interval uses.
    due: Money
    # What the wallet lacks to start it.
    missing: Money
    # Until when there is access for certain: the period's, trial's or grace's end, or when the wallet runs dry.
    until: datetime | None = None
    cancel_requested: bool = False
    auto_renew: bool = True
    # What giving it up this instant would bring back, and what is left of a paused period in whole days.
    unused: Money
    days_left: int = 0

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_waiting(self) -> bool:
        return self.status in WAITING

    @property
    def is_over(self) -> bool:
        return self.status in FINAL

    @property
    def ends_by_itself(self) -> bool:
        """Whether a cancel may wait for an end that is known."""
        return self.status == "trialing" or (self.status == "active" and not self.price.metered)


def card(row: Subscription, view: books.View) -> Card:
    """Show one subscription of a book that was looked at."""
    sub = view.subs.get(row.pk)
    # A plan change that has happened by the clock but not yet in the rows: the engine's terms are the truth.
    price = row.scheduled_price if sub and sub.terms.id != row.price_id and row.scheduled_price else row.price
    due = price.amount * row.quantity * (1 if price.metered else row.periods)
    return Card(
        row=row,
        status=Subscription.Status(view.status_of(row)),
        price=price,
        due=Money(due, price.currency),
        missing=Money(max(0, due - view.available), price.currency),
        until=view.access_to(row).until,
        cancel_requested=bool(sub and sub.cancel_requested),
        auto_renew=row.auto_renew,
        unused=Money(unused(sub, view.book.at or 0) if sub else 0, price.currency),
        days_left=(sub.left or 0) // DAY if sub else 0,
    )


def cards(rows: Iterable[Subscription], views: dict[str, books.View]) -> list[Card]:
    """Show subscriptions, each by the view of its own book."""
    return [card(row, views[row.price.currency]) for row in rows]


def looked_at(customer: User, currencies: Iterable[str], now: datetime) -> dict[str, books.View]:
    """Look at the customer's books in these currencies."""
    return {currency: books.peek(customer, currency, now=now) for currency in currencies}
