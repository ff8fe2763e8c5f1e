"""Why an operation is refused, and the limits of what can be asked for."""

from enum import StrEnum

from subscriptions.engine.calendar import is_within_years
from subscriptions.engine.subscription import MOST_DUE, MOST_PERIODS, MOST_QUANTITY, Terms


class Refusal(StrEnum):
    """Why an operation was refused. The book is settled, but otherwise unchanged."""

    FINAL = "subscription_is_final"
    PAUSED = "subscription_is_paused"
    NOT_ACTIVE = "subscription_is_not_active"
    NOT_PAUSED = "subscription_is_not_paused"
    NOT_WAITING = "subscription_not_waiting"
    NO_CANCEL_TO_UNDO = "no_cancel_to_undo"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    NO_PAUSE = "plan_cannot_be_paused"
    NO_REFUND = "plan_refunds_nothing"
    TRIAL_QUANTITY = "quantity_too_large_for_trial"
    NOTHING_TO_EXTEND = "nothing_to_extend"
    GRACE_TOO_LONG = "grace_too_long"
    OUT_OF_RANGE = "out_of_range"
    BLOCKED = "account_is_blocked"
    MORE_THAN_DEBT = "more_than_the_debt"


def is_within_limits(terms: Terms, quantity: int, periods: int, at: int) -> bool:
    """Tell whether these terms can be bought from `at` on: no later payment may pass what can be written down.

    A metered price has no payments and no periods of its own.
    """
    if not (1 <= quantity <= MOST_QUANTITY and 1 <= periods <= MOST_PERIODS):
        return False
    if terms.metered:
        return True
    if terms.amount * quantity * periods > MOST_DUE:
        return False
    return is_within_years(terms.interval, terms.count * periods, at)
