"""A scenario that cannot be played is refused with the place of the mistake and what is allowed there.

The cases are used by test_schema.py as well.
"""

from decimal import Decimal
from typing import Any

import pytest

from subscriptions.simulation.fields import BadScenario
from subscriptions.simulation.scenario import TopUp, read
from tests.subscriptions.simulation.scenario_files import play

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


CASES: list[tuple[dict[str, Any], str]] = [
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
    ({"ticks": {"every_seconds": 0}}, "ticks.every_seconds: 0 is too small. The minimum is 1"),
    ({"ticks": {"every_seconds": 1, "down": [1]}}, "ticks.down[0]: 1 is not a list"),
    (plan(interval="second"), "plans[0].interval: 'second' is not one of hour, day, week, month, year"),
    (plan(metered=True), "plans[0].interval: 'month' is not one of second, minute, hour, day, week"),
    (plan(grace_days=28), "plans[0].grace_days: 28 is too large. The maximum is 27"),
    (plan(interval="hour", grace_days=1), "plans[0].grace_days: 1 is too large. The maximum is 0"),
    (plan(interval_count=True), "plans[0].interval_count: True is not a whole number"),
    (plan(amount="-1"), "plans[0].amount: '-1' is not an amount such as \"99.00\": only digits and a point"),
    (plan(amount="1e2"), "plans[0].amount: '1e2' is not an amount such as"),
    (plan(amount=0.1), "plans[0].amount: 0.1 is a binary fraction"),
    (plan(amount=[]), "plans[0].amount: [] is not an amount such as"),
    (plan(amount=Decimal("9" * 10_000)), "plans[0].amount: '9999"),
    (plan(amount="9" * 10_000), "plans[0].amount: '9999"),
    (plan(interval_count=Decimal("9" * 10_000)), "plans[0].interval_count: Decimal('999"),
    (plan(code="a\0b"), "plans[0].code: '\\x00' is not allowed in a text: a NUL or half of a surrogate pair"),
    (plan(code="\ud800"), "plans[0].code: '\\ud800' is not allowed in a text"),
    ({"plans": GOOD["plans"] * 2}, "plans[1].code: 'basic' is there twice"),
    (event(0, do="steal"), "events[0].do: 'steal' is not one of top_up, withdraw, dispute_lost, subscribe"),
    (event(0, amount="0"), "events[0].amount: zero is too small. The minimum is 0.01"),
    (event(0, plan="basic"), "events[0].plan: is not known here; allowed are at, do, customer, amount"),
    (event(0, customer=""), "events[0].customer: '' is too short. The minimum is 1 character"),
    (event(0, customer="\ud800"), "events[0].customer: '\\ud800' is not allowed in a text"),
    (event(1, **{"as": "s\0"}), "events[1].as: '\\x00' is not allowed in a text"),
    (event(1, plan="\ud800"), "events[1].plan: '\\ud800' is not allowed in a text"),
    (event(1, plan="other"), "events[1].plan: 'other' is not one of ['basic']"),
    (event(1, quantity=0), "events[1].quantity: 0 is too small. The minimum is 1"),
    (event(1, auto_renew=1), "events[1].auto_renew: 1 is not true or false"),
    (event(1, at="2026-01-31T00:00:00Z"), "events[1].at: is before the event above it"),
    (event(1, at="2026-03-01T00:00:00.000001Z"), "events[1].at: is after `until`"),
    ({"events": [1]}, "events[0]: 1 is not an object"),
    (more(do="pause", subscription="x"), "events[2].subscription: 'x' was not made by an earlier event"),
    (more(do="cancel", subscription="s", when="soon"), "events[2].when: 'soon' is not one of now, period_end"),
    (
        more(do="subscribe", customer="ann", plan="basic", **{"as": "s"}),
        "events[2].as: 's' is taken by an earlier event",
    ),
    ({"ticks": []}, "ticks: [] is not an object"),
    ({"ticks": {"every_seconds": 1, "rate": 2}}, "ticks.rate: is not known here; allowed are every_seconds, down"),
    (
        {"ticks": {"every_seconds": 1, "down": [["2026-02-01T00:00:00Z"]]}},
        "ticks.down[0]: ['2026-02-01T00:00:00Z'] has 1",
    ),
    ({"ticks": {"every_seconds": 1, "down": [["2026-02-01T00:00:00Z", 1]]}}, "ticks.down[0][1]: 1 is not an instant"),
    (
        {"ticks": {"every_seconds": 1, "down": [["2026-02-02T00:00:00Z", "2026-02-01T00:00:00Z"]]}},
        "ticks.down[0]: ends before it begins",
    ),
    ({"until": "2026-03-01T00:00:00Z\n"}, "until: '2026-03-01T00:00:00Z\\n' is not an instant with its zone"),
    ({"until": "٢٠٢٦-03-01T00:00:00Z"}, "until: '٢٠٢٦-03-01T00:00:00Z' is not an instant with its zone"),
    ({"x" * 10_000: 1}, "xxx"),
    ({"plans": [[]]}, "plans[0]: [] is not an object"),
    (plan(metered=1), "plans[0].metered: 1 is not true or false"),
    (plan(metered=0), "plans[0].metered: 0 is not true or false"),
    (plan(metered=True, interval="day", grace_days=1), "plans[0].grace_days: 1 is too large. The maximum is 0"),
    (plan(metered=True, interval="day", price=1), "plans[0].price: is not known here; allowed are code, name, amount"),
    (plan(interval_count=32_768), "plans[0].interval_count: 32768 is too large. The maximum is 32767"),
    (plan(trial_days=1.0), "plans[0].trial_days: 1.0 is not a whole number"),
    (plan(amount="-0"), "plans[0].amount: '-0' is not an amount such as"),
    (plan(amount="٩"), "plans[0].amount: '٩' is not an amount such as"),
    (plan(amount="9.00\n"), "plans[0].amount: '9.00\\n' is not an amount such as"),
    (plan(amount=True), "plans[0].amount: True is not an amount such as"),
    (plan(amount="99.001"), "plans[0].amount: '99.001' has 3 decimal places. RUB allows at most 2"),
    (plan(amount=10**13), "plans[0].amount: '10000000000000' is too large. The maximum is"),
    (plan(code="x" * 101), "plans[0].code: 'xxx"),
    (plan(code=1), "plans[0].code: 1 is not a text"),
    (event(0, do=["top_up"]), "events[0].do: ['top_up'] is not one of top_up, withdraw, dispute_lost, subscribe"),
    (event(0, **{"{x}\n": 1}), "events[0].{x}\\n: is not known here; allowed are at, do, customer, amount"),
    (event(0, amount="{x}"), "events[0].amount: '{x}' is not an amount such as"),
    (event(0, amount=None), "events[0].amount: None is not an amount such as"),
    (event(1, plan="{x}"), "events[1].plan: '{x}' is not one of ['basic']"),
    (event(1, plan=["basic"]), "events[1].plan: ['basic'] is not a text"),
    (event(1, quantity=10**9 + 1), "events[1].quantity: 1000000001 is too large. The maximum is 1000000000"),
    (event(1, periods=None), "events[1].periods: None is not a whole number"),
    ({"events": [{}]}, "events[0].do: is missing"),
    ({"events": [{"do": "top_up"}]}, "events[0].at: is missing"),
    (more(do="pause"), "events[2].subscription: is missing"),
    (
        more(do="pause", subscription="s", plan="basic"),
        "events[2].plan: is not known here; allowed are at, do, subscription",
    ),
    (more(do="change_plan", subscription="s", plan="x"), "events[2].plan: 'x' is not one of ['basic']"),
    (
        more(do="change_plan", subscription="s", plan="basic", when=None),
        "events[2].when: None is not one of now, period_end",
    ),
    (
        more(do="change_plan", subscription="s", plan="basic", effective_at="2026-02-03T00:00:00Z"),
        "events[2].effective_at: is not known here; allowed are at, do, subscription, plan, when",
    ),
    (more(do="cancel", subscription="s", refund_unused="no"), "events[2].refund_unused: 'no' is not true or false"),
    (more(do="undo_cancel", subscription="basic"), "events[2].subscription: 'basic' was not made by an earlier event"),
    ({"order_days": "14"}, "order_days: '14' is not a whole number"),
    ({"order_days": -1}, "order_days: -1 is too small. The minimum is 0"),
    ({"order_days": 32_768}, "order_days: 32768 is too large. The maximum is 32767"),
    (plan(keep_days=-1), "plans[0].keep_days: -1 is too small. The minimum is 0"),
    (plan(keep_days=None), "plans[0].keep_days: None is not a whole number"),
    (plan(trial_quantity_max=0), "plans[0].trial_quantity_max: 0 is too small. The minimum is 1"),
    (plan(trial_quantity_max=10**6 + 1), "plans[0].trial_quantity_max: 1000001 is too large. The maximum is 1000000"),
    (plan(can_pause=1), "plans[0].can_pause: 1 is not true or false"),
    (plan(can_refund_unused="no"), "plans[0].can_refund_unused: 'no' is not true or false"),
    (plan(metered=True, interval="hour", can_pause=0), "plans[0].can_pause: 0 is not true or false"),
    (event(1, checkout=1), "events[1].checkout: 1 is not true or false"),
    (event(0, **{"for": "s"}), "events[0].for: 's' was not made by an earlier event"),
    (event(0, **{"for": 1}), "events[0].for: 1 is not a text"),
    (event(0, paid_for="s"), "events[0].paid_for: is not known here; allowed are at, do, customer, amount, for"),
    (
        more(do="top_up", customer="bob", amount="1.00", **{"for": "s"}),
        "events[2].for: is a subscription of 'ann'",
    ),
    (
        more(do="withdraw", customer="ann", amount="1.00", **{"for": "s"}),
        "events[2].for: is not known here; allowed are at, do, customer, amount",
    ),
    (more(do="change_quantity", subscription="s"), "events[2].quantity: is missing"),
    (more(do="change_quantity", subscription="s", quantity=0), "events[2].quantity: 0 is too small. The minimum is 1"),
    (
        more(do="change_quantity", subscription="s", quantity=2, when="later"),
        "events[2].when: 'later' is not one of now, period_end",
    ),
    (more(do="start", subscription="x"), "events[2].subscription: 'x' was not made by an earlier event"),
    (
        more(do="start", subscription="s", when="now"),
        "events[2].when: is not known here; allowed are at, do, subscription",
    ),
    (more(do="set_auto_renew", subscription="s"), "events[2].value: is missing"),
    (more(do="set_auto_renew", subscription="s", value="no"), "events[2].value: 'no' is not true or false"),
    (more(do="dispute_lost", customer="ann", amount="0"), "events[2].amount: zero is too small. The minimum is 0.01"),
    (
        more(do="dispute_lost", subscription="s", amount="1.00"),
        "events[2].subscription: is not known here; allowed are at, do, customer, amount",
    ),
]


@pytest.mark.parametrize(("change", "complaint"), CASES)
def test_a_bad_scenario_is_told_where_and_what_is_allowed(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadScenario) as refused:
        read({**GOOD, **change})
    said = str(refused.value)
    assert said.startswith(complaint)
    assert said.isprintable()  # one line, which every terminal can write
    assert len(said) < 500


LARGE = {"interval": "hour", "amount": "10.00"}


@pytest.mark.parametrize(
    ("terms", "asked", "is_refused"),
    [
        # One payment: 10.00 x 10^6 x 1000 are 10^12 kopecks.
        (LARGE, {"quantity": 10**6, "periods": 1000}, False),
        (LARGE | {"amount": "10.01"}, {"quantity": 10**6, "periods": 1000}, True),
        # One period: ten years.
        ({"interval": "year"}, {"periods": 10}, False),
        ({"interval": "year"}, {"periods": 11}, True),
        ({"interval": "month", "interval_count": 3}, {"periods": 40}, False),
        ({"interval": "month", "interval_count": 3}, {"periods": 41}, True),
    ],
)
def test_what_would_pass_a_limit_of_the_rules_is_no_mistake_of_the_file(
    terms: dict[str, Any], asked: dict[str, Any], is_refused: bool
) -> None:
    """It is played and refused, and so is everything that is asked of it later."""
    events = [GOOD["events"][0], GOOD["events"][1] | asked]
    events += [{"at": "2026-02-02T00:00:00Z", "do": "cancel", "subscription": "s"}]
    outcome = play({**GOOD, **plan(**terms), "events": events})
    assert outcome["rejected"] == ([1, 2] if is_refused else [])
    assert list(outcome["subscriptions"]) == ([] if is_refused else ["s"])


def test_a_change_that_would_pass_a_limit_is_refused() -> None:
    dear = GOOD["plans"][0] | {"code": "dear", "amount": "10000000000.00"}
    events = [
        {"at": "2026-02-01T00:00:00Z", "do": "subscribe", "customer": "ann", "plan": "basic", "as": "s", "quantity": 2},
        {"at": "2026-02-01T00:00:00Z", "do": "change_plan", "subscription": "s", "plan": "dear"},
        {"at": "2026-02-01T00:00:00Z", "do": "change_quantity", "subscription": "s", "quantity": 1},
        {"at": "2026-02-01T00:00:00Z", "do": "change_plan", "subscription": "s", "plan": "dear"},
        {"at": "2026-02-01T00:00:00Z", "do": "change_quantity", "subscription": "s", "quantity": 2},
    ]
    assert play({**GOOD, "plans": [*GOOD["plans"], dear], "events": events})["rejected"] == [1, 4]


@pytest.mark.parametrize(("amount", "minor"), [(Decimal("100.5"), 100_50), (100, 100_00), ("0100.50", 100_50)])
def test_an_exact_number_is_an_amount_too(amount: Any, minor: int) -> None:
    step = read({**GOOD, **event(0, amount=amount)}).events[0]
    assert isinstance(step, TopUp)
    assert step.amount == minor


def test_the_first_of_several_mistakes_is_told() -> None:
    with pytest.raises(BadScenario, match=r"^until: is missing$"):
        read({"currency": "RUB", "plans": [1], "events": [1]})
