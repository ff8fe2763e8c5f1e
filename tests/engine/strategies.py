"""Random scenarios that look for trouble: same instants, boundaries hit to the microsecond, wallets just too small.

No test lives here.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from ledger.money import Money

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
# Gaps between events: whole intervals and graces, a microsecond beside them, and none at all.
WHOLE = [SECOND, MINUTE, 36 * SECOND, HOUR, 2 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 28 * DAY, 30 * DAY, 31 * DAY]
GRACES = {"day": 1, "week": 7, "month": 28, "year": 365}

# Half of them are none: an instant in which much happens is where mistakes hide.
gaps = st.just(timedelta(0)) | st.one_of(
    st.sampled_from(WHOLE),
    st.builds(lambda whole, side: whole + side, st.sampled_from(WHOLE), st.sampled_from([-MICROSECOND, MICROSECOND])),
    st.integers(1, 10**7).map(lambda micros: timedelta(microseconds=micros)),
    st.integers(1, 40 * 86_400).map(lambda seconds: timedelta(seconds=seconds)),
)
small = st.sampled_from([0, 1, 1, 2, 3, 7, 10, 99, 100])


@st.composite
def plans(draw: Draw, currency: str) -> list[dict[str, Any]]:
    """Two to five plans, of which at least one is metered and one is paid ahead."""
    kinds = [True, False, *draw(st.lists(st.booleans(), max_size=3))]
    return [draw(metered(f"p{n}", currency) if kind else advance(f"p{n}", currency)) for n, kind in enumerate(kinds)]


@st.composite
def advance(draw: Draw, code: str, currency: str) -> dict[str, Any]:
    interval = draw(st.sampled_from(["hour", "day", "week", "month", "month", "year"]))
    count = draw(st.sampled_from([1, 1, 1, 2, 3]))
    most = GRACES.get(interval, 0) * count - 1
    return {
        "code": code, "metered": False, "amount": money(draw(small), currency), "interval": interval,
        "interval_count": count, "trial_days": draw(st.sampled_from([0, 0, 1, 7])),
        "grace_days": draw(st.sampled_from([0, min(1, most), min(3, most)])) if most > 0 else 0,
    }  # fmt: skip


@st.composite
def metered(draw: Draw, code: str, currency: str) -> dict[str, Any]:
    rates = st.one_of(small, st.sampled_from([3600, 86_400, 10**6 + 1, 10**9]))
    return {
        "code": code, "metered": True, "amount": money(draw(rates), currency),
        "interval": draw(st.sampled_from(["second", "minute", "hour", "hour", "day", "week"])),
        "interval_count": draw(st.sampled_from([1, 1, 2, 7])), "trial_days": draw(st.sampled_from([0, 0, 0, 1])),
    }  # fmt: skip


@st.composite
def scenarios(draw: Draw, *, most_events: int = 14, most_customers: int = 2) -> dict[str, Any]:
    """A scenario without ticks."""
    currency = draw(st.sampled_from(CURRENCIES))
    offered = draw(plans(currency))
    at = draw(st.sampled_from(STARTS))
    names = ["ann", "bob"][: draw(st.integers(1, most_customers))]
    made: list[str] = []
    events: list[dict[str, Any]] = []
    if draw(st.booleans()):
        # Rich enough for most things to work at first, or just so for some.
        first = money(draw(st.just(10_000) | amounts(offered)), currency)
        events.append({"at": written(at), "do": "top_up", "customer": "ann", "amount": first})
    for _ in range(draw(st.integers(1, most_events))):
        events.append({"at": written(at), **draw(event(currency, offered, names, made))})
        at += draw(gaps)
    return {"currency": currency, "until": written(at), "plans": offered, "events": events}


@st.composite
def event(
    draw: Draw, currency: str, offered: list[dict[str, Any]], names: list[str], made: list[str]
) -> dict[str, Any]:
    """One event; the first ones are of a customer, for want of a subscription."""
    kinds = ["top_up", "top_up", "subscribe", "subscribe", "withdraw"]
    asked = ["change_plan", "change_plan", "pause", "resume", "resume", "cancel", "undo_cancel"]
    do = draw(st.sampled_from(kinds + asked if made else kinds))
    if do in ("top_up", "withdraw"):
        return {"do": do, "customer": draw(st.sampled_from(names)), "amount": money(draw(amounts(offered)), currency)}
    if do == "subscribe":
        made.append(f"s{len(made)}")
        return {
            "do": do, "customer": draw(st.sampled_from(names)), "plan": draw(codes(offered)), "as": made[-1],
            "quantity": draw(st.sampled_from([1, 1, 1, 2, 3])), "periods": draw(st.sampled_from([1, 1, 2])),
            "auto_renew": draw(st.sampled_from([True, True, True, False])),
        }  # fmt: skip
    asked_for: dict[str, Any] = {"do": do, "subscription": draw(st.sampled_from(made))}
    if do == "change_plan":
        asked_for["plan"] = draw(codes(offered))
    if do in ("change_plan", "cancel"):
        when = draw(st.sampled_from([None, "now", "period_end"]))
        asked_for |= {"when": when} if when else {}
    if do == "cancel":
        asked_for["refund_unused"] = draw(st.booleans())
    return asked_for


def codes(offered: list[dict[str, Any]]) -> st.SearchStrategy[str]:
    return st.sampled_from([plan["code"] for plan in offered])


def amounts(offered: list[dict[str, Any]]) -> st.SearchStrategy[int]:
    """Amounts in minor units: little ones, what a plan costs, and one more or less than that."""
    costs = [int(plan["amount"].replace(".", "")) for plan in offered]
    near = [max(1, cost * times + side) for cost in costs for times in (1, 2, 3, 4, 6) for side in (-1, 0, 0, 0, 1)]
    return st.one_of(st.sampled_from(near), st.sampled_from(near), st.integers(1, 5), st.integers(1, 10_000))


@st.composite
def ticks(draw: Draw, scenario: dict[str, Any]) -> dict[str, Any]:
    """A scheduler for a scenario: at most some dozens of ticks, and a span or two in which it is down."""
    first = datetime.fromisoformat(scenario["events"][0]["at"])
    whole = datetime.fromisoformat(scenario["until"]) - first
    least = max(1, int(whole.total_seconds()) // 60)
    every = draw(st.one_of(st.just(least), st.integers(least, least * 20)))
    places = draw(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=2))
    down = [[written(first + whole * min(pair) / 100), written(first + whole * max(pair) / 100)] for pair in places]
    return {"every_seconds": every, "down": down}


def money(amount: int, currency: str) -> str:
    return Money(amount, currency).plain()


def written(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
