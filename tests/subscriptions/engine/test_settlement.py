"""R1 and R3: settling, and what happens at each boundary. Calculated by hand."""

from typing import Any

from subscriptions.engine.settlement import settle
from tests.subscriptions.engine.bare import DAY, bought, funded, instant, metered, monthly
from tests.subscriptions.engine.story import Story, hour, month, request, subscribe, top_up, withdraw

SERVER = hour("server", "1.00")  # a kopeck lasts 36 s
BASIC = month("basic", "300.00")
PRO = month("pro", "1000.00")
MINI = month("mini", "50.00")
GRACEFUL = month("graceful", "300.00", grace_days=3)
TRIED = month("tried", "300.00", trial_days=7)


def basic_of(money: str, *events: dict[str, Any], until: str, **more: Any) -> Story:
    """Play a basic plan that starts at the beginning of March with so much money."""
    start = [top_up("03-01", money), subscribe("03-01", "basic", **more)]
    return Story([BASIC, PRO, MINI, SERVER, GRACEFUL], *start, *events, until=until)


# R1: settle first.
def test_settling_twice_or_to_an_earlier_instant_changes_nothing() -> None:
    # Cases 2 and 17.
    book = funded(1000_00)
    sub = bought(book, "03-01", metered("server", 1_00))
    settle(book, instant("03-02"))
    before = (book.balance, book.at, len(book.journal.charges), sub.billed_until)
    for again in ("03-02", "03-01 12:00"):
        settle(book, instant(again))
        assert (book.balance, book.at, len(book.journal.charges), sub.billed_until) == before
    assert before == (1000_00 - 24_00, instant("03-02"), 1, instant("03-02"))


def test_settling_by_way_of_other_instants_ends_the_same() -> None:
    # 7 kopecks an hour beside a month: 300.00 + 300.00 + some metered use, settled at once and every seven hours.
    results = []
    for step in (100 * DAY, 7 * DAY // 24 + 1):
        book = funded(650_00)
        subs = [bought(book, "03-01", terms) for terms in (metered("slow", 7), monthly("basic", 300_00))]
        at = instant("03-01")
        while at < instant("05-20"):
            at = min(at + step, instant("05-20"))
            settle(book, at)
        results.append((book.balance, *[(sub.status, sub.credit, sub.end, sub.wait_end) for sub in subs]))
    assert results[0] == results[1]


def test_a_boundary_is_crossed_before_an_operation_at_the_same_instant() -> None:
    # Case 2: the month ends on 1 Apr with an empty wallet: suspended. The top-up at that instant starts a new one.
    story = basic_of("300.00", top_up("04-01", "300.00"), until="04-02")
    assert story.rows() == [("03-01", "charge", "-300.00"), ("04-01", "charge", "-300.00")]
    assert story.access() == [["03-01", None]]
    assert basic_of("300.00", until="04-01").status() == "suspended"
    assert basic_of("300.00", until="03-31 23:59:59.999999").status() == "active"


def test_the_oldest_of_simultaneous_boundaries_comes_first() -> None:
    # 300.00 are left on 1 Apr, when both months end: the older one gets them.
    story = basic_of("900.00", subscribe("03-01", "basic", "new"), until="04-02")
    assert (story.status(), story.status("new")) == ("active", "suspended")


def test_metered_use_is_paid_before_a_boundary_at_the_same_instant() -> None:
    # An hour of the server before the month ends: 299.00 are left.
    story = basic_of("600.00", subscribe("03-31 23:00", "server", "m"), until="04-01")
    assert (story.balance, story.status(), story.status("m")) == ("299.00", "suspended", "active")


# R3: an advance period ends.
def test_a_wallet_with_exactly_the_price_renews() -> None:
    assert basic_of("600.00", until="04-02").access() == [["03-01", None]]
    assert basic_of("600.00", withdraw("03-02", "0.01"), until="04-02").access() == [["03-01", "04-01"]]


def test_a_cancel_request_wins_at_the_boundary() -> None:
    story = basic_of("900.00", request("03-10", "cancel"), until="05-01")
    assert (story.status(), story.balance, story.access()) == ("cancelled", "600.00", [["03-01", "04-01"]])


def test_without_auto_renew_a_subscription_expires_despite_money_and_a_scheduled_change() -> None:
    # Case 10.
    change = request("03-10", "change_plan", plan="mini", when="period_end")
    for events in ([], [change]):
        story = basic_of("900.00", *events, until="05-01", auto_renew=False)
        assert (story.status(), story.balance, story.access()) == ("expired", "600.00", [["03-01", "04-01"]])


def test_a_scheduled_plan_starts_at_the_boundary() -> None:
    change = request("03-10", "change_plan", plan="mini", when="period_end")
    story = basic_of("350.00", change, until="04-02")
    assert story.rows() == [("03-01", "charge", "-300.00"), ("04-01", "charge", "-50.00")]


def test_a_scheduled_number_counts_from_the_boundary() -> None:
    # 3 x 300.00 on 1 Apr, and with the plan that is scheduled too 3 x 50.00.
    number = request("03-10", "change_quantity", quantity=3, when="period_end")
    plan = request("03-11", "change_plan", plan="mini", when="period_end")
    assert basic_of("1200.00", number, until="04-02").rows()[1:] == [("04-01", "charge", "-900.00")]
    assert basic_of("1200.00", number, plan, until="04-02").rows()[1:] == [("04-01", "charge", "-150.00")]


def test_an_unfunded_scheduled_plan_is_suspended_without_grace_under_its_new_price() -> None:
    # Case 10: 299.99 are missing nothing but a kopeck; a kopeck more starts the new plan.
    change = request("03-10", "change_plan", plan="graceful", when="period_end")
    story = basic_of("599.99", change, until="04-02")
    assert (story.status(), story.access(), story.debt) == ("suspended", [["03-01", "04-01"]], "0.00")
    story = basic_of("350.00", request("03-10", "change_plan", plan="pro", when="period_end"), until="04-10")
    assert story.status() == "suspended"
    paid = request("03-10", "change_plan", plan="pro", when="period_end"), top_up("04-10", "950.00")
    assert basic_of("350.00", *paid, until="04-11").rows()[1:] == [("04-10", "charge", "-1000.00")]


def test_a_scheduled_number_that_finds_no_money_is_a_renewal_with_grace() -> None:
    # Case 10: two for 600.00 from 1 Apr; half of April at most, as 300.00 were paid for March, so 3 days as promised.
    events = [top_up("03-01", "300.00"), subscribe("03-01", "graceful")]
    number = request("03-10", "change_quantity", quantity=2, when="period_end")
    story = Story([GRACEFUL], *events, number, until="04-05")
    # 3 of 30 days of 600.00.
    assert (story.access(), story.debt) == ([["03-01", "04-04"]], "60.00")


def test_periods_are_counted_from_the_anchor() -> None:
    # Counted from the 31st: 28 Feb, 31 Mar, 30 Apr.
    story = Story([BASIC], top_up("01-31", "900.00"), subscribe("01-31", "basic"), until="06-01")
    assert [at for at, _, _ in story.rows()] == ["01-31", "02-28", "03-31"]
    assert story.access() == [["01-31", "04-30"]]


def test_one_payment_buys_all_its_periods() -> None:
    # Two months each, from 31 Dec: 28 Feb, 30 Apr, never 28 Apr.
    events = [top_up("2025-12-31", "1500.00"), subscribe("2025-12-31", "basic", periods=2)]
    story = Story([BASIC], *events, until="05-01")
    assert story.rows() == [("2025-12-31", "charge", "-600.00"), ("02-28", "charge", "-600.00")]
    assert story.access() == [["2025-12-31", "04-30"]]


# R3: a trial ends.
def test_a_trial_ends_with_a_paid_period_a_suspension_or_a_cancellation() -> None:
    trial = [subscribe("03-01", "tried")]
    paid = Story([TRIED], *trial, top_up("03-02", "300.00"), until="03-09")
    assert (paid.rows(), paid.access()) == ([("03-08", "charge", "-300.00")], [["03-01", None]])
    unpaid = Story([TRIED], *trial, until="03-09")
    assert (unpaid.status(), unpaid.access()) == ("suspended", [["03-01", "03-08"]])
    cancelled = Story([TRIED], *trial, top_up("03-02", "300.00"), request("03-02", "cancel"), until="03-09")
    assert (cancelled.status(), cancelled.access()) == ("cancelled", [["03-01", "03-08"]])


def test_without_auto_renew_a_trial_is_followed_by_one_paid_period() -> None:
    # Case 5.
    off = request("03-02", "set_auto_renew", value=False)
    story = Story([TRIED], top_up("03-01", "900.00"), subscribe("03-01", "tried"), off, until="05-01")
    assert (story.status(), story.access(), story.balance) == ("expired", [["03-01", "04-08"]], "600.00")


# R3: waiting ends.
def test_an_order_expires_after_its_days() -> None:
    order = subscribe("03-01", "basic")
    paid = top_up("03-15", "300.00", paid_for="s")
    story = Story([BASIC], order, paid, until="03-15")
    assert (story.status(), story.balance) == ("expired", "300.00")
    in_time = top_up("03-14 23:59:59.999999", "300.00", paid_for="s")
    assert Story([BASIC], order, in_time, until="03-15").status() == "active"
    assert Story([BASIC], order, paid, until="03-15", order_days=15).status() == "active"


def test_a_suspended_subscription_expires_after_its_days() -> None:
    brief = month("brief", "300.00", keep_days=5)
    events = [top_up("03-01", "300.00"), subscribe("03-01", "brief")]
    for paid_at, status in (("04-05 23:59:59.999999", "active"), ("04-06", "expired")):
        assert Story([brief], *events, top_up(paid_at, "300.00"), until="04-07").status() == status


def test_what_is_kept_for_no_days_expires_as_soon_as_it_is_suspended() -> None:
    once = month("once", "300.00", keep_days=0)
    events = [top_up("03-01", "300.00"), subscribe("03-01", "once"), top_up("04-01", "300.00")]
    story = Story([once], *events, until="04-02")
    assert (story.status(), story.access(), story.balance) == ("expired", [["03-01", "04-01"]], "300.00")


def test_a_change_while_waiting_begins_the_waiting_anew() -> None:
    # An order of 1 Mar, changed on 10 Mar, waits until 24 Mar.
    for change in (request("03-10", "change_plan", plan="pro"), request("03-10", "change_quantity", quantity=2)):
        events = [subscribe("03-01", "basic"), change]
        assert Story([BASIC, PRO], *events, until="03-23 23:59:59.999999").status() == "pending"
        assert Story([BASIC, PRO], *events, until="03-24").status() == "expired"
    # Suspended on 1 Apr and kept for 30 days; changed on 10 Apr to a plan that is kept for 5.
    brief = month("brief", "900.00", keep_days=5)
    events = [top_up("03-01", "300.00"), subscribe("03-01", "basic"), request("04-10", "change_plan", plan="brief")]
    assert Story([BASIC, brief], *events, until="04-14 23:59:59.999999").status() == "suspended"
    assert Story([BASIC, brief], *events, until="04-15").status() == "expired"


def test_no_later_money_starts_what_was_given_up() -> None:
    events = [top_up("03-01", "300.00"), subscribe("03-01", "basic"), top_up("2027-03-01", "5000.00")]
    story = Story([BASIC], *events, until="2027-03-02")
    assert (story.status(), story.balance) == ("expired", "5000.00")
