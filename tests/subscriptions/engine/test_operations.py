"""R5: subscribe, start, cancel, pause, resume and automatic renewal. Calculated by hand."""

from typing import Any

import pytest

from subscriptions.engine import operations
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status, Sub, Terms
from tests.subscriptions.engine.bare import bought, funded, instant, monthly, spans
from tests.subscriptions.engine.story import Story, hour, month, request, subscribe, top_up, withdraw

SERVER = hour("server", "1.00")  # a kopeck lasts 36 s
BASIC = month("basic", "300.00")
MINI = month("mini", "50.00")
GRACEFUL = month("graceful", "300.00", grace_days=5)
TRIED = month("tried", "300.00", trial_days=7)
STRICT = month("strict", "300.00", can_pause=False, can_refund_unused=False)
PLANS = [SERVER, BASIC, MINI, GRACEFUL, TRIED, STRICT]
NOW: dict[str, Any] = {"when": "now", "refund_unused": True}


def story_of(money: str, plan: str, *events: dict[str, Any], until: str, **more: Any) -> Story:
    """Play one subscription that starts at the beginning of March with so much money."""
    return Story(PLANS, top_up("03-01", money), subscribe("03-01", plan, **more), *events, until=until)


# Subscribe and start.
def test_only_pending_and_suspended_ones_start_and_only_with_money() -> None:
    story = story_of("300.00", "basic", request("03-02", "start"), request("04-02", "start"), until="04-03")
    assert (story.rejected, story.status()) == ([2, 3], "suspended")
    # Suspended for want of money that came by no revival: a kopeck was due to the server at that instant (R2).
    events = [subscribe("03-31 23:59:24", "server", "m"), request("04-01", "cancel", "m")]
    story = story_of("600.01", "basic", *events, request("04-01 12:00", "start"), until="04-02")
    assert (story.rejected, story.access()) == ([], [["03-01", "04-01"], ["04-01 12:00", None]])


# Cancel.
def test_a_cancel_waits_for_the_end_of_a_period_or_a_trial() -> None:
    story = story_of("900.00", "basic", request("03-10", "cancel"), until="04-02")
    assert (story.status(), story.access(), story.balance) == ("cancelled", [["03-01", "04-01"]], "600.00")
    story = story_of("900.00", "tried", request("03-02", "cancel"), until="03-09")
    assert (story.status(), story.access(), story.balance) == ("cancelled", [["03-01", "03-08"]], "900.00")


def test_a_cancel_on_request_is_at_once_and_gives_nothing_back_by_itself() -> None:
    story = story_of("300.00", "basic", request("03-11", "cancel", when="now"), until="03-12")
    assert (story.status(), story.access(), story.balance) == ("cancelled", [["03-01", "03-11"]], "0.00")


def test_a_cancel_on_request_can_give_the_unused_time_back() -> None:
    # 21 of 31 days: 300.00 x 21/31 = 203.2258...
    story = story_of("300.00", "basic", request("03-11", "cancel", **NOW), until="03-12")
    assert (story.charged(), story.balance) == ("96.78", "203.22")


def test_a_cancel_where_no_period_runs_is_at_once() -> None:
    # Case 6: a meter, an order, a suspended one, one in grace, a paused one.
    later = {"when": "period_end"}
    assert story_of("1.00", "server", request("03-01 00:30", "cancel", **later), until="03-02").charged() == "0.50"
    cases = [
        story_of(money, plan, *before, request(at, "cancel", **later), until=at)
        for plan, money, at, before in (
            ("basic", "1.00", "03-02", []),
            ("basic", "300.00", "04-02", []),
            ("graceful", "300.00", "04-02", []),
            ("basic", "300.00", "03-03", [request("03-02", "pause")]),
        )
    ]
    assert [story.status() for story in cases] == ["cancelled"] * 4


def test_a_second_cancel_at_the_periods_end_changes_nothing_and_one_now_ends_at_once() -> None:
    # Case 6.
    twice = [request("03-10", "cancel"), request("03-11", "cancel")]
    story = story_of("300.00", "basic", *twice, until="03-12")
    assert (story.rejected, story.status()) == ([], "active")
    story = story_of("300.00", "basic", *twice, request("03-12", "cancel", when="now"), until="03-12")
    assert (story.status(), story.access()) == ("cancelled", [["03-01", "03-12"]])


def test_a_refund_is_for_a_period_that_ends_now_and_for_nothing_else() -> None:
    # Case 6: at the period's end, for a meter and for an order nothing comes back, and nothing is refused for it.
    story = story_of("300.00", "basic", request("03-11", "cancel", refund_unused=True), until="04-02")
    assert (story.status(), story.balance) == ("cancelled", "0.00")
    story = story_of("1.00", "server", request("03-01 00:30", "cancel", **NOW), until="03-02")
    assert (story.rejected, story.balance) == ([], "0.50")
    for money, at in (("1.00", "03-02"), ("300.00", "04-02")):
        story = story_of(money, "strict", request(at, "cancel", **NOW), until=at)
        assert (story.rejected, story.status()) == ([], "cancelled")


def test_where_the_seller_refunds_nothing_a_cancel_with_refund_is_refused() -> None:
    story = story_of("300.00", "strict", request("03-11", "cancel", **NOW), until="03-12")
    assert (story.rejected, story.status()) == ([2], "active")
    story = story_of("300.00", "strict", request("03-11", "cancel", when="now"), until="03-12")
    assert (story.rejected, story.status(), story.balance) == ([], "cancelled", "0.00")


def test_what_a_cancel_gives_back_revives_others() -> None:
    # The server ran dry after its kopeck.
    events = [subscribe("03-01", "server", "m"), request("03-11", "cancel", **NOW)]
    story = story_of("300.01", "basic", *events, until="03-11")
    assert (story.access("m"), story.balance) == ([["03-01", "03-01 00:00:36"], ["03-11", None]], "203.22")


def test_a_final_one_refuses_everything() -> None:
    asked = [
        request("03-03", "cancel"), request("03-03", "cancel", when="now"), request("03-03", "undo_cancel"),
        request("03-03", "pause"), request("03-03", "resume"), request("03-03", "start"),
        request("03-03", "set_auto_renew", value=False), request("03-03", "change_plan", plan="mini"),
        request("03-03", "change_plan", plan="basic"), request("03-03", "change_quantity", quantity=1),
    ]  # fmt: skip
    story = story_of("300.00", "basic", request("03-02", "cancel", when="now"), *asked, until="03-04")
    assert story.rejected == list(range(3, 13))


def test_a_cancel_can_be_undone_while_it_waits() -> None:
    events = [request("03-02", "cancel"), request("03-03", "undo_cancel")]
    assert story_of("900.00", "basic", *events, until="04-02").status() == "active"
    again = [*events, request("03-04", "undo_cancel")]
    assert story_of("900.00", "basic", *again, until="04-02").rejected == [4]
    late = [request("03-02", "cancel"), request("04-01", "undo_cancel")]
    story = story_of("900.00", "basic", *late, until="04-02")
    assert (story.rejected, story.status()) == ([3], "cancelled")


# Pause and resume.
def test_a_pause_keeps_what_is_left_and_its_end_is_the_new_anchor() -> None:
    # 21 of 31 days are left on 11 Mar. Resumed on 1 Apr they end on 22 Apr; the next month ends on 22 May.
    events = [request("03-11", "pause"), request("04-01", "resume")]
    story = story_of("600.00", "basic", *events, until="06-01")
    assert story.access() == [["03-01", "03-11"], ["04-01", "05-22"]]
    # On 11 Apr 11 of the period's 31 days are left: 300.00 x 11/31 = 106.45...
    story = story_of("300.00", "basic", *events, request("04-11", "cancel", **NOW), until="04-12")
    assert story.balance == "106.45"


def test_a_paused_rest_comes_back_without_being_asked() -> None:
    # 21 of 31 days, whenever it is cancelled.
    events = [request("03-11", "pause"), request("07-01", "cancel")]
    story = story_of("300.00", "basic", *events, until="07-02")
    assert (story.status(), story.balance) == ("cancelled", "203.22")
    # Paused a second time: 11 of 31 days.
    twice = [request("03-11", "pause"), request("04-01", "resume"), request("04-11", "pause")]
    story = story_of("300.00", "basic", *twice, request("05-01", "cancel"), until="05-02")
    assert story.balance == "106.45"


def test_a_paused_rest_is_kept_where_the_seller_refunds_nothing() -> None:
    firm = month("firm", "300.00", can_refund_unused=False)
    events = [top_up("03-01", "300.00"), subscribe("03-01", "firm"), request("03-11", "pause")]
    story = Story([firm], *events, request("03-12", "cancel"), until="03-13")
    assert (story.status(), story.balance) == ("cancelled", "0.00")
    story = Story([firm], *events, request("03-12", "cancel", **NOW), until="03-13")
    assert (story.rejected, story.status()) == ([3], "paused")


def test_only_active_ones_pause_and_only_where_the_seller_allows_it() -> None:
    paused = request("03-02", "pause")
    assert story_of("300.00", "strict", paused, until="03-03").rejected == [2]
    assert story_of("1.00", "basic", paused, until="03-03").rejected == [2]
    assert story_of("1.00", "tried", paused, until="03-03").rejected == [2]
    story = story_of("300.00", "graceful", request("04-02", "pause"), until="04-03")
    assert (story.rejected, story.status()) == ([2], "past_due")
    assert story_of("300.00", "basic", paused, paused, until="03-03").rejected == [3]


def test_nothing_is_charged_in_a_pause() -> None:
    events = [request("03-01 01:00", "pause"), request("03-05", "resume")]
    story = story_of("10.00", "server", *events, until="03-05 01:00")
    assert story.rows() == [("03-01 01:00", "charge", "-1.00"), ("03-05 01:00", "charge", "-1.00")]
    assert story.access() == [["03-01", "03-01 01:00"], ["03-05", None]]


def test_resuming_a_meter_without_money_suspends_it() -> None:
    events = [request("03-01", "pause"), withdraw("03-02", "1.00"), request("03-03", "resume")]
    story = story_of("1.00", "server", *events, until="03-04")
    assert (story.rejected, story.status(), story.access()) == ([], "suspended", [])
    assert story_of("1.00", "server", *events, top_up("03-04", "1.00"), until="03-04").status() == "active"


def test_a_pause_keeps_a_cancel_request_and_a_scheduled_change() -> None:
    # Case 7: both act at the moved end, 22 Apr; in between the cancel cannot be undone.
    pause = [request("03-11", "pause"), request("03-12", "undo_cancel"), request("04-01", "resume")]
    story = story_of("900.00", "basic", request("03-02", "cancel"), *pause, until="04-22")
    assert (story.rejected, story.status(), story.access()[-1]) == ([4], "cancelled", ["04-01", "04-22"])
    later = request("03-02", "change_plan", plan="mini", when="period_end")
    story = story_of("900.00", "basic", later, *pause, until="04-22")
    assert story.rows()[-1] == ("04-22", "charge", "-50.00")


def test_a_resumed_rest_stands_in_a_charge_of_nothing() -> None:
    # Case 16: every second of use stands in exactly one charge.
    book = funded(300_00)
    sub = bought(book, "03-01", monthly("basic", 300_00))
    assert operations.pause(book, instant("03-11"), sub) is None
    assert operations.resume(book, instant("04-01"), sub) is None
    assert spans(book.journal.charges) == [
        (instant("03-01"), instant("03-11"), 300_00),
        (instant("04-01"), instant("04-22"), 0),
    ]


# Automatic renewal.
def test_automatic_renewal_is_switched_off_and_on() -> None:
    off, on = (request(f"03-0{day}", "set_auto_renew", value=day == 3) for day in (2, 3))
    assert story_of("900.00", "basic", off, until="04-02").status() == "expired"
    assert story_of("900.00", "basic", off, on, until="04-02").status() == "active"


@pytest.mark.parametrize(("plan", "paid_at", "ends"), [("graceful", "04-03", "05-01"), ("basic", "04-10", "05-10")])
def test_switched_off_without_money_it_counts_at_the_next_periods_end(plan: str, paid_at: str, ends: str) -> None:
    # Case 18: in grace, and suspended.
    events = [request("04-02", "set_auto_renew", value=False), top_up(paid_at, "900.00")]
    story = story_of("300.00", plan, *events, until="06-01")
    assert (story.status(), story.access()[-1][1], story.balance) == ("expired", ends, "600.00")


# Limits (case 19).
def test_what_passes_a_limit_is_refused_when_it_is_asked_for() -> None:
    book = funded(10**13)
    asked: list[tuple[Terms, dict[str, Any]]] = [
        (monthly("decade", 1, interval="year", count=10), {"periods": 1000}),
        (monthly("month", 1), {"periods": 121}),
        (monthly("month", 1), {"periods": 1001}),
        (monthly("month", 1), {"quantity": 1_000_001}),
        (monthly("month", 1), {"quantity": 0}),
        (monthly("dear", 10**12 + 1), {}),
        (monthly("dear", 10**6), {"quantity": 1000, "periods": 1001}),
    ]
    for terms, more in asked:
        sub = Sub("s", terms, **more)
        assert operations.subscribe(book, instant("03-01"), sub) is Refusal.OUT_OF_RANGE
    assert (book.subs, book.balance) == ([], 10**13)
    assert bought(book, "03-01", monthly("hour", 1, interval="hour"), periods=1000).status is Status.ACTIVE
    # 521 weeks are 3647 days, 522 are 3654; ten years from here on have 3653.
    assert (
        operations.subscribe(book, instant("03-01"), Sub("s", monthly("week", 1, interval="week", count=522)))
        is Refusal.OUT_OF_RANGE
    )
    assert bought(book, "03-01", monthly("week", 1, interval="week", count=521)).status is Status.ACTIVE
    assert bought(book, "03-01", monthly("decade", 1, interval="year", count=10)).status is Status.ACTIVE
    assert bought(book, "03-01", monthly("dear", 10**6), quantity=1_000_000).status is Status.ACTIVE


def test_a_start_or_renewal_of_what_was_accepted_reaches_its_end() -> None:
    # Ten years at a time, twice.
    book = funded(20)
    sub = bought(book, "03-01", monthly("year", 1, interval="year"), periods=10)
    settle(book, instant("2046-03-01") - 1)
    assert (sub.status, sub.end) == (Status.ACTIVE, instant("2046-03-01"))
