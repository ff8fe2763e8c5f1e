"""R2 and R4: what a metered use leaves of a minor unit when it ends. Worked out by hand."""

from typing import Any

from tests.engine.telling import Told, ask, hour, month, subscribe, top_up, withdraw

SERVER = hour("server", "1.00")  # a kopeck each 36 s
FREE = hour("free", "0.00")
BASIC = month("basic", "300.00")


def cycles(count: int, seconds: int) -> list[dict[str, Any]]:
    """Subscribe and cancel again and again, each time after so many seconds and at once anew."""
    events = []
    for number in range(count):
        begin, end = number * seconds, (number + 1) * seconds
        events.append(subscribe(f"03-01 {clock(begin)}", "server", f"s{number}"))
        events.append(ask(f"03-01 {clock(end)}", "cancel", f"s{number}"))
    return events


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def test_who_cancels_and_comes_again_pays_the_same() -> None:
    # Each time 35 s, which are 35/36 of a kopeck: 72 times make 2520 s, that is 70 kopecks.
    told = Told([SERVER], top_up("03-01", "10.00"), *cycles(72, 35), until="03-01 01:00")
    assert told.balance == "9.30"
    at_once = Told([SERVER], top_up("03-01", "10.00"), *cycles(1, 2520), until="03-01 01:00")
    assert at_once.balance == told.balance


def test_a_fraction_waits_for_the_next_meter_through_a_month_paid_ahead() -> None:
    # 18 s of the server, half a kopeck; then a month; then the server again, whose first kopeck is due after 18 s.
    events = [
        top_up("03-01", "310.00"), subscribe("03-01", "server"), ask("03-01 00:00:18", "change_plan", plan="basic"),
        ask("03-01 00:01", "change_plan", plan="server"),
    ]  # fmt: skip
    short = Told([SERVER, BASIC], *events, until="03-01 00:01:17.999999")
    assert Told([SERVER, BASIC], *events, until="03-01 00:01:18").rows()[len(short.rows()) :] == [
        ("03-01 00:01:18", "charge", "-0.01")
    ]


def test_a_fraction_waits_through_a_price_of_nothing() -> None:
    events = [
        top_up("03-01", "1.00"), subscribe("03-01", "server"), ask("03-01 00:00:35", "change_plan", plan="free"),
        ask("03-01 05:00", "change_plan", plan="server"),
    ]  # fmt: skip
    assert Told([SERVER, FREE], *events, until="03-01 05:00:00.999999").charged() == "0.00"
    assert Told([SERVER, FREE], *events, until="03-01 05:00:01").charged() == "0.01"


def test_fractions_that_add_up_are_owed_with_the_first_microsecond() -> None:
    # Three servers for 24 s each, two thirds of a kopeck: together two kopecks, which the next one owes at once.
    three = [subscribe("03-01", "server", name) for name in "abc"]
    ends = [ask("03-01 00:00:24", "cancel", name) for name in "abc"]
    again = subscribe("03-01 01:00", "server", "d")
    told = Told([SERVER], top_up("03-01", "1.00"), *three, *ends, again, until="03-01 01:00:00.000001")
    assert (told.charged("a"), told.charged("d"), told.balance) == ("0.00", "0.02", "0.98")


def test_what_was_used_before_must_be_there_to_start_again() -> None:
    # The two kopecks of the test above, and one for the server itself.
    three = [subscribe("03-01", "server", name) for name in "abc"]
    ends = [ask("03-01 00:00:24", "cancel", name) for name in "abc"]
    events = [top_up("03-01", "1.00"), *three, *ends]
    again = subscribe("03-01 01:00", "server", "d")
    assert Told([SERVER], *events, withdraw("03-01 00:30", "0.97"), again, until="03-02").charged("d") == "0.03"
    assert Told([SERVER], *events, withdraw("03-01 00:30", "0.98"), again, until="03-02").status("d") == "pending"


def test_each_meter_that_runs_needs_a_unit_behind_it() -> None:
    # Two kopecks carry two servers, however many are asked for; a third one waits.
    told = Told(
        [SERVER],
        top_up("03-01", "0.02"),
        *[subscribe("03-01", "server", name) for name in "abc"],
        until="03-01 00:00:30",
    )
    assert [told.status(name) for name in "abc"] == ["active", "active", "pending"]


def test_of_those_that_wait_as_many_start_as_there_are_units_for() -> None:
    # Both run dry a microsecond before 72 s; of one kopeck that comes only the older lives again.
    events = [subscribe("03-01", "server", "a"), subscribe("03-01", "server", "b"), top_up("03-01 01:00", "0.01")]
    told = Told([SERVER], top_up("03-01", "0.02"), *events, until="03-01 01:00")
    assert [told.status(name) for name in "ab"] == ["active", "suspended"]


def test_a_use_that_begins_to_cost_needs_money_like_any_start() -> None:
    events = [subscribe("03-01", "free"), ask("03-01 01:00", "change_plan", plan="server")]
    told = Told([SERVER, FREE], *events, top_up("03-01 02:00", "1.00"), until="03-01 03:00")
    assert (told.rejected, told.charged()) == ([1], "0.00")
    told = Told([SERVER, FREE], top_up("03-01", "0.01"), *events, until="03-01 03:00")
    assert (told.rejected, told.charged()) == ([], "0.01")
