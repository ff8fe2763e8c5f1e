"""Open case 19: what would pass a limit is refused before anything is changed."""

from datetime import datetime

from tests.subscriptions.engine.model.calendar import later
from tests.subscriptions.engine.model.state import Plan, Refused

MOST_QUANTITY, MOST_PERIODS, MOST_YEARS, MOST_PAYMENT = 1_000_000, 1_000, 10, 10**12


def check_limits(plan: Plan, quantity: int, periods: int, at: datetime) -> None:
    """Refuse a number, a period or a payment that is too large. A meter has no periods and no payments."""
    if not (1 <= quantity <= MOST_QUANTITY and 1 <= periods <= MOST_PERIODS):
        raise Refused
    if plan["metered"]:
        return
    if plan["amount"] * quantity * periods > MOST_PAYMENT:
        raise Refused
    if later(at, plan["interval"], plan["interval_count"] * periods) > later(at, "year", MOST_YEARS):
        raise Refused
