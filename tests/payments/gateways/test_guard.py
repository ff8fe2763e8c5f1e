"""The guard before every gateway: its errors, and the breaker. Nothing here touches the database."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.cache import cache

from core import cache as cache_module
from payments.gateways import guard
from payments.gateways.base import Gateway
from payments.gateways.errors import BadWebhook, ForeignWebhook, GatewayError
from tests.payments.gateways.failing_gateway import PAID, Failing, behind_its_guard

SILENCE = GatewayError("No answer.", permanent=False, code="timeout")
REFUSAL = GatewayError("No.", permanent=True, code="card_unknown")
SPAN: Any = {"since": None, "until": None}


@pytest.fixture
def both() -> tuple[Failing, Gateway]:
    return behind_its_guard()


def code_of(gateway: Gateway) -> str:
    """Fetch and return the code of the error, blank if there is an answer."""
    try:
        gateway.fetch("x_1")
    except GatewayError as error:
        return error.code
    return ""


def end_the_pause() -> None:
    """As if PAUSE seconds had passed."""
    cache.delete("gateway-paused:failing")


def stop(failing: Failing, gateway: Gateway) -> None:
    """Let the gateway fail until the breaker opens, and forget the calls made."""
    failing.error = SILENCE
    assert [code_of(gateway) for _ in range(6)] == ["timeout"] * 5 + ["paused"]
    assert failing.calls == 5
    failing.calls = 0


def test_answers_pass(both: tuple[Failing, Gateway]) -> None:
    _, gateway = both
    assert (gateway.name, gateway.fetch("x_1")) == ("failing", PAID)
    assert list(gateway.list_payments(**SPAN)) == [PAID, PAID]


@pytest.mark.parametrize("error", [ValueError("odd"), KeyError("id"), ConnectionError(), RecursionError(), OSError()])
def test_any_other_error_means_that_nobody_knows(both: tuple[Failing, Gateway], error: Exception) -> None:
    failing, gateway = both
    failing.error = error
    for call in (lambda: gateway.fetch("x_1"), lambda: list(gateway.list_payments(**SPAN))):
        with pytest.raises(GatewayError) as caught:
            call()
        assert (caught.value.permanent, caught.value.code) == (False, "unexpected")
        assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [SILENCE, REFUSAL])
def test_an_error_of_the_gateway_passes_as_it_is(both: tuple[Failing, Gateway], error: GatewayError) -> None:
    failing, gateway = both
    failing.error = error
    with pytest.raises(GatewayError) as caught:
        gateway.fetch("x_1")
    assert caught.value is error


def test_the_end_of_a_workers_time_passes_and_counts_for_nothing(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    failing.error = SoftTimeLimitExceeded()
    for _ in range(6):
        with pytest.raises(SoftTimeLimitExceeded):
            gateway.fetch("x_1")


@pytest.mark.parametrize("error", [ValueError("soon"), RecursionError(), TypeError()])
def test_a_webhook_that_breaks_the_gateways_code_is_refused(both: tuple[Failing, Gateway], error: Exception) -> None:
    failing, gateway = both
    failing.error = error
    with pytest.raises(BadWebhook):
        gateway.parse_webhook(b"", {}, address="127.0.0.1")


def test_the_kind_of_a_refused_webhook_is_kept(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    failing.error = ForeignWebhook("Live, and we test.")
    with pytest.raises(ForeignWebhook):
        gateway.parse_webhook(b"", {}, address="127.0.0.1")


def test_five_calls_without_an_answer_stop_all_calls(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    stop(failing, gateway)
    failing.error = None
    with pytest.raises(GatewayError) as caught:
        list(gateway.list_payments(**SPAN))
    assert (caught.value.permanent, caught.value.code, failing.calls) == (False, "paused", 0)
    # For another object of the same gateway, as in another process, too; for another gateway not.
    other, guarded = behind_its_guard()
    assert code_of(guarded) == "paused"
    other.name = "other"
    assert code_of(guarded) == ""


def test_webhooks_are_read_while_calls_are_stopped(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    stop(failing, gateway)
    failing.error = None
    notification: Any = gateway.parse_webhook(b"", {}, address="127.0.0.1")
    assert notification is PAID


def test_the_pause_ends_by_itself(both: tuple[Failing, Gateway], monkeypatch: pytest.MonkeyPatch) -> None:
    failing, gateway = both
    monkeypatch.setattr(guard, "PAUSE", 1)
    stop(failing, gateway)
    failing.error = None
    # The cache counts by its own clock.
    while code_of(gateway) == "paused":
        pass
    assert failing.calls == 1


def test_an_answer_to_the_trial_lets_all_calls_through(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    stop(failing, gateway)
    end_the_pause()
    failing.error = None
    assert [code_of(gateway) for _ in range(10)] == [""] * 10
    # The count starts again: four failures stop nothing.
    failing.error = SILENCE
    assert [code_of(gateway) for _ in range(4)] == ["timeout"] * 4
    failing.error = None
    assert code_of(gateway) == ""


def test_a_trial_without_an_answer_stops_all_calls_again(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    stop(failing, gateway)
    end_the_pause()
    assert [code_of(gateway) for _ in range(4)] == ["timeout", "paused", "paused", "paused"]
    assert failing.calls == 1


def test_only_one_call_is_the_trial(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    stop(failing, gateway)
    end_the_pause()
    during: list[str] = []

    class Slow(Failing):
        def fetch(self, gateway_id: str) -> Any:
            # While the trial waits for its answer, four others try.
            with ThreadPoolExecutor(4) as threads:
                during.extend(threads.map(lambda _: code_of(gateway), range(4)))
            return super().fetch(gateway_id)

    slow: Any = Slow()
    assert code_of(guard.guarded(slow)) == ""
    assert (during, failing.calls) == (["paused"] * 4, 0)


def test_a_list_read_in_part_ends_a_trial(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    stop(failing, gateway)
    end_the_pause()
    failing.error = None
    assert next(gateway.list_payments(**SPAN)) == PAID
    assert code_of(gateway) == ""


def test_a_list_that_breaks_off_counts(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    for _ in range(5):
        # Each list has a first item and no second: the first is an answer, so the count starts again.
        failing.error, pages = None, gateway.list_payments(**SPAN)
        assert next(pages) == PAID
        failing.error = SILENCE
        with pytest.raises(GatewayError):
            next(pages)
    assert cache.get("gateway-failures:failing") == 1


def test_refusals_do_not_count(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    failing.error = REFUSAL
    assert [code_of(gateway) for _ in range(20)] == ["card_unknown"] * 20
    # A refusal is an answer: it starts the count again.
    failing.error = SILENCE
    assert [code_of(gateway) for _ in range(4)] == ["timeout"] * 4
    failing.error = REFUSAL
    code_of(gateway)
    failing.error = SILENCE
    assert [code_of(gateway) for _ in range(4)] == ["timeout"] * 4


def test_a_call_that_had_no_time_says_nothing_about_the_gateway(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    failing.error = SILENCE
    for _ in range(10):
        with guard.within(0.5):
            assert code_of(gateway) == "timeout"


def test_no_call_is_made_after_the_deadline(both: tuple[Failing, Gateway]) -> None:
    failing, gateway = both
    with guard.within(0):
        assert code_of(gateway) == "deadline"
    assert failing.calls == 0


def test_without_a_cache_every_call_is_made(both: tuple[Failing, Gateway], settings: Any) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    failing, gateway = both
    failing.error = SILENCE
    try:
        assert [code_of(gateway) for _ in range(20)] == ["timeout"] * 20
        failing.error = None
        assert code_of(gateway) == ""
    finally:
        cache_module._skipped_until.clear()
    assert failing.calls == 21


def test_answers_that_come_nearly_too_late_open_the_breaker(both: tuple[Failing, Gateway], settings: Any) -> None:
    """Each holds a worker as long as a time-out does. More than half of the time counts: here 0.1 of 0.1 s."""
    failing, gateway = both
    settings.GATEWAY_TIMEOUT, failing.seconds = 0.1, 0.1
    assert [code_of(gateway) for _ in range(6)] == [""] * 5 + ["paused"]
    assert guard.is_paused("failing")
    # After the pause one call is the trial; if it is fast, all is well again.
    end_the_pause()
    assert not guard.is_paused("failing")
    failing.seconds = 0.0
    assert [code_of(gateway) for _ in range(2)] == ["", ""]
    assert not guard.is_paused("failing")


def test_a_list_may_take_long(both: tuple[Failing, Gateway], settings: Any) -> None:
    failing, gateway = both
    settings.GATEWAY_TIMEOUT, failing.seconds = 0.1, 0.1
    for _ in range(6):
        assert list(gateway.list_payments(**SPAN)) == [PAID, PAID]


@pytest.mark.parametrize("error", [None, SILENCE])
def test_one_that_takes_long_is_slow_for_a_while(
    both: tuple[Failing, Gateway], monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    failing, gateway = both
    code_of(gateway)
    assert not guard.is_slow("failing")
    monkeypatch.setattr(guard, "SLOW", 0.05)
    failing.seconds, failing.error = 0.05, error
    code_of(gateway)
    assert guard.is_slow("failing")
    assert not guard.is_slow("another")


def test_while_the_trial_runs_it_is_paused_too(both: tuple[Failing, Gateway]) -> None:
    stop(*both)
    end_the_pause()
    cache.set("gateway-trial:failing", 1, timeout=30)
    assert guard.is_paused("failing")
