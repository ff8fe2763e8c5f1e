"""A customer's subscriptions as pages show them: what they are now, what money would do, and what may be done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ledger.money import Money
from subscriptions import catalogue, overview
from subscriptions.models import Price, Subscription
from subscriptions.models.subscription import FINAL, LIVE
from subscriptions.overview import CustomerOverview, SubscriptionState

Status = Subscription.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One subscription at an instant."""

    state: SubscriptionState
    # What its next payment costs; for a metered price, what one interval uses.
    due: Money
    # What the wallet lacks to start it.
    missing: Money
    # In the wallet and not used up.
    available: Money

    @property
    def row(self) -> Subscription:
        return self.state.row

    @property
    def price(self) -> Price:
        return self.state.price

    @property
    def status(self) -> Subscription.Status:
        return self.state.status

    @property
    def until(self) -> datetime | None:
        """The period's, trial's or grace's end, or when the wallet runs dry."""
        return self.state.access.until

    @property
    def unused(self) -> Money:
        """What giving it up this instant would bring back."""
        return Money(self.state.unused, self.price.currency)

    @property
    def left(self) -> timedelta:
        """What is left of a period paid in advance."""
        return self.state.left

    @property
    def changes_at(self) -> datetime | None:
        """The near instant at which an agreed change of plan comes."""
        return self.state.changes_at

    @property
    def is_leaving(self) -> bool:
        """Whether it ends with its period."""
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
    def coming(self) -> Price | None:
        """The plan it changes to when its period ends, unless it ends itself then."""
        goes_on = self.state.auto_renew and not self.is_leaving
        return self.state.scheduled if goes_on or self.changes_at else None

    @property
    def coming_due(self) -> Money | None:
        """What the first payment under that plan costs; its rate if it is metered."""
        if self.coming is None:
            return None
        periods = 1 if self.coming.metered else self.row.periods
        return Money(catalogue.cost(self.coming, self.row.quantity, periods), self.coming.currency)

    @property
    def ends_by_itself(self) -> bool:
        """Whether a cancel may wait for an end that is known."""
        return self.status is Status.TRIALING or (self.status is Status.ACTIVE and not self.price.metered)


def cards(rows: Iterable[Subscription], found: CustomerOverview) -> list[Card]:
    """Return the cards of a customer's subscriptions."""
    views = {view.currency: view for view in found.views}
    return [_card(state, views[state.price.currency]) for state in found.states(rows)]


def one(row: Subscription, *, now: datetime) -> Card:
    """Return the card of one subscription."""
    [card] = cards([row], overview.of(row.customer, now=now))
    return card


def _card(state: SubscriptionState, view: overview.View) -> Card:
    row, price = state.row, state.price
    due = price.amount * row.quantity * (1 if price.metered else row.periods)
    return Card(
        state=state,
        due=state.next_charge.amount if state.next_charge else Money(due, price.currency),
        missing=Money(max(0, due - view.free) if due else 0, price.currency),
        available=Money(view.available, price.currency),
    )


class Action(StrEnum):
    """Each leads to an address of its own; see templates/subscriptions/_actions.html."""

    CHANGE = "change"
    KEEP_PLAN = "keep_plan"
    PAUSE = "pause"
    RESUME = "resume"
    UNDO_CANCEL = "undo_cancel"
    RENEW = "renew"
    STOP_RENEWING = "stop_renewing"
    CANCEL = "cancel"


def possible(card: Card) -> list[Action]:
    """Return what the rules (R5) would agree to now, in the order in which it is offered; what changes nothing is out.

    While a change that is agreed and paid for is still to come, nothing is: that is a matter of minutes.
    """
    if card.is_over or card.changes_at:
        return []
    renews = card.state.auto_renew
    offered = {
        Action.CHANGE: not card.is_paused,
        Action.KEEP_PLAN: card.status is Status.ACTIVE and card.coming is not None,
        Action.PAUSE: card.status is Status.ACTIVE,
        Action.RESUME: card.is_paused,
        Action.UNDO_CANCEL: card.state.cancel_requested,
        Action.RENEW: not renews and _can_renew(card),
        Action.STOP_RENEWING: renews and _can_renew(card),
        Action.CANCEL: True,
    }
    return [action for action, is_possible in offered.items() if is_possible]


def _can_renew(card: Card) -> bool:
    """Metered use has no periods, and what was cancelled has no next one."""
    return not card.price.metered and not card.is_leaving
