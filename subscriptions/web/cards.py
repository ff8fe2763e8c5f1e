"""A customer's subscriptions as pages show them: state and amounts. `actions` has what can be done with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.money import Money
from subscriptions import catalogue, dues, forecast, overview
from subscriptions.dues import Dues
from subscriptions.models import Price, Subscription
from subscriptions.models.subscription import FINAL, LIVE
from subscriptions.overview import CustomerOverview, SubscriptionState

Status = Subscription.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One subscription at an instant."""

    state: SubscriptionState
    # The cost of its next payment; for a metered price, of one interval of use.
    due: Money
    # What it is asked to pay (subscriptions.dues); zero if it waits for no money.
    missing: Money
    # Whether it waits, and starts from the balance when the customer asks for it.
    can_start: bool
    # What the customer owes. It is paid first by whatever money comes.
    debt: Money
    # The wallet's balance less what is used or due now but not posted yet.
    available: Money
    # When the balance first cannot pay for it if no money comes in (subscriptions.forecast); None if it always can.
    unpaid_at: datetime | None

    @property
    def row(self) -> Subscription:
        return self.state.row

    @property
    def price(self) -> Price:
        return self.state.price

    @property
    def quantity(self) -> int:
        return self.state.quantity

    @property
    def status(self) -> Subscription.Status:
        return self.state.status

    @property
    def until(self) -> datetime | None:
        """The end of the period, the trial or the grace time, or for metered use when the wallet is empty."""
        return self.state.access.until

    @property
    def unused(self) -> Money:
        """What its unused time is worth. A change of plan refunds it."""
        return Money(self.state.unused, self.price.currency)

    @property
    def refund(self) -> Money:
        """The refund for unused time if it were cancelled now. Not every plan gives one."""
        return Money(self.state.unused if self.price.can_refund_unused else 0, self.price.currency)

    @property
    def grace_cost(self) -> Money:
        """What the days since an unpaid period ended cost so far."""
        return Money(self.state.grace_cost, self.price.currency)

    @property
    def left(self) -> timedelta:
        """The time left of a period paid in advance."""
        return self.state.left

    @property
    def is_leaving(self) -> bool:
        """Whether it ends with its current period."""
        return self.state.is_leaving

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
    def ends_on(self) -> datetime | None:
        """When a running subscription that will not be renewed ends; None if it goes on or is not running."""
        return self.state.ends_on

    @property
    def coming(self) -> Price | None:
        """The price of the plan it changes to at the end of the period; None if it has no such change or ends then."""
        return self.state.scheduled if self._continues else None

    @property
    def coming_quantity(self) -> int | None:
        """The quantity from the end of the period on; None if it stays or the subscription ends then."""
        return self.state.scheduled_quantity if self._continues else None

    @property
    def _continues(self) -> bool:
        return self.state.auto_renew and not self.is_leaving

    @property
    def coming_due(self) -> Money | None:
        """The cost of the first payment under the coming plan, or its rate if it is metered."""
        if self.coming is None:
            return None
        periods = 1 if self.coming.metered else self.row.periods
        return Money(catalogue.cost(self.coming, self.coming_quantity or self.quantity, periods), self.coming.currency)

    @property
    def is_short(self) -> bool:
        """Whether the balance will be too low for what is due at the end of the period or trial."""
        return self.ends_by_itself and self.unpaid_at is not None and self.unpaid_at == self.until

    @property
    def is_short_later(self) -> bool:
        """Whether it will be too low only because other payments are due before."""
        least = min(1, self._next_cost.amount) if self.continues_metered else self._next_cost.amount
        return self.is_short and least <= self.available.amount

    @property
    def continues_metered(self) -> bool:
        """Whether what follows the period or trial is charged by use."""
        return (self.coming or self.price).metered

    @property
    def _next_cost(self) -> Money:
        return self.coming_due or self.due

    @property
    def runs_dry_at(self) -> datetime | None:
        """When metered use stops because the balance is empty; None if no such time is known."""
        return self.unpaid_at if self.price.metered and self.status is Status.ACTIVE else None

    @property
    def is_paid_ahead(self) -> bool:
        """Whether a period that was paid in advance is running."""
        return self.status is Status.ACTIVE and not self.price.metered

    @property
    def ends_by_itself(self) -> bool:
        """Whether a cancellation can wait for a known end: that of the trial or of the paid period."""
        return self.status is Status.TRIALING or self.is_paid_ahead


def cards(rows: Iterable[Subscription], held: CustomerOverview) -> list[Card]:
    """Return the cards of a customer's subscriptions."""
    views = {view.currency: view for view in held.views}
    states = held.states(rows)
    asked = {pk: due for view in held.views for pk, due in dues.of(view, [state.row for state in states]).items()}
    shown = {state.price.currency for state in states}
    unpaid = {pk: at for view in held.views if view.currency in shown for pk, at in forecast.first_unpaid(view).items()}
    return [
        _card(state, views[state.price.currency], asked.get(state.row.pk), unpaid.get(state.row.pk)) for state in states
    ]


def one(row: Subscription, *, now: datetime) -> Card:
    """Return the card of one subscription."""
    [card] = cards([row], overview.of(row.customer, now=now))
    return card


def _card(state: SubscriptionState, view: overview.View, asked: Dues | None, unpaid_at: datetime | None) -> Card:
    row, price = state.row, state.price
    due = price.amount * state.quantity * (1 if price.metered else row.periods)
    return Card(
        state=state,
        due=state.next_charge.amount if state.next_charge else Money(due, price.currency),
        missing=Money(asked.amount if asked else 0, price.currency),
        can_start=asked is not None and asked.can_start,
        debt=Money(view.debt, price.currency),
        available=Money(view.available, price.currency),
        unpaid_at=unpaid_at,
    )
