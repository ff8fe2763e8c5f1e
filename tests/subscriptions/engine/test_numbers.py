"""R5: changes of the number (of seats, of servers). Calculated by hand."""

from typing import Any

from subscriptions.engine.changes import change_plan, change_quantity
from subscriptions.engine.refusals import Refusal
from tests.subscriptions.engine.bare import bought, funded, instant, monthly, spans
from tests.subscriptions.engine.story import Story, hour, month, request, subscribe, top_up

SERVER = hour("server", "1.00")  # a kopeck lasts 36 s
BASIC = month("basic", "300.00")  # in April 10.00 a day
MINI = month("mini", "50.00")
GRACEFUL = month("graceful", "300.00", grace_days=5)
TRIED = month("tried", "300.00", trial_days=7, trial_quantity_max=5)
PLANS = [SERVER, BASIC, MINI, GRACEFUL, TRIED]


def number(at: str, quantity: int, **more: Any) -> dict[str, Any]:
    return request(at, "change_quantity", quantity=quantity, **more)


def story_of(money: str, plan: str, *events: dict[str, Any], until: str, start: str = "04-01", **more: Any) -> Story:
    """Play one subscription that starts with so much money."""
    return Story(PLANS, top_up(start, money), subscribe(start, plan, **more), *events, until=until)


def test_more_seats_cost_the_time_left_rounded_up() -> None:
    # Two more on 2 Mar for 30 of 31 days: 600.00 x 30/31 = 580.6451...
    story = story_of("900.00", "basic", number("03-02", 3), until="03-03", start="03-01")
    assert story.rows()[1:] == [("03-02", "charge", "-580.65")]
    refused = story_of("880.64", "basic", number("03-02", 3), until="03-03", start="03-01")
    assert (refused.rejected, refused.charged(), refused.balance) == ([2], "300.00", "580.64")
    assert story_of("880.65", "basic", number("03-02", 3), until="03-03", start="03-01").rejected == []


def test_fewer_seats_give_the_time_left_back_rounded_down() -> None:
    # 600.00 x 30/31 = 580.6451...
    story = story_of("900.00", "basic", number("03-02", 1), until="03-03", start="03-01", quantity=3)
    assert story.rows()[1:] == [("03-02", "unused_refund", "580.64")]


def test_the_period_its_end_and_the_anchor_stay() -> None:
    # From 31 Jan; changed on 10 Mar; 31 Mar and 30 Apr as before, for two.
    story = story_of("9000.00", "basic", number("03-10", 2), until="05-01", start="01-31")
    assert [at for at, _, _ in story.rows()] == ["01-31", "02-28", "03-10", "03-31", "04-30"]
    assert story.rows()[-1][2] == "-600.00"


def test_a_number_changed_back_and_forth_gains_nothing() -> None:
    # 101 and 100 seats of 0.01: each way a third of a kopeck on 21 Apr, a kopeck up and nothing down.
    cheap = month("cheap", "0.01")
    events = [number("04-21", 101 - way % 2) for way in range(10)]
    story = Story([cheap], top_up("04-01", "2.00"), subscribe("04-01", "cheap", quantity=100), *events, until="04-22")
    assert (story.charged(), story.balance) == ("1.05", "0.95")
    # Case 3: what is worth less than a kopeck is no movement.
    assert {reason for _, reason, _ in story.rows()} == {"charge"}
    # Seats of 1000.00 with sevenths of a second between: up is never below the next way down.
    book = funded(10**9)
    sub = bought(book, "04-01", monthly("seat", 1000_00), quantity=100)
    at, balance = instant("04-21"), book.balance
    for way in range(20):
        assert change_quantity(book, at + way * 142_857, sub, 101 - way % 2) is None
        assert book.balance <= balance
    # 10 times 333.33 for a seat and a third of April, less the same with a seventh of a second used: a kopeck each.
    assert (sub.quantity, balance - book.balance) == (100, 10)


def test_unused_time_after_a_change_is_of_the_new_number() -> None:
    # Three of 300.00 from 16 Apr on: 600.00 x 15/30 more. On 21 Apr 10 of 30 days of 900.00 are left.
    back = request("04-21", "cancel", when="now", refund_unused=True)
    story = story_of("600.00", "basic", number("04-16", 3), back, until="04-22")
    assert story.rows()[1:] == [("04-16", "charge", "-300.00"), ("04-21", "unused_refund", "300.00")]


def test_seats_given_up_revive_others() -> None:
    # The server ran dry after its kopeck; half of April of one seat is 150.00.
    events = [top_up("04-01", "600.01"), subscribe("04-01", "basic", quantity=2), subscribe("04-01", "server", "m")]
    story = Story(PLANS, *events, number("04-16", 1), until="04-16")
    assert (story.access("m"), story.balance) == ([["04-01", "04-01 00:00:36"], ["04-16", None]], "150.00")


def test_the_number_it_has_only_drops_what_was_scheduled() -> None:
    later = [number("04-02", 3, when="period_end"), request("04-02", "change_plan", plan="mini", when="period_end")]
    story = story_of("900.00", "basic", *later, number("04-03", 1), until="05-02")
    assert story.rows() == [("04-01", "charge", "-300.00"), ("05-01", "charge", "-300.00")]


def test_a_number_that_counts_now_drops_what_was_scheduled() -> None:
    later = request("04-02", "change_plan", plan="mini", when="period_end")
    story = story_of("1200.00", "basic", later, number("04-16", 2), until="05-02")
    assert [amount for _, _, amount in story.rows()] == ["-300.00", "-150.00", "-600.00"]


def test_a_number_at_the_period_end_is_remembered_and_a_later_one_replaces_it() -> None:
    later = [number("04-02", 3, when="period_end"), number("04-03", 2, when="period_end")]
    story = story_of("900.00", "basic", *later, until="05-02")
    assert story.rows() == [("04-01", "charge", "-300.00"), ("05-01", "charge", "-600.00")]


def test_the_number_of_a_meter_changes_its_rate_and_needs_no_money() -> None:
    # Half a kopeck is left at 18 s: four servers use it in 4.5 s.
    story = story_of("0.01", "server", number("04-01 00:00:18", 4, when="period_end"), until="04-02")
    assert (story.rejected, story.access()) == ([], [["04-01", "04-01 00:00:22.500000"]])


def test_the_number_in_a_trial_changes_up_to_the_seller_s_limit() -> None:
    story = story_of("1500.00", "tried", number("04-02", 5), number("04-03", 6), until="04-09")
    assert (story.rejected, story.rows()) == ([3], [("04-08", "charge", "-1500.00")])


def test_the_number_of_an_order_changes_and_nothing_starts() -> None:
    story = story_of("300.00", "basic", number("04-02", 1), until="04-03", quantity=2)
    assert (story.rejected, story.status(), story.balance) == ([], "pending", "300.00")


def test_the_number_of_a_suspended_one_changes_and_it_tries_to_start() -> None:
    story = story_of("900.00", "basic", number("04-02", 1), until="04-03", start="03-01", quantity=2)
    assert story.rows()[1:] == [("04-02", "charge", "-300.00")]
    poor = story_of("600.00", "basic", number("04-02", 1), until="04-03", start="03-01", quantity=2)
    assert (poor.rejected, poor.status()) == ([], "suspended")


def test_the_number_changed_in_grace_pays_the_grace_and_starts_afresh() -> None:
    # Three seats; two of 30 days of 900.00 are 60.00; one for 300.00 from 3 Apr to 3 May.
    seats: dict[str, Any] = {"start": "03-01", "quantity": 3}
    story = story_of("1260.00", "graceful", number("04-03", 1), until="05-02 23:59:59.999999", **seats)
    assert story.rows()[1:] == [("04-03", "charge", "-60.00"), ("04-03", "charge", "-300.00")]
    assert (story.status(), story.balance) == ("active", "0.00")
    refused = story_of("1259.99", "graceful", number("04-03", 1), until="04-04", **seats)
    assert (refused.rejected, refused.status()) == ([2], "past_due")


def test_paused_and_final_ones_keep_their_number() -> None:
    for end in ("pause", "cancel"):
        event = request("04-02", end, when="now") if end == "cancel" else request("04-02", end)
        assert story_of("900.00", "basic", event, number("04-03", 2), until="04-04").rejected == [3]


def test_a_changed_number_cuts_the_charge_and_begins_one_for_the_rest() -> None:
    # R6: 300.00; 15 of 30 days for two more; then one of the three is given up on 21 Apr.
    book = funded(2000_00)
    sub = bought(book, "04-01", monthly("basic", 300_00))
    assert change_quantity(book, instant("04-16"), sub, 3) is None
    assert change_quantity(book, instant("04-21"), sub, 2) is None
    assert spans(book.journal.charges) == [
        (instant("04-01"), instant("04-16"), 300_00),
        (instant("04-16"), instant("04-21"), 300_00),
        (instant("04-21"), instant("05-01"), 0),
    ]
    refunds = [row.refund.amount if row.refund else None for row in book.journal.charges]
    assert refunds == [None, 100_00, None]
    assert (sub.paid, sub.net, sub.quantity) == (600_00, 500_00, 2)


def test_a_plan_and_a_number_are_refused_where_they_would_pass_the_limits_together() -> None:
    # Case 19: a million of 10,000.00 is the most: 10^12 kopecks. What takes effect now drops what was scheduled.
    cheap, dear = monthly("cheap", 1), monthly("dear", 10_000_01)
    for when, refusal in (("period_end", Refusal.OUT_OF_RANGE), ("now", None)):
        book = funded(10**12)
        sub = bought(book, "04-01", cheap)
        assert change_quantity(book, instant("04-02"), sub, 1_000_000, when="period_end") is None
        assert change_plan(book, instant("04-03"), sub, dear, when=when) is refusal
        sub = bought(book, "04-03", cheap)
        assert change_plan(book, instant("04-03"), sub, dear, when="period_end") is None
        assert change_quantity(book, instant("04-03"), sub, 1_000_000, when=when) is refusal
        assert change_quantity(book, instant("04-03"), sub, 1_000_001) is Refusal.OUT_OF_RANGE
