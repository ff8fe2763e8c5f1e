"""Why the rules refuse a request."""

from enum import StrEnum


class Refusal(StrEnum):
    """Why a request was refused. Nothing happened then but that the book is settled."""

    FINAL = "subscription_is_final"
    PAUSED = "subscription_is_paused"
    NOT_ACTIVE = "subscription_is_not_active"
    NOT_PAUSED = "subscription_is_not_paused"
    NO_CANCEL_TO_UNDO = "no_cancel_to_undo"
    CHANGING = "plan_change_under_way"
    INSUFFICIENT_FUNDS = "insufficient_funds"
