from datetime import UTC, datetime, timedelta

import pytest

from payments import transitions
from payments.webhooks import process

CREATED = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEVER = CREATED + timedelta(days=365)


def after(**age: float) -> datetime:
    return CREATED + timedelta(**age)


@pytest.mark.parametrize(
    ("checked_at", "next_check"),
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
def test_a_payment_is_checked_at_the_ages_in_the_table(checked_at: datetime, next_check: datetime) -> None:
    assert transitions.next_check(CREATED, expires_at=NEVER, after=checked_at) == next_check


def test_the_moment_of_expiry_is_never_skipped() -> None:
    expires_at = after(minutes=30)
    assert transitions.next_check(CREATED, expires_at=expires_at, after=after(minutes=10)) == expires_at
    assert transitions.next_check(CREATED, expires_at=expires_at, after=expires_at) == after(hours=1)


@pytest.mark.parametrize(
    ("tries", "wait"), [(1, 5), (2, 10), (3, 20), (4, 40), (10, 2560), (11, 3600), (12, 3600), (500, 3600)]
)
def test_an_event_is_tried_at_growing_intervals(tries: int, wait: int) -> None:
    # 5 s doubled with each try: 5, 10, 20, 40, ... 2560 = 5 * 2**9; the next would be 5120, so an hour it is.
    assert process.next_event_try(CREATED, tries=tries, now=CREATED) == CREATED + timedelta(seconds=wait)


def test_an_event_is_left_to_staff_after_72_hours() -> None:
    assert process.next_event_try(CREATED, tries=80, now=after(hours=71)) == after(hours=72)
    assert process.next_event_try(CREATED, tries=80, now=after(hours=71, seconds=1)) is None
