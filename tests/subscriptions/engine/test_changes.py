"""R5: changes of plan. Those of the number are in test_numbers.py. Calculated by hand."""

from typing import Any

from subscriptions.engine.changes import change_plan
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status
from tests.subscriptions.engine.bare import bought, funded, instant, monthly, spans
from tests.subscriptions.engine.story import Story, hour, month, request, subscribe, top_up

SERVER = hour("server", "1.00")  # a kopeck lasts 36 s
BASIC = month("basic", "300.00")  # in April 10.00 a day
PRO = month("pro", "1000.00")
MINI = month("mini", "50.00")
FREE = month("free", "0.00")
GRACEFUL = month("graceful", "300.00", grace_days=5)
TRIED = month("tried", "300.00", trial_days=7)
OTHER = month("other", "400.00", trial_days=14, trial_quantity_max=2)
PLANS = [SERVER, BASIC, PRO, MINI, FREE, GRACEFUL, TRIED, OTHER]


def change(at: str, plan: str, name: str = "s", **more: Any) -> dict[str, Any]:
    return request(at, "change_plan", name, plan=plan, **more)


def story_of(money: str, plan: str, *events: dict[str, Any], until: str, start: str = "04-01", **more: Any) -> Story:
    """Play one subscription that starts with so much money."""
    return Story(PLANS, top_up(start, money), subscribe(start, plan, **more), *events, until=until)


# Now.
def test_a_plan_change_gives_unused_time_back_rounded_down() -> None:
    # March has 31 days, 30 are left on 2 Mar: 300.00 x 30/31 = 290.3225...
    story = story_of("1100.00", "basic", change("03-02", "pro"), until="03-03", start="03-01")
    assert story.rows()[1:] == [("03-02", "unused_refund", "290.32"), ("03-02", "charge", "-1000.00")]
    assert story.balance == "90.32"


def test_a_changed_plan_has_its_own_anchor() -> None:
    story = story_of("2000.00", "basic", change("04-16", "mini"), until="06-01")
    assert [at for at, _, amount in story.rows() if amount == "-50.00"] == ["04-16", "05-16"]


def test_a_plan_change_needs_the_price_less_what_comes_back() -> None:
    # Half of April is 150.00: 850.00 are needed in the wallet. Refused, nothing happened (case 1).
    story = story_of("1149.99", "basic", change("04-16", "pro"), until="04-17")
    assert (story.rejected, story.balance, story.charged()) == ([2], "849.99", "300.00")
    story = story_of("1150.00", "basic", change("04-16", "pro"), until="04-17")
    assert (story.rejected, story.balance, story.charged()) == ([], "0.00", "1150.00")


def test_a_plan_change_leaves_what_a_meter_needs_at_that_instant() -> None:
    # 300.00, a kopeck for the 36 s before 16 Apr, 850.00 for the change, and the server's next kopeck.
    for money, rejected in (("1150.01", [3]), ("1150.02", [])):
        events = [subscribe("04-15 23:59:24", "server", "m"), change("04-16", "pro")]
        assert story_of(money, "basic", *events, until="04-17").rejected == rejected


def test_what_comes_back_pays_the_debt_before_the_new_plan() -> None:
    # The graceful plan owes 5 of 30 days, 50.00, from 6 Apr on. The other one has 16 of its 31 days left then:
    # 300.00 x 16/31 = 154.83, less 50.00 of debt: 104.83.
    for amount, rejected in (("104.83", []), ("104.84", [4])):
        events = [
            top_up("03-01", "300.00"), subscribe("03-01", "graceful"), top_up("03-22", "300.00"),
            subscribe("03-22", "basic", "b"), change("04-06", "next", "b"),
        ]  # fmt: skip
        story = Story([*PLANS, month("next", amount)], *events, until="04-06")
        assert (story.rejected, story.balance) == (rejected, "0.00")
        assert story.debt == ("50.00" if rejected else "0.00")


def test_what_comes_back_revives_others() -> None:
    # 'waits' ran dry at 36 s. Basic to mini on 16 Apr: 150.00 - 50.00.
    events = [top_up("04-01", "300.01"), subscribe("04-01", "basic"), subscribe("04-01", "server", "waits")]
    story = Story(PLANS, *events, change("04-16", "mini"), until="04-16")
    assert (story.access("waits"), story.balance) == ([["04-01", "04-01 00:00:36"], ["04-16", None]], "100.00")


def test_a_meter_changes_to_a_month_and_back() -> None:
    # 10 h at 1.00, then 300.00 from 10:00 on. 15.5 days later half of the 31 days is left; the server starts again.
    there_and_back = [change("03-01 10:00", "basic"), change("03-16 22:00", "server")]
    story = story_of("310.00", "server", *there_and_back, until="03-17", start="03-01")
    assert [amount for _, _, amount in story.rows()] == ["-10.00", "-300.00", "150.00", "-2.00"]
    assert story.access() == [["03-01", None]]


def test_a_meter_that_changes_to_a_month_frees_what_it_needed_next() -> None:
    # At 36 s one kopeck is used and the next is due, but the server does not go on: 300.00 are enough.
    story = story_of("300.01", "server", change("04-01 00:00:36", "basic"), until="04-02")
    assert (story.rejected, story.balance) == ([], "0.00")


def test_period_end_means_now_where_no_paid_period_runs() -> None:
    story = story_of("301.00", "server", change("04-01 01:00", "basic", when="period_end"), until="04-01 01:00")
    assert story.rows() == [("04-01 01:00", "charge", "-1.00"), ("04-01 01:00", "charge", "-300.00")]


# The plan it has.
def test_a_change_to_its_own_plan_does_nothing_but_drop_what_was_scheduled() -> None:
    dropped = [change("04-03", "pro", when="period_end"), change("04-04", "basic", when="period_end")]
    for events in ([change("04-02", "basic")], dropped):
        story = story_of("600.00", "basic", *events, until="05-02")
        assert story.rows() == [("04-01", "charge", "-300.00"), ("05-01", "charge", "-300.00")]
    number = request("04-03", "change_quantity", quantity=2, when="period_end")
    story = story_of("600.00", "basic", number, change("04-04", "basic"), until="05-02")
    assert story.charged() == "600.00"


def test_a_change_to_its_own_plan_keeps_the_version_of_its_price() -> None:
    # 100.00 a month; 250.00 is on sale now. To another plan at the period's end, and back to its own: 100.00 it stays.
    book = funded(1000_00)
    sub = bought(book, "04-01", monthly("plan", 100_00, id="old"))
    dearer, other = monthly("plan", 250_00, id="new"), monthly("other", 70_00)
    scheduled = []
    for day, terms in (("04-02", other), ("04-03", dearer)):
        assert change_plan(book, instant(day), sub, terms, when="period_end") is None
        scheduled.append(sub.scheduled)
    assert scheduled == [other, None]
    assert change_plan(book, instant("04-04"), sub, dearer) is None
    settle(book, instant("05-01"))
    assert [row.amount for row in book.journal.charges] == [100_00, 100_00]


def test_a_pending_cancel_stays_with_a_change_to_its_own_plan() -> None:
    # Case 9.
    story = story_of("600.00", "basic", request("04-02", "cancel"), change("04-03", "basic"), until="05-02")
    assert story.status() == "cancelled"


# At the period's end.
def test_a_later_scheduled_change_replaces_the_earlier_one() -> None:
    changes = [change("04-02", "pro", when="period_end"), change("04-03", "mini", when="period_end")]
    story = story_of("1400.00", "basic", *changes, until="05-02")
    assert story.rows()[-1] == ("05-01", "charge", "-50.00")


def test_a_change_now_drops_what_was_scheduled() -> None:
    later = change("04-02", "pro", when="period_end")
    story = story_of("5000.00", "basic", later, change("04-03", "mini"), until="05-04")
    assert story.rows()[-1] == ("05-03", "charge", "-50.00")
    number = request("04-02", "change_quantity", quantity=3, when="period_end")
    story = story_of("5000.00", "basic", number, change("04-03", "mini"), until="05-04")
    assert story.rows()[-1] == ("05-03", "charge", "-50.00")


def test_a_scheduled_change_with_a_cancel_pending_is_remembered_and_the_cancel_wins() -> None:
    # Case 8.
    events = [request("04-02", "cancel"), change("04-03", "mini", when="period_end")]
    assert story_of("900.00", "basic", *events, until="05-02").status() == "cancelled"
    story = story_of("900.00", "basic", *events, request("04-04", "undo_cancel"), until="05-02")
    assert story.rows()[-1] == ("05-01", "charge", "-50.00")


def test_a_change_now_drops_the_cancel_and_a_refused_one_drops_nothing() -> None:
    # Case 8.
    events = [request("04-02", "cancel"), change("04-03", "mini")]
    assert story_of("900.00", "basic", *events, until="05-10").status() == "active"
    refused = [request("04-02", "cancel"), change("04-03", "mini", when="period_end"), change("04-04", "pro")]
    story = story_of("400.00", "basic", *refused, until="05-10")
    assert (story.rejected, story.status()) == ([4], "cancelled")
    story = story_of("400.00", "basic", *refused, request("04-05", "undo_cancel"), until="05-10")
    assert story.rows()[-1] == ("05-01", "charge", "-50.00")


# Without service, in grace, in a trial.
def test_a_pending_one_changes_and_starts_nothing() -> None:
    story = story_of("50.00", "basic", change("04-02", "mini"), until="04-03")
    assert (story.status(), story.balance) == ("pending", "50.00")
    story = story_of("50.00", "basic", change("04-02", "mini"), request("04-03", "start"), until="04-04")
    assert story.charged() == "50.00"


def test_a_suspended_one_changes_and_tries_to_start() -> None:
    # Case 11: also when the start finds no money.
    start: dict[str, Any] = {"start": "03-01"}
    story = story_of("350.00", "basic", change("04-02", "mini"), until="04-03", **start)
    assert story.rows()[1:] == [("04-02", "charge", "-50.00")]
    poor = story_of("300.00", "basic", change("04-02", "mini"), until="04-03", **start)
    assert (poor.rejected, poor.status()) == ([], "suspended")
    paid = story_of("300.00", "basic", change("04-02", "mini"), top_up("04-04", "50.00"), until="04-05", **start)
    assert paid.rows()[1:] == [("04-04", "charge", "-50.00")]


def test_a_change_in_grace_pays_the_grace_and_starts_the_new_plan() -> None:
    # Two of 30 days: 20.00; and 50.00. Refused below that: then the grace goes on, until 6 Apr for 50.00.
    start: dict[str, Any] = {"start": "03-01"}
    story = story_of("370.00", "graceful", change("04-03", "mini"), until="04-04", **start)
    assert story.rows()[1:] == [("04-03", "charge", "-20.00"), ("04-03", "charge", "-50.00")]
    assert story.access() == [["03-01", None]]
    story = story_of("369.99", "graceful", change("04-03", "mini"), until="04-07", **start)
    assert (story.rejected, story.access(), story.balance) == ([2], [["03-01", "04-06"]], "19.99")


def test_a_change_in_grace_to_what_costs_nothing_is_not_refused() -> None:
    story = story_of("300.00", "graceful", change("04-03", "free"), until="04-07", start="03-01")
    assert (story.rejected, story.status(), story.debt) == ([], "active", "20.00")


def test_a_trial_keeps_its_end_under_a_plan_that_gives_trials_too() -> None:
    story = story_of("400.00", "tried", change("04-02", "other"), until="04-09")
    assert story.rows() == [("04-08", "charge", "-400.00")]


def test_a_trial_ends_with_a_change_to_a_plan_that_gives_none_for_that_number() -> None:
    story = story_of("300.00", "tried", change("04-02", "basic"), until="04-03")
    assert story.rows() == [("04-02", "charge", "-300.00")]
    refused = story_of("299.99", "tried", change("04-02", "basic"), until="04-03")
    assert (refused.rejected, refused.status()) == ([2], "trialing")
    # The other plan gives a trial for two at most.
    story = story_of("1200.00", "tried", change("04-02", "other"), until="04-03", quantity=3)
    assert story.rows() == [("04-02", "charge", "-1200.00")]


def test_a_change_in_a_trial_drops_the_cancel() -> None:
    events = [request("04-02", "cancel"), change("04-03", "other")]
    assert story_of("400.00", "tried", *events, until="04-09").status() == "active"


def test_paused_and_final_ones_do_not_change() -> None:
    for end in ("pause", "cancel"):
        event = request("04-02", end, when="now") if end == "cancel" else request("04-02", end)
        story = story_of("900.00", "basic", event, change("04-03", "mini"), change("04-03", "basic"), until="04-04")
        assert story.rejected == [3, 4]


# R6: what is written.
def test_two_changes_at_one_instant_leave_a_void_charge_and_one_that_counts() -> None:
    # Case 15: mini begins and ends on 16 Apr.
    book = funded(2000_00)
    terms = {name: monthly(name, amount) for name, amount in (("basic", 300_00), ("mini", 50_00), ("pro", 1000_00))}
    sub = bought(book, "04-01", terms["basic"])
    half = instant("04-16")
    for name in ("mini", "pro"):
        assert change_plan(book, half, sub, terms[name]) is None
    assert spans(book.journal.charges) == [
        (instant("04-01"), half, 300_00),
        (half, half, 50_00),
        (half, instant("05-16"), 1000_00),
    ]
    refunds = [row.refund.amount for row in book.journal.charges if row.refund]
    assert (refunds, book.balance, sub.status) == ([150_00, 50_00], 2000_00 - 150_00 - 1000_00, Status.ACTIVE)
