"""Spans of time as a page names them in passing. What is to be checked to the microsecond is in formulas."""

from subscriptions import formulas
from subscriptions.engine.calendar import DAY, SECOND

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND


def shortly(micros: int) -> str:
    """Name a span to the hour (`12 days 4 h`), below a day to the minute, below a minute to the second."""
    grain = HOUR if micros >= DAY else MINUTE if micros >= MINUTE else SECOND
    return formulas.lasting(micros - micros % grain)
