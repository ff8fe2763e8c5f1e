from datetime import UTC, datetime, timedelta

import pytest

from payments import transitions
from payments.webhooks import process

BORN = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEVER = BORN + timedelta(days=365)


def after(**age: float) -> datetime:
    return BORN + timedelta(**age)


@pytest.mark.parametrize(
    ("asked", "next_asked"),
    [
        (after(seconds=0), after(seconds=30)),
        (after(seconds=29), after(seconds=30)),
        (after(seconds=30), after(minutes=2)),
        (after(minutes=5), after(minutes=10)),
        (after(minutes=10), after(hours=1)),
        (after(hours=1), after(hours=6)),
        (after(hours=6), after(days=1)),
        (after(hours=23), after(days=1)),
        (after(days=1), after(days=2)),
        (after(days=40, hours=3), after(days=41)),
    ],
)
def test_a_payment_is_asked_about_at_the_ages_of_the_table(asked: datetime, next_asked: datetime) -> None:
    assert transitions.next_check(BORN, expires_at=NEVER, after=asked) == next_asked


def test_the_instant_of_expiry_is_never_missed() -> None:
    expires_at = after(minutes=30)
    assert transitions.next_check(BORN, expires_at=expires_at, after=after(minutes=10)) == expires_at
    assert transitions.next_check(BORN, expires_at=expires_at, after=expires_at) == after(hours=1)


@pytest.mark.parametrize(
    ("tries", "wait"), [(1, 5), (2, 10), (3, 20), (4, 40), (10, 2560), (11, 3600), (12, 3600), (500, 3600)]
)
def test_an_event_is_tried_ever_more_slowly(tries: int, wait: int) -> None:
    # 5 s doubled with each try: 5, 10, 20, 40, ... 2560 = 5 * 2**9; the next would be 5120, so an hour it is.
    assert process.next_event_try(BORN, tries=tries, now=BORN) == BORN + timedelta(seconds=wait)


def test_an_event_is_left_to_staff_after_72_hours() -> None:
    assert process.next_event_try(BORN, tries=80, now=after(hours=71)) == after(hours=72)
    assert process.next_event_try(BORN, tries=80, now=after(hours=71, seconds=1)) is None
