"""R1 to R3 of docs/billing-rules.md, with examples calculated by hand."""

from tests.subscriptions.engine.story import Story, hour, month, request, subscribe, top_up, withdraw

SERVER = hour("server", "1.00")  # a kopeck each 36 s
BASIC = month("basic", "300.00")


# R1: settle first.
def test_a_boundary_is_crossed_before_an_operation_at_the_same_instant() -> None:
    # The month ends on 1 Apr with nothing in the wallet: suspended, and the top-up at that instant starts a new one.
    story = Story(
        [BASIC], top_up("03-01", "300.00"), subscribe("03-01", "basic"), top_up("04-01", "300.00"), until="04-02"
    )
    assert story.rows() == [("03-01", "charge", "-300.00"), ("04-01", "charge", "-300.00")]
    assert story.access() == [["03-01", None]]


def test_the_oldest_of_simultaneous_boundaries_comes_first() -> None:
    # 300.00 are left on 1 Apr, when both months end: the older one gets them.
    events = [subscribe("03-01", "basic", "old"), subscribe("03-01", "basic", "new")]
    story = Story([BASIC], top_up("03-01", "900.00"), *events, until="04-02")
    assert (story.status("old"), story.status("new")) == ("active", "suspended")


def test_metered_use_is_charged_before_a_boundary_at_the_same_instant() -> None:
    # The server begins 72 s before the month ends: 2 kopecks, and 299.98 is too little for the next month.
    events = [top_up("03-01", "600.00"), subscribe("03-01", "basic"), subscribe("03-31 23:58:48", "server", "meter")]
    story = Story([BASIC, SERVER], *events, until="04-01")
    assert story.balance == "299.98"
    assert story.status() == "suspended"


def test_extra_runs_only_change_how_metered_charges_are_split() -> None:
    events = [top_up("03-01", "10.00"), subscribe("03-01", "server")]
    alone = Story([SERVER], *events, until="03-02")
    ticked = Story([SERVER], *events, until="03-02", ticks={"every_seconds": 7200})
    # 10.00 last 10 h and 36 s less a microsecond; runs every 2 h cut that into five of 2.00 (the sixth slice owes 0).
    assert alone.rows() == [("03-01 10:00:35.999999", "charge", "-10.00")]
    assert [amount for _, _, amount in ticked.rows()] == ["-2.00"] * 5
    assert ticked.outcome["subscriptions"] == alone.outcome["subscriptions"]


# R2: metered use.
def test_a_fraction_is_carried_until_it_is_a_whole_kopeck() -> None:
    # Withdrawals cut the use at 20 s (0.56 kopeck), 40 s (1.11) and 70 s (1.94).
    cuts = [withdraw(f"03-01 00:0{at}", "1.00") for at in ("0:20", "0:40", "1:10")]
    story = Story([SERVER], top_up("03-01", "10.00"), subscribe("03-01", "server"), *cuts, until="03-01 00:01:12")
    assert story.rows() == [("03-01 00:00:40", "charge", "-0.01"), ("03-01 00:01:12", "charge", "-0.01")]


def test_two_servers_run_dry_together_and_the_last_unit_remains() -> None:
    # Each owes a kopeck at 36 s; the third kopeck cannot pay for both at 72 s, so it is left.
    events = [subscribe("03-01", "server", "a"), subscribe("03-01", "server", "b")]
    story = Story([SERVER], top_up("03-01", "0.03"), *events, until="03-02")
    assert story.balance == "0.01"
    for name in ("a", "b"):
        assert story.access(name) == [["03-01", "03-01 00:01:11.999999"]]
        assert story.rows(name) == [("03-01 00:01:11.999999", "charge", "-0.01")]


def test_a_free_meter_never_runs_dry() -> None:
    events = [subscribe("03-01", "free"), subscribe("03-01", "server", "paid")]
    story = Story([hour("free", "0.00"), SERVER], top_up("03-01", "0.01"), *events, until="03-02")
    assert (story.status(), story.status("paid")) == ("active", "suspended")


def test_a_wallet_that_lasts_a_microsecond_suspends_at_once() -> None:
    # 36 million roubles an hour are a kopeck a microsecond: 0.01 lasts 1 us.
    events = [top_up("03-01", "0.01"), subscribe("03-01", "server"), request("03-01", "change_plan", plan="huge")]
    story = Story([SERVER, hour("huge", "36000000.00")], *events, until="03-02")
    assert story.access() == [["03-01", "03-01 00:00:00.000001"]]


def test_the_fraction_is_carried_to_another_rate() -> None:
    # 18 s at 1.00 an hour: half a kopeck. At 1.00 a day a kopeck takes 864 s, so its other half takes 432 s.
    day = {"code": "day", "amount": "1.00", "interval": "day", "metered": True}
    events = [
        top_up("03-01", "1.00"),
        subscribe("03-01", "server"),
        request("03-01 00:00:18", "change_plan", plan="day"),
    ]
    assert Story([SERVER, day], *events, until="03-01 00:07:29.999999").balance == "1.00"
    assert Story([SERVER, day], *events, until="03-01 00:07:30").balance == "0.99"


def test_the_fraction_is_kept_through_suspension_and_pause() -> None:
    # Dry a microsecond before 36 s. After the top-up on 1 Apr a kopeck is owed a microsecond later, the next 36 s on.
    events = [top_up("03-01", "0.01"), subscribe("03-01", "server"), withdraw("03-01", "0.01"), top_up("04-01", "0.01")]
    story = Story([SERVER], *events, until="04-02")
    assert story.access() == [["03-01", "03-01 00:00:35.999999"], ["04-01", "04-01 00:00:36"]]
    paused = [top_up("03-01", "1.00"), subscribe("03-01", "server"), request("03-01 00:00:35", "pause")]
    story = Story([SERVER], *paused, request("03-05", "resume"), until="03-05 00:00:01")
    assert story.rows() == [("03-05 00:00:01", "charge", "-0.01")]


# R3: boundaries.
def test_periods_are_counted_from_the_anchor() -> None:
    # Two months each, from 31 Dec: 28 Feb, 30 Apr, 30 Jun... never 28 Apr.
    events = [top_up("2025-12-31", "1500.00"), subscribe("2025-12-31", "basic", periods=2)]
    story = Story([BASIC], *events, until="05-01")
    assert story.rows() == [
        ("2025-12-31", "charge", "-600.00"),
        ("02-28", "charge", "-600.00"),
    ]
    assert story.access() == [["2025-12-31", "04-30"]]


def test_a_cancel_request_prevents_the_renewal() -> None:
    events = [top_up("03-01", "900.00"), subscribe("03-01", "basic"), request("03-10", "cancel")]
    story = Story([BASIC], *events, until="05-01")
    assert (story.status(), story.balance, story.access()) == ("cancelled", "600.00", [["03-01", "04-01"]])


def test_without_auto_renew_a_subscription_expires_despite_money() -> None:
    story = Story([BASIC], top_up("03-01", "900.00"), subscribe("03-01", "basic", auto_renew=False), until="05-01")
    assert (story.status(), story.balance, story.access()) == ("expired", "600.00", [["03-01", "04-01"]])


def test_without_auto_renew_a_subscription_expires_despite_a_scheduled_change() -> None:
    events = [top_up("03-01", "900.00"), subscribe("03-01", "basic", auto_renew=False)]
    change = request("03-10", "change_plan", plan="mini", when="period_end")
    story = Story([BASIC, month("mini", "50.00")], *events, change, until="05-01")
    assert (story.status(), story.balance) == ("expired", "600.00")


def test_a_wallet_with_exactly_the_price_renews() -> None:
    events = [top_up("03-01", "600.00"), subscribe("03-01", "basic")]
    assert Story([BASIC], *events, until="04-02").access() == [["03-01", None]]
    assert Story([BASIC], *events, withdraw("03-02", "0.01"), until="04-02").access() == [["03-01", "04-01"]]


def test_an_unfunded_scheduled_change_suspends_without_grace() -> None:
    events = [top_up("03-01", "300.00"), subscribe("03-01", "basic")]
    change = request("03-10", "change_plan", plan="graceful", when="period_end")
    story = Story([BASIC, month("graceful", "100.00", grace_days=5)], *events, change, until="04-02")
    assert (story.status(), story.access()) == ("suspended", [["03-01", "04-01"]])


def test_grace_keeps_access_until_it_ends() -> None:
    graceful = month("graceful", "300.00", grace_days=3)
    story = Story([graceful], top_up("03-01", "300.00"), subscribe("03-01", "graceful"), until="04-03")
    assert (story.status(), story.access()) == ("past_due", [["03-01", None]])
    story = Story([graceful], top_up("03-01", "300.00"), subscribe("03-01", "graceful"), until="04-04")
    assert (story.status(), story.access()) == ("suspended", [["03-01", "04-04"]])


def test_a_trial_ends_with_a_paid_period_or_a_cancellation() -> None:
    tried = month("tried", "300.00", trial_days=7)
    paid = Story([tried], subscribe("03-01", "tried"), top_up("03-02", "300.00"), until="03-09")
    assert paid.rows() == [("03-08", "charge", "-300.00")]
    cancelled = Story([tried], subscribe("03-01", "tried"), request("03-02", "cancel"), until="03-09")
    assert (cancelled.status(), cancelled.access()) == ("cancelled", [["03-01", "03-08"]])
