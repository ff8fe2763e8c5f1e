"""R2 and R4: what a metered use leaves of a minor unit when it ends. Worked out by hand."""

from typing import Any

from tests.subscriptions.engine.story import Told, ask, hour, month, subscribe, top_up, withdraw

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


def test_fractions_that_come_to_a_whole_are_charged_when_the_use_ends() -> None:
    # Three servers for 24 s each, two thirds of a kopeck: 2/3, then 4/3, then 1/3 + 2/3 = 1.
    three = [subscribe("03-01", "server", name) for name in "abc"]
    ends = [ask("03-01 00:00:24", "cancel", name) for name in "abc"]
    told = Told([SERVER], top_up("03-01", "1.00"), *three, *ends, until="03-01 00:01")
    assert [told.charged(name) for name in "abc"] == ["0.00", "0.01", "0.01"]
    assert told.rows("b") == [("03-01 00:00:24", "charge", "-0.01")]


def test_what_was_used_before_is_charged_when_a_use_starts() -> None:
    # 24 s of each of two, paused: 4/3 kopecks, of which the third one that starts takes up nothing. Cancelled, they
    # are charged a kopeck, and a third of one waits for the next start.
    two = [subscribe("03-01", "server", name) for name in "ab"]
    events = [top_up("03-01", "1.00"), *two, *[ask("03-01 00:00:24", "pause", name) for name in "ab"]]
    assert Told([SERVER], *events, subscribe("03-01 01:00", "server", "c"), until="03-01 01:00").charged("c") == "0.00"
    ends = [ask("03-01 02:00", "cancel", name) for name in "ab"]
    told = Told([SERVER], *events, *ends, subscribe("03-01 03:00", "server", "c"), until="03-01 03:00:24")
    assert [told.charged(name) for name in "abc"] == ["0.00", "0.01", "0.01"]


def test_what_was_used_buys_nothing_else() -> None:
    # Ten servers, paused after 35 s each: 9.72 kopecks, nine of them whole. 300.08 do not pay for the month.
    ten = [subscribe("03-01", "server", f"s{n}") for n in range(10)]
    paused = [ask("03-01 00:00:35", "pause", f"s{n}") for n in range(10)]
    month_too = subscribe("03-01 01:00", "basic", "m")
    for paid_in, status in (("300.08", "pending"), ("300.09", "active")):
        told = Told([SERVER, BASIC], top_up("03-01", paid_in), *ten, *paused, month_too, until="03-02")
        assert told.status("m") == status
    told = Told([SERVER], top_up("03-01", "1.00"), *ten, *paused, withdraw("03-02", "0.92"), until="03-03")
    assert (told.rejected, told.balance) == ([21], "1.00")
    told = Told([SERVER], top_up("03-01", "1.00"), *ten, *paused, withdraw("03-02", "0.91"), until="03-03")
    assert (told.rejected, told.balance) == ([], "0.09")


def test_what_costs_nothing_is_not_held_up_by_what_was_used() -> None:
    # Two servers run dry with 1.99 kopecks unpaid and nothing in the wallet; the free day goes on, and another starts.
    free_day = {"code": "free_day", "amount": "0.00", "interval": "day"}
    two = [subscribe("03-01", "server", name) for name in "ab"]
    events = [top_up("03-01", "0.02"), subscribe("03-01", "free_day", "f"), *two, subscribe("03-02", "free_day", "g")]
    told = Told([SERVER, free_day], *events, until="03-04")
    assert (told.status("a"), told.status("f"), told.status("g")) == ("suspended", "active", "active")


def test_who_pauses_one_server_and_takes_another_pays_the_same() -> None:
    # A kopeck, and a new server each 35.999999 s. A start needs a kopeck and what is whole of the paused fractions:
    # the second finds none whole, the third one.
    events = []
    for n in range(10):
        events += [subscribe(f"03-01 00:0{n}", "server", f"s{n}"), ask(f"03-01 00:0{n}:35.999999", "pause", f"s{n}")]
    told = Told([SERVER], top_up("03-01", "0.01"), *events, until="03-02")
    assert [told.status(f"s{n}") for n in range(4)] == ["paused", "paused", "pending", "pending"]


def test_of_many_at_one_instant_each_finds_what_the_ones_before_left() -> None:
    # Ten fractions of 35/36 are charged nine kopecks as they end, and one is left for the next: one server, not ten.
    ten = [subscribe("03-01", "server", f"s{n}") for n in range(10)]
    ends = [ask("03-01 00:00:35", "cancel", f"s{n}") for n in range(10)]
    more = [subscribe("03-01 02:00", "server", f"t{n}") for n in range(10)]
    told = Told([SERVER], top_up("03-01", "0.10"), *ten, *ends, *more, until="03-01 02:00")
    assert told.balance == "0.01"
    assert [told.status(f"t{n}") for n in range(3)] == ["active", "pending", "pending"]


def test_each_meter_that_runs_needs_a_unit_behind_it() -> None:
    # Two kopecks carry two servers, however many are asked for; a third one waits.
    told = Told(
        [SERVER],
        top_up("03-01", "0.02"),
        *[subscribe("03-01", "server", name) for name in "abc"],
        until="03-01 00:00:30",
    )
    assert [told.status(name) for name in "abc"] == ["active", "active", "pending"]


def test_those_that_wait_start_when_what_they_used_is_there() -> None:
    # Both run dry a microsecond before 72 s, with all but a kopeck each unpaid: 1.99 kopecks. One kopeck wakes
    # neither, two wake the older (its own unit, and what is whole of both), and then the other as well.
    for paid_in, expected in (("0.01", ["suspended"] * 2), ("0.02", ["active"] * 2)):
        events = [subscribe("03-01", "server", "a"), subscribe("03-01", "server", "b"), top_up("03-01 01:00", paid_in)]
        told = Told([SERVER], top_up("03-01", "0.02"), *events, until="03-01 01:00")
        assert [told.status(name) for name in "ab"] == expected


def test_a_use_that_begins_to_cost_needs_money_like_any_start() -> None:
    events = [subscribe("03-01", "free"), ask("03-01 01:00", "change_plan", plan="server")]
    told = Told([SERVER, FREE], *events, top_up("03-01 02:00", "1.00"), until="03-01 03:00")
    assert (told.rejected, told.charged()) == ([1], "0.00")
    told = Told([SERVER, FREE], top_up("03-01", "0.01"), *events, until="03-01 03:00")
    assert (told.rejected, told.charged()) == ([], "0.01")
