"""R2: metered use, paid by the kopeck as its use begins. Calculated by hand."""

import random
from typing import Any

import pytest

from subscriptions.engine import metering
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status
from tests.subscriptions.engine.bare import DAY, bought, counting_units, funded, instant, metered
from tests.subscriptions.engine.story import Story, hour, month, request, subscribe, top_up, withdraw

SERVER = hour("server", "1.00")  # a kopeck lasts 36 s
TWIN = hour("twin", "1.00")
FREE = hour("free", "0.00")
# A kopeck lasts a microsecond: an hour has 3,600,000,000 of them.
HUGE = hour("huge", "36000000.00")
BASIC = month("basic", "300.00")


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def server_of(money: str, *events: dict[str, Any], until: str, plans: Any = ()) -> Story:
    """Play a server that starts at the beginning of March with so much money."""
    return Story([SERVER, *plans], top_up("03-01", money), subscribe("03-01", "server"), *events, until=until)


# A unit is paid when its use begins.
def test_one_kopeck_carries_one_server_for_36_seconds() -> None:
    story = server_of("0.01", until="03-02")
    assert (story.access(), story.charged(), story.balance) == ([["03-01", "03-01 00:00:36"]], "0.01", "0.00")


def test_one_kopeck_does_not_carry_two_servers_for_72_seconds() -> None:
    # At the same instant the kopeck is due for the first; a microsecond later it is spent.
    for second in ("03-01", "03-01 00:00:00.000001"):
        story = server_of("0.01", subscribe(second, "server", "t"), until="03-02")
        assert (story.access("s"), story.access("t")) == ([["03-01", "03-01 00:00:36"]], [])


def test_cancelling_72_times_after_35_seconds_costs_72_kopecks() -> None:
    events = []
    for number in range(72):
        events.append(subscribe(f"03-01 {clock(number * 35)}", "server", f"s{number}"))
        events.append(request(f"03-01 {clock(number * 35 + 35)}", "cancel", f"s{number}"))
    story = Story([SERVER], top_up("03-01", "10.00"), *events, until="03-01 01:00")
    assert story.balance == "9.28"
    # In one piece 2520 s are 70 kopecks.
    assert server_of("10.00", request("03-01 00:42", "cancel"), until="03-01 01:00").balance == "9.30"


def test_a_start_is_paid_with_the_first_slice() -> None:
    assert server_of("1.00", until="03-01").rows() == []
    assert server_of("1.00", until="03-01 00:00:00.000001").rows() == [("03-01 00:00:00.000001", "charge", "-0.01")]


def test_a_new_kopeck_is_paid_only_when_the_last_one_is_used_up() -> None:
    # Withdrawals cut the use at 20 s (in the first kopeck), 40 s (in the second) and 70 s (still in it).
    cuts = [withdraw(f"03-01 00:0{at}", "1.00") for at in ("0:20", "0:40", "1:10")]
    two = [("03-01 00:00:20", "charge", "-0.01"), ("03-01 00:00:40", "charge", "-0.01")]
    assert server_of("10.00", *cuts, until="03-01 00:01:12").rows() == two
    third = ("03-01 00:01:12.000001", "charge", "-0.01")
    assert server_of("10.00", *cuts, until="03-01 00:01:12.000001").rows() == [*two, third]


def test_extra_runs_only_change_how_metered_charges_are_split() -> None:
    alone = server_of("10.00", until="03-02")
    events = [top_up("03-01", "10.00"), subscribe("03-01", "server")]
    ticked = Story([SERVER], *events, until="03-02", ticks={"every_seconds": 7200})
    assert alone.rows() == [("03-01 10:00", "charge", "-10.00")]
    assert ticked.rows() == [(f"03-01 {at:02}:00", "charge", "-2.00") for at in (2, 4, 6, 8, 10)]
    assert ticked.outcome["subscriptions"] == alone.outcome["subscriptions"]


def test_no_fraction_is_lost_when_a_meter_is_suspended() -> None:
    # 7 kopecks an hour: one lasts 3,600,000,000 / 7 = 514,285,714 us (8 min 34.285714 s) and 2/7. After the second
    # 4/7 are left, after the third 6/7; the fourth makes 8/7 of it: a whole microsecond more.
    money = [top_up(f"03-0{day}", "0.01") for day in range(2, 5)]
    events = [top_up("03-01", "0.01"), subscribe("03-01", "slow"), *money]
    story = Story([hour("slow", "0.07")], *events, until="03-06")
    ends = ["00:08:34.285714", "00:08:34.285714", "00:08:34.285714", "00:08:34.285715"]
    assert story.access() == [[f"03-0{day}", f"03-0{day} {end}"] for day, end in enumerate(ends, 1)]
    assert story.charged() == "0.04"


# Running dry.
def test_the_oldest_gets_the_last_kopeck() -> None:
    # Each pays one at its start; at 36 s both need another, and one is left.
    events = [subscribe("03-01", "server", "a"), subscribe("03-01", "server", "b")]
    story = Story([SERVER], top_up("03-01", "0.03"), *events, until="03-02")
    assert story.access("a") == [["03-01", "03-01 00:01:12"]]
    assert story.access("b") == [["03-01", "03-01 00:00:36"]]
    assert (story.balance, story.charged("a"), story.charged("b")) == ("0.00", "0.02", "0.01")


def test_a_stop_moves_nobody_else() -> None:
    # The second starts 18 s later: with an empty wallet each ends with its own kopeck.
    story = server_of("0.02", subscribe("03-01 00:00:18", "server", "t"), until="03-02")
    assert (story.access(), story.access("t")) == (
        [["03-01", "03-01 00:00:36"]],
        [["03-01 00:00:18", "03-01 00:00:54"]],
    )


def test_who_finds_too_little_is_suspended_and_the_next_is_asked() -> None:
    # Three and one kopecks a microsecond. Six: four for the first microsecond; then the three do not fit in two, and
    # the one takes them in two microseconds more.
    events = [subscribe("03-01", "huge", "three", quantity=3), subscribe("03-01", "huge", "one")]
    story = Story([HUGE], top_up("03-01", "0.06"), *events, until="03-02")
    assert story.access("three") == [["03-01", "03-01 00:00:00.000001"]]
    assert story.access("one") == [["03-01", "03-01 00:00:00.000003"]]
    assert story.balance == "0.00"


def test_money_that_does_not_pay_a_whole_microsecond_is_left() -> None:
    story = Story([HUGE], top_up("03-01", "0.05"), subscribe("03-01", "huge", quantity=3), until="03-02")
    assert (story.access(), story.balance) == ([["03-01", "03-01 00:00:00.000001"]], "0.02")


def test_a_start_needs_all_the_units_of_its_first_microsecond() -> None:
    for money, status in (("0.02", "pending"), ("0.03", "active")):
        story = Story([HUGE], top_up("03-01", money), subscribe("03-01", "huge", quantity=3), until="03-01")
        assert story.status() == status


def test_a_free_meter_never_runs_dry() -> None:
    story = server_of("0.01", subscribe("03-01", "free", "f"), until="03-02", plans=[FREE])
    assert (story.status(), story.status("f"), story.charged("f")) == ("suspended", "active", "0.00")


def test_running_dry_with_nothing_used_leaves_no_charge_and_no_access() -> None:
    # Case 14: at once changed to two kopecks a microsecond, and there is one.
    change = [request("03-01", "change_plan", plan="huge"), request("03-01", "change_quantity", quantity=2)]
    story = server_of("0.01", *change, until="03-02", plans=[HUGE])
    assert (story.status(), story.access(), story.charged(), story.balance) == ("suspended", [], "0.00", "0.01")


def test_a_suspended_meter_expires_when_its_days_are_over_however_late_that_is_noticed() -> None:
    # R1: dry at 36 s, and kept for a day.
    brief = hour("brief", "1.00", keep_days=1)
    for at, status in (("03-02 00:00:35.999999", "active"), ("03-02 00:00:36", "expired")):
        events = [top_up("03-01", "0.01"), subscribe("03-01", "brief"), top_up(at, "1.00")]
        assert Story([brief], *events, until=at).status() == status


# Due now.
def test_money_out_leaves_what_is_due_at_that_instant() -> None:
    # One of three kopecks is used at 36 s, and the next one is due.
    story = server_of("0.03", withdraw("03-01 00:00:36", "0.02"), withdraw("03-01 00:00:36", "0.01"), until="03-02")
    assert (story.rejected, story.access()) == ([2], [["03-01", "03-01 00:01:12"]])
    # A second before nothing is due.
    story = server_of("0.03", withdraw("03-01 00:00:35", "0.02"), until="03-02")
    assert (story.rejected, story.access()) == ([], [["03-01", "03-01 00:00:36"]])


def test_a_payment_in_advance_leaves_what_is_due_at_that_instant() -> None:
    for money, status in (("300.00", "pending"), ("300.01", "active")):
        story = server_of(money, subscribe("03-01", "basic", "b"), until="03-01", plans=[BASIC])
        assert story.status("b") == status
    # A renewal too: 72 s before the month ends the server starts, pays two kopecks, and needs a third at the boundary.
    for money, status in (("600.02", "suspended"), ("600.03", "active")):
        events = [top_up("03-01", money), subscribe("03-01", "basic"), subscribe("03-31 23:58:48", "server", "m")]
        story = Story([BASIC, SERVER], *events, until="04-01 00:00:00.000001")
        assert (story.status(), story.status("m")) == (status, "active")


def test_a_free_plan_goes_on_beside_a_meter_that_takes_the_last_kopeck() -> None:
    free_hours = {"code": "free_hours", "amount": "0.00", "interval": "hour"}
    events = [subscribe("03-01", "free_hours", "f"), subscribe("03-01", "cheap", "m")]
    story = Story([free_hours, hour("cheap", "0.01")], top_up("03-01", "0.01"), *events, until="03-02")
    assert (story.access("f"), story.access("m")) == ([["03-01", None]], [["03-01", "03-01 01:00"]])


# Credit.
def test_the_rest_of_a_kopeck_is_carried_to_another_rate() -> None:
    # 18 s are half a kopeck. At 1.00 a day one lasts 864 s, so its other half 432 s: 7 min 30 s in all.
    day = {"code": "day", "amount": "1.00", "interval": "day", "metered": True}
    story = server_of("0.01", request("03-01 00:00:18", "change_plan", plan="day"), until="03-02", plans=[day])
    assert story.access() == [["03-01", "03-01 00:07:30"]]


def test_changing_the_plan_every_second_costs_the_same() -> None:
    changes = [
        request(f"03-01 {clock(second)}", "change_plan", plan=("server", "twin")[second % 2]) for second in range(1, 72)
    ]
    assert server_of("1.00", *changes, until="03-01 00:01:12", plans=[TWIN]).charged() == "0.02"
    assert server_of("1.00", *changes, until="03-01 00:01:12.000001", plans=[TWIN]).charged() == "0.03"


def test_a_pause_keeps_the_rest_of_a_kopeck() -> None:
    # A second of the kopeck is left; resuming needs no money for it.
    pause = [request("03-01 00:00:35", "pause"), request("03-05", "resume")]
    story = server_of("0.01", *pause, until="03-06")
    assert (story.access(), story.balance) == (
        [["03-01", "03-01 00:00:35"], ["03-05", "03-05 00:00:01"]],
        "0.00",
    )


def test_a_pause_each_second_costs_the_same() -> None:
    pauses = [request(f"03-01 {clock(second)}", "pause" if second % 2 else "resume") for second in range(1, 72)]
    # 36 of the 72 seconds are used: one kopeck.
    story = server_of("1.00", *pauses, until="03-01 00:02")
    assert (story.status(), story.charged()) == ("paused", "0.01")


def test_a_number_changed_in_the_middle_of_a_kopeck_costs_no_more_than_its_use() -> None:
    # Half a kopeck is left at 18 s. Two servers use it in 9 s.
    story = server_of("0.01", request("03-01 00:00:18", "change_quantity", quantity=2), until="03-02")
    assert (story.rejected, story.access()) == ([], [["03-01", "03-01 00:00:27"]])


@pytest.mark.parametrize("between", ["basic", "free"])
def test_the_rest_is_gone_with_a_change_to_a_month_or_to_a_free_meter(between: str) -> None:
    # 18 s of a kopeck are used, and the next begins when the server starts again.
    away, back = (
        request(at, "change_plan", plan=plan) for at, plan in (("03-01 00:00:18", between), ("03-02", "server"))
    )
    story = server_of("900.00", away, back, until="03-02 00:00:00.000001", plans=[BASIC, FREE])
    kopecks = [row for row in story.rows() if row[2] == "-0.01"]
    assert kopecks == [("03-01 00:00:18", "charge", "-0.01"), ("03-02 00:00:00.000001", "charge", "-0.01")]


def test_a_change_from_one_meter_to_another_needs_no_money() -> None:
    # Case 13. Half a kopeck is left at 18 s and the wallet is empty: not enough for a microsecond of the huge one.
    story = server_of("0.01", request("03-01 00:00:18", "change_plan", plan="huge"), until="03-02", plans=[HUGE])
    assert (story.rejected, story.status(), story.access()) == ([], "suspended", [["03-01", "03-01 00:00:18"]])


def test_a_change_from_a_free_meter_needs_the_first_kopeck() -> None:
    for money, rejected in (([], [1]), ([top_up("03-01", "0.01")], [])):
        events = [*money, subscribe("03-01", "free"), request("03-01 01:00", "change_plan", plan="server")]
        story = Story([SERVER, FREE], *events, top_up("03-01 02:00", "1.00"), until="03-01 03:00")
        assert (story.rejected, story.charged()) == (rejected, "0.00" if rejected else "1.01")


# Work: calls of `units`, which everything about meters goes through.
def calls_to_run_dry(count: int, most: int, money: int) -> int:
    """Count the calls when so many meters of unequal rates run dry together."""
    chance = random.Random(count)
    book = funded(10**15)
    subs = [bought(book, "03-01", metered(f"m{n}", chance.randint(1, most))) for n in range(count)]
    book.balance = metering.used(book, instant("03-01") + 1) + money
    with counting_units() as counted:
        settle(book, instant("03-01") + DAY)
    assert {sub.status for sub in subs} == {Status.SUSPENDED}
    return counted["calls"]


@pytest.mark.parametrize("most", [10**6, 10**10, 10**12])
@pytest.mark.parametrize("money", [0, 10**4, 10**8])
def test_meters_that_run_dry_together_cost_work_by_their_number(most: int, money: int) -> None:
    # A day is searched in about 37 steps; the search is repeated a few times at most, never once for each meter.
    assert calls_to_run_dry(400, most, money) < 400 * 37 * 10
