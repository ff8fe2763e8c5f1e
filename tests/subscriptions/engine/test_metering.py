"""R2 and R4: fractions of a minor unit that metered uses leave. Calculated by hand."""

from typing import Any

from tests.subscriptions.engine.story import Story, hour, month, request, subscribe, top_up, withdraw

SERVER = hour("server", "1.00")  # a kopeck each 36 s
FREE = hour("free", "0.00")
BASIC = month("basic", "300.00")


def cycles(count: int, seconds: int) -> list[dict[str, Any]]:
    """Subscribe and cancel `count` times, each for so many seconds and without a gap."""
    events = []
    for number in range(count):
        begin, end = number * seconds, (number + 1) * seconds
        events.append(subscribe(f"03-01 {clock(begin)}", "server", f"s{number}"))
        events.append(request(f"03-01 {clock(end)}", "cancel", f"s{number}"))
    return events


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def test_cancelling_and_subscribing_again_costs_the_same() -> None:
    # 35 s cost 35/36 of a kopeck; 72 times that is 2520 s, or 70 kopecks.
    story = Story([SERVER], top_up("03-01", "10.00"), *cycles(72, 35), until="03-01 01:00")
    assert story.balance == "9.30"
    at_once = Story([SERVER], top_up("03-01", "10.00"), *cycles(1, 2520), until="03-01 01:00")
    assert at_once.balance == story.balance


def test_a_fraction_is_kept_through_an_advance_period() -> None:
    # 18 s of the server cost half a kopeck; then a month; then the server again, which owes a kopeck after 18 s.
    events = [
        top_up("03-01", "310.00"), subscribe("03-01", "server"), request("03-01 00:00:18", "change_plan", plan="basic"),
        request("03-01 00:01", "change_plan", plan="server"),
    ]  # fmt: skip
    short = Story([SERVER, BASIC], *events, until="03-01 00:01:17.999999")
    assert Story([SERVER, BASIC], *events, until="03-01 00:01:18").rows()[len(short.rows()) :] == [
        ("03-01 00:01:18", "charge", "-0.01")
    ]


def test_a_fraction_is_kept_through_a_free_meter() -> None:
    events = [
        top_up("03-01", "1.00"), subscribe("03-01", "server"), request("03-01 00:00:35", "change_plan", plan="free"),
        request("03-01 05:00", "change_plan", plan="server"),
    ]  # fmt: skip
    assert Story([SERVER, FREE], *events, until="03-01 05:00:00.999999").charged() == "0.00"
    assert Story([SERVER, FREE], *events, until="03-01 05:00:01").charged() == "0.01"


def test_fractions_that_add_up_to_a_unit_are_charged_when_a_use_ends() -> None:
    # Three servers for 24 s each, two thirds of a kopeck: 2/3, then 4/3, then 1/3 + 2/3 = 1.
    three = [subscribe("03-01", "server", name) for name in "abc"]
    ends = [request("03-01 00:00:24", "cancel", name) for name in "abc"]
    story = Story([SERVER], top_up("03-01", "1.00"), *three, *ends, until="03-01 00:01")
    assert [story.charged(name) for name in "abc"] == ["0.00", "0.01", "0.01"]
    assert story.rows("b") == [("03-01 00:00:24", "charge", "-0.01")]


def test_leftover_fractions_are_charged_when_a_use_ends_or_starts() -> None:
    # Two servers, paused after 24 s each, owe 4/3 kopecks; a third one that starts does not take them. When the two are
    # cancelled they are charged a kopeck, and the next start takes the remaining third.
    two = [subscribe("03-01", "server", name) for name in "ab"]
    events = [top_up("03-01", "1.00"), *two, *[request("03-01 00:00:24", "pause", name) for name in "ab"]]
    assert Story([SERVER], *events, subscribe("03-01 01:00", "server", "c"), until="03-01 01:00").charged("c") == "0.00"
    ends = [request("03-01 02:00", "cancel", name) for name in "ab"]
    story = Story([SERVER], *events, *ends, subscribe("03-01 03:00", "server", "c"), until="03-01 03:00:24")
    assert [story.charged(name) for name in "abc"] == ["0.00", "0.01", "0.01"]


def test_money_for_carried_fractions_cannot_be_spent() -> None:
    # Ten servers, paused after 35 s each, owe 9.72 kopecks, nine of them whole. So 300.08 cannot pay for the month.
    ten = [subscribe("03-01", "server", f"s{n}") for n in range(10)]
    paused = [request("03-01 00:00:35", "pause", f"s{n}") for n in range(10)]
    month_too = subscribe("03-01 01:00", "basic", "m")
    for paid_in, status in (("300.08", "pending"), ("300.09", "active")):
        story = Story([SERVER, BASIC], top_up("03-01", paid_in), *ten, *paused, month_too, until="03-02")
        assert story.status("m") == status
    story = Story([SERVER], top_up("03-01", "1.00"), *ten, *paused, withdraw("03-02", "0.92"), until="03-03")
    assert (story.rejected, story.balance) == ([21], "1.00")
    story = Story([SERVER], top_up("03-01", "1.00"), *ten, *paused, withdraw("03-02", "0.91"), until="03-03")
    assert (story.rejected, story.balance) == ([], "0.09")


def test_free_plans_start_despite_unpaid_fractions() -> None:
    # Two servers run dry with 1.99 kopecks unpaid and an empty wallet; the free plan continues, and another starts.
    free_day = {"code": "free_day", "amount": "0.00", "interval": "day"}
    two = [subscribe("03-01", "server", name) for name in "ab"]
    events = [top_up("03-01", "0.02"), subscribe("03-01", "free_day", "f"), *two, subscribe("03-02", "free_day", "g")]
    story = Story([SERVER, free_day], *events, until="03-04")
    assert (story.status("a"), story.status("f"), story.status("g")) == ("suspended", "active", "active")


def test_alternating_paused_servers_cannot_avoid_charges() -> None:
    # One kopeck, and a new server each minute for 35.999999 s. A start needs a kopeck and the whole units of the paused
    # fractions: none for the second server, one for the third.
    events = []
    for n in range(10):
        events += [
            subscribe(f"03-01 00:0{n}", "server", f"s{n}"),
            request(f"03-01 00:0{n}:35.999999", "pause", f"s{n}"),
        ]
    story = Story([SERVER], top_up("03-01", "0.01"), *events, until="03-02")
    assert [story.status(f"s{n}") for n in range(4)] == ["paused", "paused", "pending", "pending"]


def test_simultaneous_starts_share_the_balance() -> None:
    # Ten fractions of 35/36 are charged nine kopecks when they end. The kopeck left starts one server, not ten.
    ten = [subscribe("03-01", "server", f"s{n}") for n in range(10)]
    ends = [request("03-01 00:00:35", "cancel", f"s{n}") for n in range(10)]
    more = [subscribe("03-01 02:00", "server", f"t{n}") for n in range(10)]
    story = Story([SERVER], top_up("03-01", "0.10"), *ten, *ends, *more, until="03-01 02:00")
    assert story.balance == "0.01"
    assert [story.status(f"t{n}") for n in range(3)] == ["active", "pending", "pending"]


def test_each_running_meter_needs_a_unit_of_the_balance() -> None:
    # Two kopecks start two servers; the third one waits.
    story = Story(
        [SERVER],
        top_up("03-01", "0.02"),
        *[subscribe("03-01", "server", name) for name in "abc"],
        until="03-01 00:00:30",
    )
    assert [story.status(name) for name in "abc"] == ["active", "active", "pending"]


def test_suspended_meters_restart_when_the_wallet_covers_their_fractions() -> None:
    # Both run dry a microsecond before they owe the next kopeck, with 1.99 kopecks unpaid together. One kopeck revives
    # neither. Two revive the older one (one unit for it, one whole unit of the fractions), and then the other.
    for paid_in, expected in (("0.01", ["suspended"] * 2), ("0.02", ["active"] * 2)):
        events = [subscribe("03-01", "server", "a"), subscribe("03-01", "server", "b"), top_up("03-01 01:00", paid_in)]
        story = Story([SERVER], top_up("03-01", "0.02"), *events, until="03-01 01:00")
        assert [story.status(name) for name in "ab"] == expected


def test_changing_a_free_meter_to_a_paid_one_needs_money() -> None:
    events = [subscribe("03-01", "free"), request("03-01 01:00", "change_plan", plan="server")]
    story = Story([SERVER, FREE], *events, top_up("03-01 02:00", "1.00"), until="03-01 03:00")
    assert (story.rejected, story.charged()) == ([1], "0.00")
    story = Story([SERVER, FREE], top_up("03-01", "0.01"), *events, until="03-01 03:00")
    assert (story.rejected, story.charged()) == ([], "0.01")
