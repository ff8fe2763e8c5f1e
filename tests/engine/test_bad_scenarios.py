"""A scenario that cannot be played is refused with the place of the mistake and what is allowed there."""

from decimal import Decimal
from typing import Any

import pytest

from subscriptions.simulation import BadScenario, read

GOOD: dict[str, Any] = {
    "currency": "RUB",
    "until": "2026-03-01T00:00:00Z",
    "plans": [{"code": "basic", "amount": "99.00", "interval": "month"}],
    "events": [
        {"at": "2026-02-01T00:00:00Z", "do": "top_up", "customer": "ann", "amount": "100.00"},
        {"at": "2026-02-01T00:00:00Z", "do": "subscribe", "customer": "ann", "plan": "basic", "as": "s"},
    ],
}


def event(number: int, **fields: Any) -> dict[str, Any]:
    """GOOD with other fields in one event."""
    events = [dict(each) for each in GOOD["events"]]
    events[number] |= fields
    return {"events": events}


def plan(**fields: Any) -> dict[str, Any]:
    return {"plans": [GOOD["plans"][0] | fields]}


def more(**fields: Any) -> dict[str, Any]:
    """GOOD with one event more."""
    return {"events": [*GOOD["events"], {"at": "2026-02-02T00:00:00Z", **fields}]}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"currency": "XXX"}, "currency: 'XXX' is not one of AED"),
        ({"until": "2026-03-01"}, "until: '2026-03-01' is not an instant with its zone"),
        ({"until": "2026-13-01T00:00:00Z"}, "until: '2026-13-01T00:00:00Z' is not an instant: month must be"),
        ({"until": "0001-01-01T00:00:00Z"}, "until: '0001-01-01T00:00:00Z' is not within the years 1970 to 2999"),
        ({"speed": 1}, "speed: is not known here; allowed are title, story, currency"),
        ({"title": 1}, "title: 1 is not a text"),
        ({"title": "\0"}, "title: '\\x00' is not allowed in a text"),
        ({"story": "a\udfff"}, "story: '\\udfff' is not allowed in a text"),
        ({"ti\ntle\ud800": 1}, "ti\\ntle\\ud800: is not known here"),
        ({"events": {}}, "events: {} is not a list"),
        ({"ticks": {}}, "ticks.every_seconds: is missing"),
        ({"ticks": {"every_seconds": 0}}, "ticks.every_seconds: 0 is not a whole number from 1"),
        ({"ticks": {"every_seconds": 1, "down": [1]}}, "ticks.down[0]: 1 is not a pair of instants"),
        (plan(interval="second"), "plans[0].interval: 'second' is not one of hour, day, week, month, year"),
        (plan(metered=True), "plans[0].interval: 'month' is not one of second, minute, hour, day, week"),
        (plan(grace_days=28), "plans[0].grace_days: 28 is not a whole number from 0 to 27"),
        (plan(interval="hour", grace_days=1), "plans[0].grace_days: 1 is not a whole number from 0 to 0"),
        (plan(interval_count=True), "plans[0].interval_count: True is not a whole number"),
        (plan(amount="-1"), "plans[0].amount: '-1' is too small; the least is 0.00"),
        (plan(amount="1e2"), "plans[0].amount: '1e2' is not an amount"),
        (plan(amount=0.1), "plans[0].amount: 0.1 is a binary fraction"),
        (plan(amount=[]), "plans[0].amount: [] is not an amount"),
        (plan(amount=Decimal("9" * 10_000)), "plans[0].amount: Decimal('999"),
        (plan(amount="9" * 10_000), "plans[0].amount: '9999"),
        (plan(interval_count=Decimal("9" * 10_000)), "plans[0].interval_count: Decimal('999"),
        (plan(code="a\0b"), "plans[0].code: '\\x00' is not allowed in a text: a NUL or half of a surrogate pair"),
        (plan(code="\ud800"), "plans[0].code: '\\ud800' is not allowed in a text"),
        ({"plans": GOOD["plans"] * 2}, "plans[1].code: 'basic' is there twice"),
        (event(0, do="steal"), "events[0].do: 'steal' is not one of top_up, withdraw, subscribe"),
        (event(0, amount="0"), "events[0].amount: '0' is too small; the least is 0.01"),
        (event(0, plan="basic"), "events[0].plan: is not known here; allowed are at, do, customer, amount"),
        (event(0, customer=""), "events[0].customer: '' is not a text of 1 to 100 characters"),
        (event(0, customer="\ud800"), "events[0].customer: '\\ud800' is not allowed in a text"),
        (event(1, **{"as": "s\0"}), "events[1].as: '\\x00' is not allowed in a text"),
        (event(1, plan="\ud800"), "events[1].plan: '\\ud800' is not one of basic"),
        (event(1, plan="other"), "events[1].plan: 'other' is not one of basic"),
        (event(1, quantity=0), "events[1].quantity: 0 is not a whole number from 1 to 1000000"),
        (event(1, auto_renew=1), "events[1].auto_renew: 1 is not true or false"),
        (event(1, quantity=10**6, periods=1000), "events[1].plan: times quantity and periods costs more than"),
        (event(1, at="2026-01-31T00:00:00Z"), "events[1].at: is before the event above it"),
        (event(1, at="2026-03-01T00:00:00.000001Z"), "events[1].at: is after `until`"),
        ({"events": [1]}, "events[0]: 1 is not an object"),
        (more(do="pause", subscription="x"), "events[2].subscription: 'x' was not made by an earlier event"),
        (more(do="cancel", subscription="s", when="soon"), "events[2].when: 'soon' is not one of now, period_end"),
        (
            more(do="subscribe", customer="ann", plan="basic", **{"as": "s"}),
            "events[2].as: 's' is taken by an earlier event",
        ),
    ],
)
def test_a_bad_scenario_is_told_where_and_what_is_allowed(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadScenario) as refused:
        read({**GOOD, **change})
    said = str(refused.value)
    assert said.startswith(complaint)
    assert said.isprintable()  # one line, which every terminal can write
    assert len(said) < 500


def test_a_period_beyond_the_calendar_is_refused() -> None:
    years = plan(interval="year", interval_count=2, amount="0")
    with pytest.raises(BadScenario, match="more than 100 years"):
        read({**GOOD, **years, **event(1, periods=1000)})


def test_an_exact_number_is_an_amount_too() -> None:
    assert read({**GOOD, **event(0, amount=Decimal("100.5"))}).steps[0].amount == 100_50
