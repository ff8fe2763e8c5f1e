"""R4 to R6 of docs/billing-rules.md, with examples calculated by hand."""

from typing import Any

from tests.subscriptions.engine.story import Story, full, hour, month, request, subscribe, top_up, withdraw

SERVER = hour("server", "1.00")  # a kopeck each 36 s
BASIC = month("basic", "300.00")
PRO = month("pro", "1000.00")
TRIED = month("tried", "300.00", trial_days=7)


# R4: start and revive.
def test_a_start_needs_the_full_price_and_a_meter_one_unit() -> None:
    # 3 seats for 2 months: 1800.00. One kopeck is enough to start the meter.
    events = [top_up("03-01", "1799.99"), subscribe("03-01", "basic", quantity=3, periods=2)]
    assert Story([BASIC], *events, until="03-02").status() == "pending"
    assert Story([BASIC], *events, top_up("03-02", "0.01"), until="03-03").charged() == "1800.00"
    assert Story([SERVER], top_up("03-01", "0.01"), subscribe("03-01", "server"), until="03-01").status() == "active"
    assert Story([SERVER], subscribe("03-01", "server"), until="03-01").status() == "pending"


def test_a_customer_gets_one_trial_per_plan() -> None:
    events = [subscribe("03-01", "tried"), request("03-02", "cancel", when="now"), subscribe("03-03", "tried", "again")]
    story = Story([TRIED], *events, until="03-04")
    assert (story.access(), story.status("again")) == ([["03-01", "03-02"]], "pending")


def test_money_revives_the_oldest_first() -> None:
    # 400.00 pays for one of the two; the remaining 100.00 starts the meter, which is the youngest.
    events = [subscribe("03-01", "basic", "a"), subscribe("03-01", "basic", "b"), subscribe("03-01", "server", "c")]
    story = Story([BASIC, SERVER], *events, top_up("03-05", "400.00"), until="03-05")
    assert [story.status(name) for name in "abc"] == ["active", "pending", "active"]


def test_a_renewal_paid_in_grace_starts_at_the_old_boundary() -> None:
    # The second month is 1 Apr to 1 May, although it was paid on 3 Apr.
    events = [top_up("03-01", "300.00"), subscribe("03-01", "graceful"), top_up("04-03", "300.00")]
    story = Story([month("graceful", "300.00", grace_days=5)], *events, until="05-02")
    assert story.rows() == [("03-01", "charge", "-300.00"), ("04-03", "charge", "-300.00")]
    assert story.status() == "past_due"
    assert story.access() == [["03-01", None]]


def test_a_period_paid_in_grace_is_refunded_by_its_full_length() -> None:
    # Paid on 3 Apr for 1 Apr to 1 May; 20 of 30 days are left on 11 Apr: 200.00 is refunded.
    events = [top_up("03-01", "300.00"), subscribe("03-01", "graceful"), top_up("04-03", "300.00")]
    back = request("04-11", "cancel", when="now", refund_unused=True)
    story = Story([month("graceful", "300.00", grace_days=5)], *events, back, until="04-12")
    assert story.rows()[-1] == ("04-11", "unused_refund", "200.00")


def test_money_after_the_grace_starts_a_new_period() -> None:
    events = [top_up("03-01", "300.00"), subscribe("03-01", "basic"), top_up("04-10", "300.00")]
    assert Story([BASIC], *events, until="06-01").access() == [["03-01", "04-01"], ["04-10", "05-10"]]


def test_a_withdrawal_above_the_settled_balance_is_refused() -> None:
    # 2 h are used by 02:00, so 8.00 are left: 8.01 is refused, 8.00 is not.
    events = [top_up("03-01", "10.00"), subscribe("03-01", "server")]
    story = Story(
        [SERVER], *events, withdraw("03-01 02:00", "8.01"), withdraw("03-01 02:00", "8.00"), until="03-01 02:00"
    )
    assert (story.rejected, story.balance) == ([2], "0.00")
    assert story.rows(None)[-1] == ("03-01 02:00", "refund", "-8.00")


# R5: operations on a subscription.
def test_a_plan_change_refunds_unused_time_rounded_down() -> None:
    # March has 31 days, 30 are left on 2 Mar: 300.00 x 30/31 = 290.3225..., so 290.32 is refunded.
    events = [top_up("03-01", "1100.00"), subscribe("03-01", "basic"), request("03-02", "change_plan", plan="pro")]
    story = Story([BASIC, PRO], *events, until="03-03")
    assert story.rows()[1:] == [("03-02", "unused_refund", "290.32"), ("03-02", "charge", "-1000.00")]
    assert story.balance == "90.32"


def test_an_unfunded_plan_change_does_nothing() -> None:
    events = [top_up("03-01", "1000.00"), subscribe("03-01", "basic"), request("03-02", "change_plan", plan="pro")]
    story = Story([BASIC, PRO], *events, until="03-03")
    assert (story.rejected, story.balance, story.charged()) == ([2], "700.00", "300.00")


def test_a_plan_can_change_from_meter_to_month_and_back() -> None:
    # 10 h at 1.00, then 300.00 for 10:00 on; half of 31 days later (15.5 d) 150.00 is refunded and the meter restarts.
    events = [
        top_up("03-01", "310.00"),
        subscribe("03-01", "server"),
        request("03-01 10:00", "change_plan", plan="basic"),
    ]
    story = Story([BASIC, SERVER], *events, request("03-16 22:00", "change_plan", plan="server"), until="03-17 00:00")
    assert [amount for _, _, amount in story.rows()] == ["-10.00", "-300.00", "150.00", "-2.00"]
    assert story.access() == [["03-01", None]]


def test_a_refund_from_a_plan_change_revives_other_subscriptions() -> None:
    # 1000.00 is refunded the same day and basic costs 300.00; of the remaining 700.00 the waiting one takes 300.00.
    events = [top_up("03-01", "1000.00"), subscribe("03-01", "pro"), subscribe("03-01", "basic", "waits")]
    story = Story([BASIC, PRO], *events, request("03-01", "change_plan", plan="basic"), until="03-02")
    assert (story.status("waits"), story.balance) == ("active", "400.00")


def test_a_plan_change_of_a_waiting_or_trial_subscription_only_replaces_the_terms() -> None:
    waiting = [top_up("03-01", "300.00"), subscribe("03-01", "pro"), request("03-02", "change_plan", plan="basic")]
    assert Story([BASIC, PRO], *waiting, until="03-03").access() == [["03-02", None]]
    trying = [subscribe("03-01", "tried"), top_up("03-02", "300.00"), request("03-03", "change_plan", plan="basic")]
    assert Story([BASIC, TRIED], *trying, until="03-09").rows() == [("03-08", "charge", "-300.00")]


def test_a_plan_change_ends_the_grace() -> None:
    events = [top_up("03-01", "300.00"), subscribe("03-01", "graceful"), request("04-02", "change_plan", plan="pro")]
    story = Story([month("graceful", "300.00", grace_days=5), PRO], *events, until="04-03")
    assert (story.status(), story.access()) == ("suspended", [["03-01", "04-02"]])


def test_a_later_scheduled_change_replaces_the_earlier_one() -> None:
    events = [top_up("03-01", "1400.00"), subscribe("03-01", "basic")]
    changes = [
        request(f"03-0{day}", "change_plan", plan=plan, when="period_end") for day, plan in ((2, "pro"), (3, "mini"))
    ]
    story = Story([BASIC, PRO, month("mini", "50.00")], *events, *changes, until="04-02")
    assert story.rows()[-1] == ("04-01", "charge", "-50.00")


def test_a_pause_keeps_the_remaining_time_and_moves_the_end() -> None:
    # 21 of 31 days are left on 11 Mar. Resumed on 1 Apr they end on 22 Apr; the next month is 22 Apr to 22 May.
    events = [
        top_up("03-01", "600.00"),
        subscribe("03-01", "basic"),
        request("03-11", "pause"),
        request("04-01", "resume"),
    ]
    story = Story([BASIC], *events, until="06-01")
    assert story.access() == [["03-01", "03-11"], ["04-01", "05-22"]]
    # On 11 Apr 11 of the period's 31 days are left: 300.00 x 11/31 = 106.45...
    back = request("04-11", "cancel", when="now", refund_unused=True)
    assert Story([BASIC], *events, back, until="04-12").rows()[-1] == ("04-11", "unused_refund", "106.45")
    # Paused again on 11 Apr: the refund is for the same 11 of 31 days, no matter when.
    again = [request("04-11", "pause"), request("05-01", "cancel", refund_unused=True)]
    assert Story([BASIC], *events, *again, until="05-02").rows()[-1] == ("05-01", "unused_refund", "106.45")


def test_resuming_a_meter_without_money_suspends_it() -> None:
    events = [
        top_up("03-01", "1.00"),
        subscribe("03-01", "server"),
        request("03-01", "pause"),
        withdraw("03-02", "1.00"),
    ]
    story = Story([SERVER], *events, request("03-03", "resume"), until="03-04")
    assert (story.rejected, story.status(), story.access()) == ([], "suspended", [])


def test_cancelling_a_paused_subscription_refunds_its_remaining_time() -> None:
    # 21 of 31 days: 300.00 x 21/31 = 203.2258...
    events = [top_up("03-01", "300.00"), subscribe("03-01", "basic"), request("03-11", "pause")]
    story = Story([BASIC], *events, request("05-01", "cancel", refund_unused=True), until="05-02")
    assert (story.status(), story.balance) == ("cancelled", "203.22")


def test_a_cancellation_without_a_refund_revives_nothing() -> None:
    # Both run dry at 72 s and leave a kopeck. Cancelling one refunds nothing: the other stays suspended.
    events = [top_up("03-01", "0.03"), subscribe("03-01", "server", "a"), subscribe("03-01", "server", "b")]
    story = Story([SERVER], *events, request("03-02", "cancel", "a", refund_unused=True), until="03-03")
    assert (story.balance, story.status("b")) == ("0.01", "suspended")


def test_a_cancel_request_can_be_undone_and_a_plan_change_drops_it() -> None:
    events = [top_up("03-01", "3000.00"), subscribe("03-01", "basic"), request("03-02", "cancel")]
    assert Story([BASIC], *events, request("03-03", "undo_cancel"), until="04-02").status() == "active"
    assert Story([BASIC, PRO], *events, request("03-03", "change_plan", plan="pro"), until="04-04").status() == "active"
    story = Story([BASIC], *events, request("04-01", "undo_cancel"), request("04-01", "cancel"), until="04-02")
    assert (story.rejected, story.status()) == ([3, 4], "cancelled")


def test_only_active_subscriptions_pause_and_paused_ones_cannot_change() -> None:
    events = [
        subscribe("03-01", "basic"),
        request("03-02", "pause"),
        top_up("03-03", "300.00"),
        request("03-03", "pause"),
    ]
    story = Story(
        [BASIC, PRO], *events, request("03-04", "change_plan", plan="pro"), request("03-05", "pause"), until="03-06"
    )
    assert (story.rejected, story.status()) == ([1, 4, 5], "paused")


# R6: what is recorded.
def test_every_charge_is_dated_at_its_own_instant() -> None:
    # Not settled until 1 Jun: the charges have their own instants nevertheless. 300.00 x 2 + 5.00.
    events = [top_up("03-01", "605.00"), subscribe("03-01", "basic"), subscribe("05-01", "server", "meter")]
    story = Story([BASIC, SERVER], *events, until="06-01")
    assert [at for at, _, _ in story.rows()] == ["03-01", "04-01"]
    assert story.rows("meter") == [("05-01 05:00:35.999999", "charge", "-5.00")]


# R5: a change agreed for a later instant.
def agreed(plan: str = "pro", at: str = "04-16", then: str = "04-16 00:02", **more: Any) -> dict[str, Any]:
    return request(at, "change_plan", plan=plan, effective_at=full(then), **more)


def test_an_agreed_change_is_paid_at_once_and_takes_effect_later() -> None:
    # April has 30 days; at 00:02 on the 16th 15 d less 2 min of 300.00 are unused: 149.986.
    events = [top_up("04-01", "1300.00"), subscribe("04-01", "basic"), agreed()]
    story = Story([BASIC, PRO], *events, until="04-16")
    assert story.rows()[1:] == [("04-16", "unused_refund", "149.98"), ("04-16", "charge", "-1000.00")]
    # Nothing is charged at 00:02; the next payment is a month later.
    assert Story([BASIC, PRO], *events, until="05-16 00:01").rows() == story.rows()
    ended = Story([BASIC, PRO], *events, until="05-16 00:02")
    assert (ended.rows(), ended.access()) == (story.rows(), [["04-01", "05-16 00:02"]])


def test_an_unfunded_agreed_change_is_refused() -> None:
    # 1000.00 - 149.98 = 850.02 are needed in the wallet.
    for paid, refused in (("1150.01", [2]), ("1150.02", [])):
        story = Story([BASIC, PRO], top_up("04-01", paid), subscribe("04-01", "basic"), agreed(), until="04-17")
        assert story.rejected == refused


def test_a_refund_from_an_agreed_change_revives_at_once() -> None:
    # 149.98 is enough for the waiting meter.
    events = [top_up("04-01", "1000.00"), subscribe("04-01", "pro"), subscribe("04-01", "server", "waits")]
    story = Story([BASIC, PRO, SERVER], *events, agreed("basic"), until="04-16")
    assert (story.status("waits"), story.access("waits")) == ("active", [["04-16", None]])


def test_an_agreed_change_drops_a_cancel_request_and_happens_without_auto_renew() -> None:
    events = [top_up("04-01", "1300.00"), subscribe("04-01", "basic", auto_renew=False), request("04-02", "cancel")]
    story = Story([BASIC, PRO], *events, agreed(), until="06-01")
    assert (story.status(), story.charged(), story.access()) == ("expired", "1150.02", [["04-01", "05-16 00:02"]])


def test_an_agreed_change_to_a_meter_starts_it_at_the_agreed_instant() -> None:
    events = [top_up("04-01", "300.00"), subscribe("04-01", "basic"), agreed("server")]
    # From 00:02 on 149.98 lasts 149.98 h (6 d 5 h 58 min 48 s) and 36 s less a microsecond.
    story = Story([BASIC, SERVER], *events, until="05-01")
    assert (story.status(), story.access()) == ("suspended", [["04-01", "04-22 06:01:23.999999"]])
    # Without money at that instant it does not start.
    dry = Story([BASIC, SERVER], *events, withdraw("04-16 00:01", "149.98"), until="05-01")
    assert (dry.status(), dry.access()) == ("suspended", [["04-01", "04-16 00:02"]])


def test_other_operations_are_refused_until_an_agreed_change_takes_effect() -> None:
    events = [top_up("04-01", "3000.00"), subscribe("04-01", "basic"), agreed()]
    asked = [
        request("04-16 00:01", "pause"), request("04-16 00:01", "cancel"), request("04-16 00:01", "cancel", when="now"),
        request("04-16 00:01", "change_plan", plan="basic"), request("04-16 00:01:59.999999", "undo_cancel"),
    ]  # fmt: skip
    story = Story([BASIC, PRO], *events, *asked, request("04-16 00:02", "pause"), until="04-17")
    assert (story.rejected, story.status()) == ([3, 4, 5, 6, 7], "paused")


def test_an_effective_instant_outside_the_period_is_ignored() -> None:
    for then in ("04-16", "04-15", "05-01", "05-02"):
        events = [top_up("04-01", "1300.00"), subscribe("04-01", "basic"), agreed(then=then)]
        assert Story([BASIC, PRO], *events, until="04-16").rows()[1:] == [
            ("04-16", "unused_refund", "150.00"), ("04-16", "charge", "-1000.00"),
        ]  # fmt: skip
    # A meter has no period: the plan changes at once.
    events = [top_up("04-01", "2000.00"), subscribe("04-01", "server"), agreed()]
    assert Story([SERVER, PRO], *events, until="04-16").rows()[1:] == [("04-16", "charge", "-1000.00")]


def test_changing_to_the_present_plan_drops_the_scheduled_change() -> None:
    events = [
        top_up("01-31", "900.00"),
        subscribe("01-31", "basic"),
        request("02-01", "change_plan", plan="pro", when="period_end"),
    ]
    story = Story(
        [BASIC, PRO], *events, request("02-02", "change_plan", plan="basic", when="period_end"), until="04-01"
    )
    # Counted from the 31st: 28 Feb, 31 Mar.
    assert [at for at, _, _ in story.rows()] == ["01-31", "02-28", "03-31"]
    assert story.charged() == "900.00"
