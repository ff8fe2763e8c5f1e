"""What a customer, or staff for one, may do with a subscription as it is now: the buttons that the pages offer."""

from enum import StrEnum

from subscriptions.models import Subscription
from subscriptions.web.cards import Card

Status = Subscription.Status


class Action(StrEnum):
    """An action that a page offers; STOP_RENEWING that of staff only.

    templates/subscriptions/_action.html maps each to its URL.
    """

    CHANGE = "change"
    QUANTITY = "quantity"
    KEEP_PLAN = "keep_plan"
    PAUSE = "pause"
    RESUME = "resume"
    UNDO_CANCEL = "undo_cancel"
    RENEW = "renew"
    STOP_RENEWING = "stop_renewing"
    CANCEL = "cancel"


# What a customer with such a subscription most likely wants.
PRESSING = (Action.RESUME, Action.UNDO_CANCEL, Action.RENEW, Action.KEEP_PLAN)


def possible_actions(card: Card) -> list[Action]:
    """Return the actions that the rules (R5) allow now and that would change something, in the order of the page."""
    if card.is_over:
        return []
    renews = card.state.auto_renew
    offered = {
        Action.CHANGE: not card.is_paused,
        Action.QUANTITY: not card.is_paused,
        Action.KEEP_PLAN: card.status is Status.ACTIVE and bool(card.coming or card.coming_quantity),
        Action.PAUSE: card.status is Status.ACTIVE and card.price.can_pause,
        Action.RESUME: card.is_paused,
        Action.UNDO_CANCEL: card.state.cancel_requested,
        Action.RENEW: not renews and _can_renew(card),
        Action.STOP_RENEWING: renews and _can_renew(card),
        Action.CANCEL: True,
    }
    return [action for action, is_possible in offered.items() if is_possible]


def pressing_actions(card: Card) -> list[Action]:
    """Return the possible actions that take back what is going to happen, or go on with what is paused."""
    return [action for action in possible_actions(card) if action in PRESSING]


def usual_actions(card: Card) -> list[Action]:
    """Return the other possible actions that customers see.

    One exit is enough: ending it at the period's end is `cancel`.
    """
    return [action for action in possible_actions(card) if action not in (*PRESSING, Action.STOP_RENEWING)]


def main_action(card: Card) -> Action | None:
    """Return the action whose button stands beside the subscription in a list: what its customer most likely wants."""
    offered = possible_actions(card)
    return next((action for action in (*PRESSING, Action.CHANGE) if action in offered), None)


def _can_renew(card: Card) -> bool:
    """Return whether it has renewals: metered use has no periods, and a cancelled subscription has no next one."""
    return not card.price.metered and not card.is_leaving
