"""The model alone: what the rules promise of any book, and small stories calculated by hand from the page."""

from datetime import datetime, timedelta
from itertools import pairwise
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.subscriptions.engine.model.calendar import MICROSECOND, parse
from tests.subscriptions.engine.model.fold import fold
from tests.subscriptions.engine.model.play import outcome, play, play_books
from tests.subscriptions.engine.model.proof import money_adds_up, overcharged
from tests.subscriptions.engine.model.state import LIVE, Book, boundary, rate, runs
from tests.subscriptions.engine.strategies import scenarios

many = settings(max_examples=max(150, settings().max_examples))
Event = dict[str, Any]


def holds(book: Book) -> None:
    """Assert what is true of a book at any time."""
    assert money_adds_up(book)
    assert book["balance"] >= 0
    assert book["debt"] >= 0
    assert not (book["balance"] and book["debt"])
    assert (book["rows"][-1]["balance"] if book["rows"] else 0) == book["balance"]
    for sub in book["subs"]:
        # Never less than what was served, and less than one unit more for each time an amount was rounded.
        assert sub["charged"] >= sub["served"]
        assert 0 <= overcharged(sub) <= sub["roundings"]
        assert 0 <= sub["credit"] < 1
        assert sub["start"] is None or sub["start"] <= book["at"]
        if (at := boundary(book, sub)) is not None:
            # A change at this instant may leave a boundary there, for the next settlement.
            assert at >= book["at"]


def interesting(book: Book, into: set[datetime]) -> None:
    """Note boundaries, turns, rows and the ends of units."""
    into.update(at for sub in book["subs"] for _, at in sub["history"])
    into.update(at for sub in book["subs"] if (at := boundary(book, sub)) is not None)
    into.update(row["at"] for row in book["rows"])
    for sub in book["subs"]:
        if runs(sub):
            for unit in range(3):
                into.add(book["at"] + floor((sub["credit"] + unit) / rate(sub)) * MICROSECOND)


@many
@given(scenarios())
def test_money_adds_up_and_service_is_paid_after_every_step(scenario: dict[str, Any]) -> None:
    play_books(scenario, watch=holds)


@many
@given(scenarios())
def test_between_steps_one_act_costs_at_most_one_unit_a_subscription(scenario: dict[str, Any]) -> None:
    """The loss by rounding grows by less than one at once, wherever the book is cut."""
    lost: dict[str, Any] = {}

    def watch(book: Book) -> None:
        for sub in book["subs"]:
            now, turns = overcharged(sub), len(sub["history"])
            before, turned = lost.get(sub["name"], (0, 0))
            assert before <= now < before + 1 + max(0, turns - turned)
            lost[sub["name"]] = now, turns

    play_books(scenario, watch=watch)


@many
@given(st.data())
def test_when_a_book_is_settled_changes_nothing(data: st.DataObject) -> None:
    scenario = data.draw(scenarios())
    instants: set[datetime] = set()
    books, rejected = play_books(scenario, watch=lambda book: interesting(book, instants))
    first = parse(scenario["events"][0]["at"])
    whole = (parse(scenario["until"]) - first) // MICROSECOND
    parts = data.draw(st.lists(st.integers(0, whole), max_size=10))
    cuts = [first + part * MICROSECOND for part in parts]
    cuts += [at + side * MICROSECOND for at in instants for side in (-1, 0, 0, 1)]
    if len(cuts) > 500:
        cuts = data.draw(st.randoms()).sample(cuts, 500)
    alone = outcome(books, scenario["currency"], rejected)
    books, rejected = play_books(scenario, more=cuts, watch=holds)
    cut = outcome(books, scenario["currency"], rejected)
    for part in ("customers", "subscriptions", "rejected"):
        assert cut[part] == alone[part]
    assert fold(cut) == fold(alone)


@many
@given(scenarios())
def test_a_refused_request_is_as_if_it_was_never_made(scenario: dict[str, Any]) -> None:
    whole = play(scenario)
    kept = [event for index, event in enumerate(scenario["events"]) if index not in whole["rejected"]]
    without = play({**scenario, "events": kept})
    assert without["rejected"] == []
    assert without["subscriptions"] == whole["subscriptions"]
    assert {**whole["customers"], **without["customers"]} == whole["customers"]
    assert fold(without) == fold({**whole, "customers": without["customers"]})


@many
@given(scenarios())
def test_access_is_what_statuses_say_and_rows_are_in_order(scenario: dict[str, Any]) -> None:
    books, _ = play_books(scenario)
    for book in books.values():
        for before, after in pairwise(book["rows"]):
            assert before["at"] <= after["at"]
            assert before["balance"] + after["amount"] == after["balance"] >= 0
        for sub in book["subs"]:
            live = timedelta(0)
            for (status, at), (_, then) in pairwise([*sub["history"], ("", book["at"])]):
                assert at <= then
                live += (then - at) * (status in LIVE)
            assert live == sum(((end or book["at"]) - start for start, end in sub["spans"]), timedelta(0))


# Stories. The day is 1 March 2026; events are written as "12:00:00" or "03-05 12:00:00".

VM = {"code": "vm", "amount": "1.00", "interval": "hour", "metered": True}
MONTH = {"code": "month", "amount": "99.00", "interval": "month", "grace_days": 20}
PIN = {"code": "pin", "amount": "0.00", "interval": "hour"}
LAST = "2026-03-02T00:00:00Z"


def at(time: str, do: str, **more: Any) -> Event:
    day, _, clock = time.rpartition(" ")
    target = {} if "customer" in more or "subscription" in more else {"customer": "ann"}
    return {"at": f"2026-{day or '03-01'}T{clock}Z", "do": do, **target, **more}


def ask(time: str, do: str, name: str = "s", **more: Any) -> Event:
    return at(time, do, subscription=name, **more)


def buy(time: str, plan: str, name: str = "s", **more: Any) -> Event:
    return at(time, "subscribe", plan=plan, **{"as": name}, **more)


def story(plans: list[dict[str, Any]], *events: Event, until: str = LAST, **more: Any) -> dict[str, Any]:
    """Play Ann's events; customers and their wallet are hers alone."""
    result = play({"currency": "RUB", "until": until, "plans": plans, "events": list(events), **more})
    return {**result, **result["customers"]["ann"], **result["subscriptions"]}


def test_one_kopeck_carries_one_server_for_36_seconds_not_two_for_72() -> None:
    one = story([VM], at("12:00:00", "top_up", amount="0.01"), buy("12:00:00", "vm"), buy("12:00:00", "vm", "t"))
    assert one["s"]["access"] == [["2026-03-01T12:00:00Z", "2026-03-01T12:00:36Z"]]
    assert (one["s"]["status"], one["s"]["charged"]) == ("suspended", "0.01")
    assert (one["t"]["status"], one["t"]["charged"], one["t"]["access"]) == ("pending", "0.00", [])


def test_two_kopecks_carry_two_servers_for_36_seconds() -> None:
    two = story([VM], at("12:00:00", "top_up", amount="0.02"), buy("12:00:00", "vm"), buy("12:00:00", "vm", "t"))
    assert two["s"]["access"] == two["t"]["access"] == [["2026-03-01T12:00:00Z", "2026-03-01T12:00:36Z"]]


def test_the_oldest_goes_on_with_the_last_kopeck_and_the_other_to_the_end_of_its_own_unit() -> None:
    """Three kopecks: s at 12:00:00, t at 12:00:10. At 12:00:36 s takes the third, t runs on to 12:00:46."""
    events = at("12:00:00", "top_up", amount="0.03"), buy("12:00:00", "vm"), buy("12:00:10", "vm", "t")
    result = story([VM], *events)
    assert result["s"]["access"] == [["2026-03-01T12:00:00Z", "2026-03-01T12:01:12Z"]]
    assert result["t"]["access"] == [["2026-03-01T12:00:10Z", "2026-03-01T12:00:46Z"]]


def test_72_servers_cancelled_after_35_seconds_each_cost_72_kopecks() -> None:
    events = [at("12:00:00", "top_up", amount="5.00")]
    for number in range(72):
        begins = datetime.fromisoformat("2026-03-01T12:00:00") + timedelta(seconds=35 * number)
        ends = begins + timedelta(seconds=35)
        events.append(buy(begins.strftime("%H:%M:%S"), "vm", f"s{number}"))
        events.append(ask(ends.strftime("%H:%M:%S"), "cancel", f"s{number}"))
    result = story([VM], *events)
    assert result["balance"] == "4.28"
    assert result["rejected"] == []


def test_a_pause_keeps_the_rest_of_a_unit() -> None:
    """Paused and resumed every 9 seconds four times: 36 seconds of use are one kopeck."""
    events = [at("12:00:00", "top_up", amount="0.01"), buy("12:00:00", "vm")]
    for minute in range(3):
        events += [ask(f"12:0{minute}:09", "pause"), ask(f"12:0{minute + 1}:00", "resume")]
    result = story([VM], *events)
    assert result["rejected"] == []
    assert result["s"]["access"][-1] == ["2026-03-01T12:03:00Z", "2026-03-01T12:03:09Z"]
    assert result["s"]["charged"] == "0.01"


def test_grace_is_no_longer_than_what_was_just_paid() -> None:
    """99.00 and 0.04 for 999 more in the last second of March; April would be 99 000.00: 43 minutes of trust.

    98 901.00 x 1 s / 2 678 400 s is 3.69... kopecks, so 4. 30 days x 9904 // 9 900 000 is 2593.047272 seconds.
    """
    events = [
        at("00:00:00", "top_up", amount="99.10"), buy("00:00:00", "month"),
        ask("03-31 23:59:59", "change_quantity", quantity=1000),
    ]  # fmt: skip
    result = story([MONTH], *events, until="2026-04-01T12:00:00Z")
    assert result["rejected"] == []
    assert result["s"]["access"] == [["2026-03-01T00:00:00Z", "2026-04-01T00:43:13.047272Z"]]
    # The grace is 99.04, rounded up: 99 000.00 x 2593.047272 / 2 592 000. Six kopecks were left, the rest is debt.
    assert (result["s"]["status"], result["s"]["charged"]) == ("suspended", "198.08")
    assert (result["balance"], result["debt"]) == ("0.00", "98.98")


def test_numbers_up_and_down_gain_nothing() -> None:
    """Half a month is left each time: 49.50 there and back. At other instants a kopeck is lost, never gained."""
    events = [at("00:00:00", "top_up", amount="20000.00"), buy("00:00:00", "month", quantity=100)]
    for hour in range(20):
        events += [ask(f"03-16 {hour:02}:00:01", "change_quantity", quantity=quantity) for quantity in (101, 100)]
    result = story([MONTH], *events, until="2026-03-20T00:00:00Z")
    assert result["rejected"] == []
    assert 9900 <= float(result["s"]["charged"]) <= 9900 + 20 * 0.01


def test_what_costs_nothing_goes_on_beside_a_meter_with_the_last_kopeck() -> None:
    """At 13:00 the meter's next unit is due and there is just the kopeck for it. The free hour needs none."""
    meter = {"code": "meter", "amount": "0.01", "interval": "hour", "metered": True}
    events = at("12:00:00", "top_up", amount="0.02"), buy("12:00:00", "meter"), buy("12:00:00", "pin", "t")
    result = story([meter, PIN], *events, until="2026-03-01T13:30:00Z")
    assert (result["s"]["status"], result["t"]["status"]) == ("active", "active")
    assert (result["balance"], result["s"]["charged"]) == ("0.00", "0.02")
    late = story([meter, PIN], *events[:2], buy("13:00:00", "pin", "t"), until="2026-03-01T13:30:00Z")
    assert (late["s"]["status"], late["t"]["status"]) == ("active", "active")


def test_an_advance_start_leaves_what_is_due_now() -> None:
    """One kopeck and a meter that began at this instant: a kopeck's worth paid ahead is refused its money."""
    paid_ahead = {"code": "hourly", "amount": "0.01", "interval": "hour"}
    events = [at("12:00:00", "top_up", amount="0.01"), buy("12:00:00", "vm"), buy("12:00:00", "hourly", "t")]
    assert story([VM, paid_ahead], *events)["t"]["status"] == "pending"
    assert story([VM, paid_ahead], *events, at("12:00:00", "withdraw", amount="0.01"))["rejected"] == [3]
    # A microsecond later the meter has paid its unit and nothing is left.
    one_more = [at("12:00:00", "top_up", amount="0.01"), ask("12:00:35.999999", "start", "t")]
    assert story([VM, paid_ahead], *events, *one_more)["t"]["charged"] == "0.01"


def test_a_number_changed_inside_a_period_moves_one_difference() -> None:
    """Half of a 30-day period is left: two more seats cost 99.00, one less gives 49.50 back."""
    events = [at("04-01 00:00:00", "top_up", amount="500.00"), buy("04-01 00:00:00", "month")]
    events.append(ask("04-16 00:00:00", "change_quantity", quantity=3))
    up = story([MONTH], *events, until="2026-04-20T00:00:00Z")
    assert (up["balance"], up["s"]["charged"]) == ("302.00", "198.00")
    events.append(ask("04-16 00:00:00", "change_quantity", quantity=2))
    down = story([MONTH], *events, until="2026-04-20T00:00:00Z")
    assert (down["balance"], down["s"]["charged"]) == ("351.50", "148.50")


def test_an_order_is_started_by_its_own_payment_or_on_request_only() -> None:
    events = [buy("12:00:00", "month"), at("12:00:01", "top_up", amount="99.00")]
    assert story([MONTH], *events)["s"]["status"] == "pending"
    assert story([MONTH], *events, ask("12:00:02", "start"))["s"]["status"] == "active"
    assert story([MONTH], events[0], {**events[1], "for": "s"})["s"]["status"] == "active"
    turned_back = [at("12:00:00", "top_up", amount="99.00"), buy("12:00:01", "month", checkout=True)]
    assert story([MONTH], *turned_back)["s"]["status"] == "pending"
    expired = story([MONTH], *events, ask("03-03 12:00:00", "start"), until="2026-03-03T12:00:00Z", order_days=2)
    assert (expired["s"]["status"], expired["rejected"]) == ("expired", [2])


def test_a_lost_dispute_stops_the_newest_and_a_debt_is_paid_first() -> None:
    """Two months paid at once, a dispute over one of them: the newer one's unused half pays 49.50 of 99.00."""
    events = [at("04-01 00:00:00", "top_up", amount="198.00"), buy("04-01 00:00:00", "month")]
    events += [buy("04-01 00:00:00", "month", "t"), at("04-16 00:00:00", "dispute_lost", amount="49.50")]
    result = story([MONTH], *events, until="2026-04-16T00:00:00Z")
    assert (result["s"]["status"], result["t"]["status"], result["debt"]) == ("active", "suspended", "0.00")
    assert [row["reason"] for row in result["transactions"][3:]] == ["unused_refund", "debt_payment"]
    events[-1]["amount"] = "120.00"
    result = story([MONTH], *events, at("04-17 00:00:00", "top_up", amount="30.00"), until="2026-04-17T00:00:00Z")
    assert (result["s"]["status"], result["t"]["status"]) == ("suspended", "suspended")
    assert (result["balance"], result["debt"]) == ("9.00", "0.00")
    rows = [(row["reason"], row["amount"], row["subscription"]) for row in result["transactions"][3:]]
    assert rows == [
        ("unused_refund", "49.50", "t"), ("debt_payment", "-49.50", None),
        ("unused_refund", "49.50", "s"), ("debt_payment", "-49.50", None),
        ("top_up", "30.00", None), ("debt_payment", "-21.00", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "allowed"),
    [(1_000_000, True), (1_000_001, False), (0, False)],
)
def test_a_number_has_limits(quantity: int, allowed: bool) -> None:
    """1 000 000 x 10 000.00 is just a payment that can be made."""
    plan = {"code": "dear", "amount": "10000.00", "interval": "month"}
    dearer = {**plan, "code": "dearer", "amount": "10000.01"}
    result = story([plan, dearer], buy("12:00:00", "dear"), ask("12:00:00", "change_quantity", quantity=quantity))
    assert result["rejected"] == ([] if allowed else [1])
    events = buy("12:00:00", "dear"), buy("12:00:00", "dearer", "t", quantity=1_000_000), ask("12:00:00", "start", "t")
    refused = story([plan, dearer], *events)
    assert refused["rejected"] == [1, 2]
    assert "t" not in refused["subscriptions"]


def test_a_trial_is_given_for_few_and_goes_on_where_trials_are_given() -> None:
    terms = {"trial_days": 7, "trial_quantity_max": 2}
    trial, other = {**MONTH, **terms, "code": "trial"}, {**MONTH, **terms, "code": "other"}
    plans = [trial, other, MONTH]
    assert story(plans, buy("12:00:00", "trial", quantity=3))["s"]["status"] == "pending"
    begun = buy("12:00:00", "trial", quantity=2, checkout=True)
    assert story(plans, begun)["s"]["status"] == "trialing"
    assert story(plans, begun, ask("12:00:00", "change_plan", plan="other"))["s"]["status"] == "trialing"
    requests = ask("12:00:00", "change_plan", plan="month"), ask("12:00:00", "change_quantity", quantity=3)
    assert story(plans, begun, *requests)["rejected"] == [1, 2]
