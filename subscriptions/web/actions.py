"""What a customer can do with a subscription in its present state: one table, read by every page that offers it."""

from enum import StrEnum

from subscriptions.engine.subscription import Status
from subscriptions.web.cards import Card


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
    renews = card.holding.auto_renew
    offered = {
        Action.CHANGE: not card.is_paused,
        Action.KEEP_PLAN: card.status is Status.ACTIVE and card.coming is not None,
        Action.PAUSE: card.status is Status.ACTIVE,
        Action.RESUME: card.is_paused,
        Action.UNDO_CANCEL: card.holding.cancel_requested,
        Action.RENEW: not renews and _can_renew(card),
        Action.STOP_RENEWING: renews and _can_renew(card),
        Action.CANCEL: True,
    }
    return [action for action, is_possible in offered.items() if is_possible]


def _can_renew(card: Card) -> bool:
    """Metered use has no periods, and what was cancelled has no next one."""
    return not card.price.metered and not card.is_leaving
