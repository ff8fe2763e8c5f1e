"""R4 to R6 of docs/billing-rules.md, one example each, worked out by hand."""

from typing import Any

from tests.subscriptions.engine.story import Told, ask, full, hour, month, subscribe, top_up, withdraw

SERVER = hour("server", "1.00")  # a kopeck each 36 s
BASIC = month("basic", "300.00")
PRO = month("pro", "1000.00")
TRIED = month("tried", "300.00", trial_days=7)


# R4: start and revive.
def test_a_start_needs_the_whole_due_or_any_money_for_a_meter() -> None:
    # 3 seats for 2 months: 1800.00. One kopeck is enough to start the meter.
    events = [top_up("03-01", "1799.99"), subscribe("03-01", "basic", quantity=3, periods=2)]
    assert Told([BASIC], *events, until="03-02").status() == "pending"
    assert Told([BASIC], *events, top_up("03-02", "0.01"), until="03-03").charged() == "1800.00"
    assert Told([SERVER], top_up("03-01", "0.01"), subscribe("03-01", "server"), until="03-01").status() == "active"
    assert Told([SERVER], subscribe("03-01", "server"), until="03-01").status() == "pending"


def test_a_plan_is_tried_once() -> None:
    events = [subscribe("03-01", "tried"), ask("03-02", "cancel", when="now"), subscribe("03-03", "tried", "again")]
    told = Told([TRIED], *events, until="03-04")
    assert (told.access(), told.status("again")) == ([["03-01", "03-02"]], "pending")


def test_money_revives_the_oldest_first() -> None:
    # 400.00 pay for one of two; the hundred left starts the meter, which is the youngest.
    events = [subscribe("03-01", "basic", "a"), subscribe("03-01", "basic", "b"), subscribe("03-01", "server", "c")]
    told = Told([BASIC, SERVER], *events, top_up("03-05", "400.00"), until="03-05")
    assert [told.status(name) for name in "abc"] == ["active", "pending", "active"]


def test_who_pays_within_the_grace_keeps_the_rhythm() -> None:
    # The second month is 1 Apr to 1 May although it was paid on 3 Apr.
    events = [top_up("03-01", "300.00"), subscribe("03-01", "graceful"), top_up("04-03", "300.00")]
    told = Told([month("graceful", "300.00", grace_days=5)], *events, until="05-02")
    assert told.rows() == [("03-01", "charge", "-300.00"), ("04-03", "charge", "-300.00")]
    assert told.status() == "past_due"
    assert told.access() == [["03-01", None]]


def test_a_month_paid_in_the_grace_is_worth_its_whole_length() -> None:
    # Paid on 3 Apr for 1 Apr to 1 May; 20 of its 30 days are left on 11 Apr: 200.00 come back.
    events = [top_up("03-01", "300.00"), subscribe("03-01", "graceful"), top_up("04-03", "300.00")]
    back = ask("04-11", "cancel", when="now", refund_unused=True)
    told = Told([month("graceful", "300.00", grace_days=5)], *events, back, until="04-12")
    assert told.rows()[-1] == ("04-11", "unused_refund", "200.00")


def test_who_comes_back_late_starts_afresh() -> None:
    events = [top_up("03-01", "300.00"), subscribe("03-01", "basic"), top_up("04-10", "300.00")]
    assert Told([BASIC], *events, until="06-01").access() == [["03-01", "04-01"], ["04-10", "05-10"]]


def test_money_out_is_refused_whole_after_settling() -> None:
    # 2 h are used by 02:00, so 8.00 are left: 8.01 is refused, 8.00 is not.
    events = [top_up("03-01", "10.00"), subscribe("03-01", "server")]
    told = Told(
        [SERVER], *events, withdraw("03-01 02:00", "8.01"), withdraw("03-01 02:00", "8.00"), until="03-01 02:00"
    )
    assert (told.rejected, told.balance) == ([2], "0.00")
    assert told.rows(None)[-1] == ("03-01 02:00", "refund", "-8.00")


# R5: what a customer may ask.
def test_a_change_gives_back_what_is_unused_rounded_down() -> None:
    # March has 31 days, 30 are left on 2 Mar: 300.00 x 30/31 = 290.3225..., so 290.32 come back.
    events = [top_up("03-01", "1100.00"), subscribe("03-01", "basic"), ask("03-02", "change_plan", plan="pro")]
    told = Told([BASIC, PRO], *events, until="03-03")
    assert told.rows()[1:] == [("03-02", "unused_refund", "290.32"), ("03-02", "charge", "-1000.00")]
    assert told.balance == "90.32"


def test_a_change_that_is_not_funded_does_nothing() -> None:
    events = [top_up("03-01", "1000.00"), subscribe("03-01", "basic"), ask("03-02", "change_plan", plan="pro")]
    told = Told([BASIC, PRO], *events, until="03-03")
    assert (told.rejected, told.balance, told.charged()) == ([2], "700.00", "300.00")


def test_a_change_between_meter_and_month_goes_both_ways() -> None:
    # 10 h at 1.00, then 300.00 for 10:00 on; half of 31 days later (15.5 d) 150.00 come back and the meter goes on.
    events = [top_up("03-01", "310.00"), subscribe("03-01", "server"), ask("03-01 10:00", "change_plan", plan="basic")]
    told = Told([BASIC, SERVER], *events, ask("03-16 22:00", "change_plan", plan="server"), until="03-17 00:00")
    assert [amount for _, _, amount in told.rows()] == ["-10.00", "-300.00", "150.00", "-2.00"]
    assert told.access() == [["03-01", None]]


def test_what_comes_back_from_a_change_revives_the_rest() -> None:
    # 1000.00 back on the day itself, 300.00 for basic; 700.00 are left for the one that waited, which takes 300.00.
    events = [top_up("03-01", "1000.00"), subscribe("03-01", "pro"), subscribe("03-01", "basic", "waits")]
    told = Told([BASIC, PRO], *events, ask("03-01", "change_plan", plan="basic"), until="03-02")
    assert (told.status("waits"), told.balance) == ("active", "400.00")


def test_a_change_of_what_waits_or_is_being_tried_just_switches() -> None:
    waiting = [top_up("03-01", "300.00"), subscribe("03-01", "pro"), ask("03-02", "change_plan", plan="basic")]
    assert Told([BASIC, PRO], *waiting, until="03-03").access() == [["03-02", None]]
    trying = [subscribe("03-01", "tried"), top_up("03-02", "300.00"), ask("03-03", "change_plan", plan="basic")]
    assert Told([BASIC, TRIED], *trying, until="03-09").rows() == [("03-08", "charge", "-300.00")]


def test_a_change_in_the_grace_loses_it() -> None:
    events = [top_up("03-01", "300.00"), subscribe("03-01", "graceful"), ask("04-02", "change_plan", plan="pro")]
    told = Told([month("graceful", "300.00", grace_days=5), PRO], *events, until="04-03")
    assert (told.status(), told.access()) == ("suspended", [["03-01", "04-02"]])


def test_a_later_change_replaces_the_one_remembered() -> None:
    events = [top_up("03-01", "1400.00"), subscribe("03-01", "basic")]
    changes = [
        ask(f"03-0{day}", "change_plan", plan=plan, when="period_end") for day, plan in ((2, "pro"), (3, "mini"))
    ]
    told = Told([BASIC, PRO, month("mini", "50.00")], *events, *changes, until="04-02")
    assert told.rows()[-1] == ("04-01", "charge", "-50.00")


def test_a_pause_keeps_the_rest_of_the_period_and_moves_its_end() -> None:
    # 21 of 31 days are left on 11 Mar. Resumed on 1 Apr they end on 22 Apr; the next month is 22 Apr to 22 May.
    events = [top_up("03-01", "600.00"), subscribe("03-01", "basic"), ask("03-11", "pause"), ask("04-01", "resume")]
    told = Told([BASIC], *events, until="06-01")
    assert told.access() == [["03-01", "03-11"], ["04-01", "05-22"]]
    # On 11 Apr 11 of the period's 31 days are left: 300.00 x 11/31 = 106.45...
    back = ask("04-11", "cancel", when="now", refund_unused=True)
    assert Told([BASIC], *events, back, until="04-12").rows()[-1] == ("04-11", "unused_refund", "106.45")
    # Paused again on 11 Apr: the same 11 of 31 days, whenever they are given back.
    again = [ask("04-11", "pause"), ask("05-01", "cancel", refund_unused=True)]
    assert Told([BASIC], *events, *again, until="05-02").rows()[-1] == ("05-01", "unused_refund", "106.45")


def test_a_meter_that_finds_no_money_is_not_resumed() -> None:
    events = [top_up("03-01", "1.00"), subscribe("03-01", "server"), ask("03-01", "pause"), withdraw("03-02", "1.00")]
    told = Told([SERVER], *events, ask("03-03", "resume"), until="03-04")
    assert (told.rejected, told.status(), told.access()) == ([], "suspended", [])


def test_a_paused_subscription_gives_back_what_it_kept() -> None:
    # 21 of 31 days: 300.00 x 21/31 = 203.2258...
    events = [top_up("03-01", "300.00"), subscribe("03-01", "basic"), ask("03-11", "pause")]
    told = Told([BASIC], *events, ask("05-01", "cancel", refund_unused=True), until="05-02")
    assert (told.status(), told.balance) == ("cancelled", "203.22")


def test_nothing_revives_where_no_money_came() -> None:
    # Both run dry at 72 s and leave a kopeck. One is cancelled, which gives nothing back: the other stays suspended.
    events = [top_up("03-01", "0.03"), subscribe("03-01", "server", "a"), subscribe("03-01", "server", "b")]
    told = Told([SERVER], *events, ask("03-02", "cancel", "a", refund_unused=True), until="03-03")
    assert (told.balance, told.status("b")) == ("0.01", "suspended")


def test_a_cancel_can_be_undone_while_it_is_live_and_a_change_drops_it() -> None:
    events = [top_up("03-01", "3000.00"), subscribe("03-01", "basic"), ask("03-02", "cancel")]
    assert Told([BASIC], *events, ask("03-03", "undo_cancel"), until="04-02").status() == "active"
    assert Told([BASIC, PRO], *events, ask("03-03", "change_plan", plan="pro"), until="04-04").status() == "active"
    told = Told([BASIC], *events, ask("04-01", "undo_cancel"), ask("04-01", "cancel"), until="04-02")
    assert (told.rejected, told.status()) == ([3, 4], "cancelled")


def test_what_is_not_active_cannot_be_paused_and_what_is_paused_not_changed() -> None:
    events = [subscribe("03-01", "basic"), ask("03-02", "pause"), top_up("03-03", "300.00"), ask("03-03", "pause")]
    told = Told([BASIC, PRO], *events, ask("03-04", "change_plan", plan="pro"), ask("03-05", "pause"), until="03-06")
    assert (told.rejected, told.status()) == ([1, 4, 5], "paused")


# R6: what is written.
def test_every_charge_is_dated_at_its_own_instant() -> None:
    # Nobody looked from 1 Mar to 1 Jun: the months and the meter's end stand where they belong. 300.00 x 2 + 5.00.
    events = [top_up("03-01", "605.00"), subscribe("03-01", "basic"), subscribe("05-01", "server", "meter")]
    told = Told([BASIC, SERVER], *events, until="06-01")
    assert [at for at, _, _ in told.rows()] == ["03-01", "04-01"]
    assert told.rows("meter") == [("05-01 05:00:35.999999", "charge", "-5.00")]


# R5: a change that is agreed for an instant ahead.
def agreed(plan: str = "pro", at: str = "04-16", then: str = "04-16 00:02", **more: Any) -> dict[str, Any]:
    return ask(at, "change_plan", plan=plan, effective_at=full(then), **more)


def test_an_agreed_change_is_paid_at_once_for_what_is_unused_then() -> None:
    # April has 30 days; at 00:02 on the 16th 15 d less 2 min of 300.00 are unused: 149.986.
    events = [top_up("04-01", "1300.00"), subscribe("04-01", "basic"), agreed()]
    told = Told([BASIC, PRO], *events, until="04-16")
    assert told.rows()[1:] == [("04-16", "unused_refund", "149.98"), ("04-16", "charge", "-1000.00")]
    # Nothing more at 00:02, and the next payment a month after that.
    assert Told([BASIC, PRO], *events, until="05-16 00:01").rows() == told.rows()
    ended = Told([BASIC, PRO], *events, until="05-16 00:02")
    assert (ended.rows(), ended.access()) == (told.rows(), [["04-01", "05-16 00:02"]])


def test_an_agreed_change_that_cannot_be_paid_is_refused_whole() -> None:
    # 1000.00 - 149.98 = 850.02 are needed in the wallet.
    for paid, refused in (("1150.01", [2]), ("1150.02", [])):
        told = Told([BASIC, PRO], top_up("04-01", paid), subscribe("04-01", "basic"), agreed(), until="04-17")
        assert told.rejected == refused


def test_what_comes_back_by_an_agreed_change_revives_at_once() -> None:
    # 149.98 is enough for the meter that has waited.
    events = [top_up("04-01", "1000.00"), subscribe("04-01", "pro"), subscribe("04-01", "server", "waits")]
    told = Told([BASIC, PRO, SERVER], *events, agreed("basic"), until="04-16")
    assert (told.status("waits"), told.access("waits")) == ("active", [["04-16", None]])


def test_an_agreed_change_drops_a_cancel_and_comes_with_renewal_off_as_well() -> None:
    events = [top_up("04-01", "1300.00"), subscribe("04-01", "basic", auto_renew=False), ask("04-02", "cancel")]
    told = Told([BASIC, PRO], *events, agreed(), until="06-01")
    assert (told.status(), told.charged(), told.access()) == ("expired", "1150.02", [["04-01", "05-16 00:02"]])


def test_to_a_meter_an_agreed_change_starts_it_then() -> None:
    events = [top_up("04-01", "300.00"), subscribe("04-01", "basic"), agreed("server")]
    # 149.98 last 149.98 h and, less a microsecond, 36 s from 00:02 on: 6 d 5 h 58 min 48 s.
    told = Told([BASIC, SERVER], *events, until="05-01")
    assert (told.status(), told.access()) == ("suspended", [["04-01", "04-22 06:01:23.999999"]])
    # Without money by then it does not start.
    dry = Told([BASIC, SERVER], *events, withdraw("04-16 00:01", "149.98"), until="05-01")
    assert (dry.status(), dry.access()) == ("suspended", [["04-01", "04-16 00:02"]])


def test_between_the_agreement_and_the_change_nothing_else_is_taken() -> None:
    events = [top_up("04-01", "3000.00"), subscribe("04-01", "basic"), agreed()]
    asked = [
        ask("04-16 00:01", "pause"), ask("04-16 00:01", "cancel"), ask("04-16 00:01", "cancel", when="now"),
        ask("04-16 00:01", "change_plan", plan="basic"), ask("04-16 00:01:59.999999", "undo_cancel"),
    ]  # fmt: skip
    told = Told([BASIC, PRO], *events, *asked, ask("04-16 00:02", "pause"), until="04-17")
    assert (told.rejected, told.status()) == ([3, 4, 5, 6, 7], "paused")


def test_an_instant_outside_of_the_period_is_left_out_of_account() -> None:
    for then in ("04-16", "04-15", "05-01", "05-02"):
        events = [top_up("04-01", "1300.00"), subscribe("04-01", "basic"), agreed(then=then)]
        assert Told([BASIC, PRO], *events, until="04-16").rows()[1:] == [
            ("04-16", "unused_refund", "150.00"), ("04-16", "charge", "-1000.00"),
        ]  # fmt: skip
    # A meter has no period: it goes on to the plan at once.
    events = [top_up("04-01", "2000.00"), subscribe("04-01", "server"), agreed()]
    assert Told([SERVER, PRO], *events, until="04-16").rows()[1:] == [("04-16", "charge", "-1000.00")]


def test_to_keep_the_plan_after_all_drops_the_change_and_keeps_the_rhythm() -> None:
    events = [
        top_up("01-31", "900.00"),
        subscribe("01-31", "basic"),
        ask("02-01", "change_plan", plan="pro", when="period_end"),
    ]
    told = Told([BASIC, PRO], *events, ask("02-02", "change_plan", plan="basic", when="period_end"), until="04-01")
    # Counted from the 31st: 28 Feb, 31 Mar.
    assert [at for at, _, _ in told.rows()] == ["01-31", "02-28", "03-31"]
    assert told.charged() == "900.00"
