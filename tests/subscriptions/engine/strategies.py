"""Random scenarios with edge cases: simultaneous events, exact boundaries, wallets that are just too small.

No test lives here.
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from ledger.money import Money
from tests.subscriptions.engine.model.walks import walk

Draw = st.DrawFn

# Month ends, leap days, the last microsecond of a year.
STARTS = [
    datetime(2026, 1, 31, 10, tzinfo=UTC),
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(2023, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 28, 12, 30, tzinfo=UTC),
]
CURRENCIES = ["RUB", "JPY", "KWD"]
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
LENGTHS = {
    "second": [SECOND], "minute": [MINUTE], "hour": [HOUR], "day": [DAY], "week": [7 * DAY],
    "month": [28 * DAY, 30 * DAY, 31 * DAY], "year": [365 * DAY, 366 * DAY],
}  # fmt: skip
# Requests by frequency: a cancellation ends the subscription, so it is rare.
REQUESTS = (
    ["change_plan"] * 6 + ["change_quantity"] * 5 + ["pause"] * 3 + ["resume"] * 3 + ["cancel"] * 2
    + ["start"] * 2 + ["set_auto_renew", "undo_cancel"]
)  # fmt: skip
# The most grace days: less than the shortest interval.
GRACES = {"day": 1, "week": 7, "month": 28, "year": 365}
# Nobody pays this; for a large number it passes the limit of one payment.
TOO_DEAR = 10**7
NUMBERS = [1, 1, 2, 2, 3, 10, 11, 100, 101, 1000, 1_000_000]

small = st.sampled_from([0, 1, 2, 3, 7, 10, 99, 100, 300, 1000])


@st.composite
def plans(draw: Draw, currency: str) -> list[dict[str, Any]]:
    """Two to five plans, at least one metered and one paid ahead."""
    kinds = [True, False, *draw(st.lists(st.booleans(), max_size=3))]
    return [draw(metered(f"p{n}", currency) if kind else advance(f"p{n}", currency)) for n, kind in enumerate(kinds)]


@st.composite
def advance(draw: Draw, code: str, currency: str) -> dict[str, Any]:
    interval = draw(st.sampled_from(["hour", "hour", "day", "week", "month", "month", "year"]))
    count = draw(st.sampled_from([1, 1, 1, 2, 3]))
    most = GRACES.get(interval, 0) * (count if interval in ("day", "week") else 1) - 1
    amount = draw(st.one_of(small, small, small, st.just(TOO_DEAR)))
    return {
        "code": code, "metered": False, "amount": money(amount, currency), "interval": interval,
        "interval_count": count, "trial_days": draw(st.sampled_from([0, 0, 0, 1, 7])),
        "grace_days": draw(st.sampled_from([0, 1, min(5, most), most])) if most > 0 else 0, **draw(terms()),
    }  # fmt: skip


@st.composite
def metered(draw: Draw, code: str, currency: str) -> dict[str, Any]:
    # In a second the dearest of them need two or three units in each microsecond.
    rates = st.one_of(small, small, st.sampled_from([3600, 86_400, 999_983, 10**6]))
    return {
        "code": code, "metered": True, "amount": money(draw(rates), currency),
        "interval": draw(st.sampled_from(["second", "minute", "hour", "hour", "day", "week"])),
        "interval_count": draw(st.sampled_from([1, 1, 2, 7])), "trial_days": draw(st.sampled_from([0, 0, 0, 1])),
        **draw(terms()),
    }  # fmt: skip


@st.composite
def terms(draw: Draw) -> dict[str, Any]:
    """What the seller says for any plan. Some are left out: the defaults hold."""
    said = {
        "keep_days": draw(st.sampled_from([None, None, 30, 0, 1, 2, 3])),
        "trial_quantity_max": draw(st.sampled_from([None, 1, 2, 10])),
        "can_pause": draw(st.sampled_from([None, None, None, True, False])),
        "can_refund_unused": draw(st.sampled_from([None, None, None, True, False])),
    }
    return {name: value for name, value in said.items() if value is not None}


def scenarios(*, most_events: int = 14, most_customers: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """Scenarios without ticks: several subscriptions, many events of one, or a walk that the model guides."""
    guided = walks(most_events, most_customers)
    return st.one_of(guided, guided, crowds(most_events, most_customers), lives(most_events))


@st.composite
def walks(draw: Draw, most_events: int, most_customers: int) -> dict[str, Any]:
    """Requests that fit, at instants that matter. Only the number of events can shrink."""
    random = Random(draw(st.integers(0, 2**32 - 1)))
    names = ["ann", "bob"][: draw(st.integers(1, most_customers))]
    return walk(random, random.choice(CURRENCIES), random.choice(STARTS), names, draw(counts(most_events)))


@st.composite
def crowds(draw: Draw, most_events: int, most_customers: int) -> dict[str, Any]:
    """Any events in any order."""
    currency = draw(st.sampled_from(CURRENCIES))
    offered = draw(plans(currency))
    names = ["ann", "bob"][: draw(st.integers(1, most_customers))]
    made: list[str] = []
    kinds = [top_up(currency, offered, names)] * 3 + [subscribe(offered, names, made)] * 3
    kinds += [withdraw(currency, offered, names), dispute_lost(currency, offered, names)]
    requests = [request(offered, made)] * 8 + [payment(currency, offered, made)]
    steps = [draw(draw(st.sampled_from(kinds + requests if made else kinds))) for _ in range(draw(counts(most_events)))]
    return dated(draw, currency, offered, owned(steps), offered)


@st.composite
def lives(draw: Draw, most_events: int) -> dict[str, Any]:
    """One subscription with money for about one to three payments, and requests about it."""
    currency = draw(st.sampled_from(CURRENCIES))
    offered = draw(plans(currency))
    made: list[str] = []
    # Two of three are paid ahead, which has more rules.
    paid_ahead = [plan for plan in offered if not plan["metered"]]
    first = draw(subscribe(draw(st.sampled_from([offered, paid_ahead, paid_ahead])), ["ann"], made))
    plan = next(plan for plan in offered if plan["code"] == first["plan"])
    due = minor(plan) * first["quantity"] * first["periods"]
    paid = due * draw(st.sampled_from([1, 1, 2, 3])) + draw(st.sampled_from([0, 0, 0, 1, -1]))
    steps = [{"do": "top_up", "customer": "ann", "amount": money(max(1, paid), currency)}, first]
    dues = st.sampled_from([max(1, due), max(1, due), max(1, due - 1)])
    more = st.builds(lambda due: {"do": "top_up", "customer": "ann", "amount": money(due, currency)}, dues)
    less = st.builds(lambda due: {"do": "dispute_lost", "customer": "ann", "amount": money(due, currency)}, dues)
    kinds = [more, more, top_up(currency, offered, ["ann"]), withdraw(currency, offered, ["ann"]), less]
    if made:
        kinds += [request(offered, made)] * 6 + [payment(currency, offered, made)]
    steps += [draw(draw(st.sampled_from(kinds))) for _ in range(draw(counts(most_events)))]
    return dated(draw, currency, offered, owned(steps), [plan])


def owned(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each payment for a subscription the customer whose it is."""
    owners = {step["as"]: step["customer"] for step in steps if step["do"] == "subscribe"}
    return [step | {"customer": owners[step["for"]]} if "for" in step else step for step in steps]


def counts(most: int) -> st.SearchStrategy[int]:
    """The number of events: mostly many, because short scenarios are all alike."""
    return st.integers(most // 2, most) | st.integers(1, most)


def dated(
    draw: Draw, currency: str, offered: list[dict[str, Any]], steps: list[dict[str, Any]], pace: list[dict[str, Any]]
) -> dict[str, Any]:
    """Give the events instants, with gaps that fit the plans in `pace`."""
    at = draw(st.sampled_from(STARTS))
    events = []
    for event in steps:
        events.append({"at": written(at), **event})
        at += draw(gaps(pace))
    return {
        "currency": currency, "until": written(at + draw(gaps(pace))), "plans": offered, "events": events,
        "order_days": draw(st.sampled_from([1, 2, 14, 14])),
    }  # fmt: skip


def gaps(offered: list[dict[str, Any]]) -> st.SearchStrategy[timedelta]:
    """The time between events: none, up to a boundary of a plan, a microsecond beside it, half a period, or any."""
    ends = [DAY, 36 * SECOND, MINUTE]
    for plan in offered:
        for length in LENGTHS[plan["interval"]]:
            ends += [length * plan["interval_count"], length * plan["interval_count"] / 2]
        ends += [DAY * days for name in ("trial_days", "grace_days", "keep_days") if (days := plan.get(name, 0))]
    # Where the other plans have no such number: how long an order or a suspended subscription waits.
    ends += [2 * DAY, 14 * DAY, 30 * DAY]
    near = st.builds(lambda end, side: end + side * MICROSECOND, st.sampled_from(ends), st.sampled_from([0, 0, -1, 1]))
    some = st.integers(1, 10**7).map(lambda micros: timedelta(microseconds=micros))
    more = st.integers(1, 40 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
    return st.sampled_from([st.just(timedelta(0))] * 3 + [near] * 4 + [some, more]).flatmap(lambda gap: gap)


def top_up(currency: str, offered: list[dict[str, Any]], names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    paid = amounts(offered).map(lambda amount: money(amount, currency))
    return st.fixed_dictionaries({"do": st.just("top_up"), "customer": st.sampled_from(names), "amount": paid})


def withdraw(currency: str, offered: list[dict[str, Any]], names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return top_up(currency, offered, names).map(lambda event: event | {"do": "withdraw"})


def dispute_lost(currency: str, offered: list[dict[str, Any]], names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return top_up(currency, offered, names).map(lambda event: event | {"do": "dispute_lost"})


def payment(currency: str, offered: list[dict[str, Any]], made: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """A top-up for one of the subscriptions in `made`. Whose it is, is for owned() to say; unless told it is Ann's."""
    event = top_up(currency, offered, ["ann"])
    return st.builds(lambda event, name: event | {"for": name}, event, st.sampled_from(made))


@st.composite
def subscribe(draw: Draw, offered: list[dict[str, Any]], names: list[str], made: list[str]) -> dict[str, Any]:
    """A subscribe event; its name is appended to `made`. None passes a limit, so that all of them are made."""
    plan = draw(st.sampled_from(offered))
    made.append(f"s{len(made)}")
    return {
        "do": "subscribe", "customer": draw(st.sampled_from(names)), "plan": plan["code"], "as": made[-1],
        "quantity": draw(st.sampled_from([1, 1, 1, 1, 2, 3, 11])),
        "periods": draw(st.sampled_from([1, 1, 1, 2, 2 if plan["interval"] == "year" else 12])),
        "auto_renew": draw(st.sampled_from([True, True, True, False])),
        "checkout": draw(st.sampled_from([False, False, False, True])),
    }  # fmt: skip


@st.composite
def request(draw: Draw, offered: list[dict[str, Any]], made: list[str]) -> dict[str, Any]:
    """A request about one of the subscriptions in `made`."""
    do = draw(st.sampled_from(REQUESTS))
    event: dict[str, Any] = {"do": do, "subscription": draw(st.sampled_from(made))}
    match do:
        case "change_plan":
            event["plan"] = draw(codes(offered))
        case "change_quantity":
            event["quantity"] = draw(st.sampled_from(NUMBERS))
        case "set_auto_renew":
            event["value"] = draw(st.booleans())
        case "cancel":
            event["refund_unused"] = draw(st.booleans())
    if do in ("change_plan", "change_quantity", "cancel"):
        when = draw(st.sampled_from([None, "now", "period_end"]))
        event |= {"when": when} if when else {}
    return event


def codes(offered: list[dict[str, Any]]) -> st.SearchStrategy[str]:
    return st.sampled_from([plan["code"] for plan in offered])


def amounts(offered: list[dict[str, Any]]) -> st.SearchStrategy[int]:
    """Amounts in minor units: small ones, multiples of a plan's price, and one more or less than that."""
    costs = [cost for plan in offered if (cost := minor(plan)) != TOO_DEAR] or [100]
    near = [max(1, cost * times + side) for cost in costs for times in (1, 2, 3, 4, 6) for side in (-1, 0, 0, 0, 1)]
    return st.one_of(st.sampled_from(near), st.sampled_from(near), st.integers(1, 5), st.integers(1, 1000))


@st.composite
def ticks(draw: Draw, scenario: dict[str, Any]) -> dict[str, Any]:
    """Ticks for a scenario: a few dozen at most, with up to two spans of downtime."""
    first = datetime.fromisoformat(scenario["events"][0]["at"])
    whole = datetime.fromisoformat(scenario["until"]) - first
    least = max(1, int(whole.total_seconds()) // 60)
    every = draw(st.one_of(st.just(least), st.integers(least, least * 20)))
    places = draw(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=2))
    down = [[written(first + whole * min(pair) / 100), written(first + whole * max(pair) / 100)] for pair in places]
    return {"every_seconds": every, "down": down}


def minor(plan: dict[str, Any]) -> int:
    return int(plan["amount"].replace(".", ""))


def money(amount: int, currency: str) -> str:
    return Money(amount, currency).plain()


def written(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
