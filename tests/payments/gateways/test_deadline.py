import threading
import time
from typing import Any

import pytest

from payments.gateways import guard


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still: its only item is the time in seconds."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_outside_a_block_a_call_has_the_time_of_a_worker(clock: list[float], settings: Any) -> None:
    settings.GATEWAY_TIMEOUT = 20
    assert (guard.time_left(), guard.is_late()) == (20.0, False)


def test_all_calls_of_a_block_share_its_time(clock: list[float]) -> None:
    with guard.within(3):
        assert guard.time_left() == 3
        clock[0] += 2.5
        assert guard.time_left() == 0.5


def test_a_call_never_has_less_than_a_tenth_of_a_second(clock: list[float]) -> None:
    with guard.within(3):
        clock[0] += 2.99
        assert (guard.time_left(), guard.is_late()) == (0.1, False)
        clock[0] += 0.01
        assert (guard.time_left(), guard.is_late()) == (0.1, True)
        clock[0] += 100
        assert (guard.time_left(), guard.is_late()) == (0.1, True)


def test_a_block_gives_no_more_than_the_time_of_a_worker(clock: list[float], settings: Any) -> None:
    settings.GATEWAY_TIMEOUT = 20
    with guard.within(60):
        assert guard.time_left() == 20


def test_an_inner_block_can_only_shorten_the_time(clock: list[float]) -> None:
    with guard.within(3):
        with guard.within(10):
            assert guard.time_left() == 3
        with guard.within(1):
            assert guard.time_left() == 1
            clock[0] += 1
            assert guard.is_late()
        assert (guard.time_left(), guard.is_late()) == (2, False)


def test_a_block_left_by_an_error_is_left(clock: list[float], settings: Any) -> None:
    with pytest.raises(ZeroDivisionError), guard.within(0):
        raise ZeroDivisionError
    assert (guard.time_left(), guard.is_late()) == (float(settings.GATEWAY_TIMEOUT), False)


def test_another_thread_has_time_of_its_own(clock: list[float], settings: Any) -> None:
    seen: list[float] = []
    with guard.within(1):
        thread = threading.Thread(target=lambda: seen.append(guard.time_left()))
        thread.start()
        thread.join()
    assert seen == [float(settings.GATEWAY_TIMEOUT)]
