"""R4: money that comes in and goes out, debts and lost disputes. Calculated by hand."""

from typing import Any

from subscriptions.engine import funds
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.subscription import Status
from tests.subscriptions.engine.bare import bought, funded, instant, monthly
from tests.subscriptions.engine.story import Story, dispute, hour, month, request, subscribe, top_up, withdraw

SERVER = hour("server", "1.00")  # a kopeck lasts 36 s
BASIC = month("basic", "300.00")  # in April 10.00 a day
MINI = month("mini", "0.01")
GRACEFUL = month("graceful", "300.00", grace_days=20)


def april(*events: dict[str, Any], until: str) -> Story:
    """Play two basic plans, old and new, from the beginning of April on; the wallet is empty."""
    both = [subscribe("04-01", "basic", "old"), subscribe("04-01", "basic", "new")]
    return Story([SERVER, BASIC, GRACEFUL], top_up("04-01", "600.00"), *both, *events, until=until)


# Money out.
def test_a_withdrawal_above_the_settled_balance_is_refused() -> None:
    # Case 1 too: 2 h 18 s are used, in 201 kopecks, which is posted also for the refused one. 7.99 are left.
    events = [top_up("03-01", "10.00"), subscribe("03-01", "server")]
    refused = withdraw("03-01 02:00:18", "8.00")
    story = Story([SERVER], *events, refused, until="03-01 02:00:18")
    assert (story.rejected, story.balance) == ([2], "7.99")
    assert story.rows() == [("03-01 02:00:18", "charge", "-2.01")]
    story = Story([SERVER], *events, withdraw("03-01 02:00:18", "7.99"), until="03-02")
    assert (story.rejected, story.balance, story.access()) == ([], "0.00", [["03-01", "03-01 02:00:36"]])


def test_a_withdrawal_suspends_nothing_that_is_paid() -> None:
    story = Story(
        [BASIC], top_up("03-01", "400.00"), subscribe("03-01", "basic"), withdraw("03-02", "100.00"), until="03-31"
    )
    assert (story.balance, story.status()) == ("0.00", "active")


# A lost dispute.
def test_a_lost_dispute_takes_what_is_there_and_no_more_stops() -> None:
    events = [top_up("04-01", "400.00"), subscribe("04-01", "basic"), dispute("04-16", "100.00")]
    story = Story([BASIC], *events, until="04-17")
    assert (story.balance, story.debt, story.status()) == ("0.00", "0.00", "active")
    assert story.rows(None)[-1] == ("04-16", "chargeback", "-100.00")


def test_a_lost_dispute_stops_the_newest_and_its_unused_time_pays() -> None:
    # Half of April is left: 150.00 of each. That pays the debt of 150.00; the older one goes on.
    story = april(dispute("04-16", "150.00"), until="04-17")
    assert (story.status("old"), story.status("new")) == ("active", "suspended")
    assert (story.balance, story.debt, story.charged("new")) == ("0.00", "0.00", "150.00")
    assert story.access("new") == [["04-01", "04-16"]]


def test_a_lost_dispute_goes_on_until_no_debt_is_left() -> None:
    # 150.01: the newer pays 150.00, the older the last kopeck, and 149.99 are left.
    story = april(dispute("04-16", "150.01"), until="04-17")
    assert [story.status(name) for name in ("old", "new")] == ["suspended", "suspended"]
    assert (story.balance, story.debt) == ("149.99", "0.00")
    # 400.00: both pay, 100.00 are owed.
    story = april(dispute("04-16", "400.00"), until="04-17")
    assert (story.balance, story.debt, story.charged("old"), story.charged("new")) == (
        "0.00",
        "100.00",
        "150.00",
        "150.00",
    )
    # And 100.00 with a month for the oldest revive that.
    story = april(dispute("04-16", "400.00"), top_up("04-17", "400.00"), until="04-18")
    assert (story.status("old"), story.status("new"), story.balance, story.debt) == (
        "active",
        "suspended",
        "0.00",
        "0.00",
    )


def test_money_left_after_a_lost_dispute_revives() -> None:
    # The server has no kopeck; 50.00 of the newest's 150.00 are left after a debt of 100.00.
    events = [
        top_up("04-01", "600.01"), subscribe("04-01", "server", "m"), subscribe("04-01", "basic", "old"),
        subscribe("04-01", "basic", "new"), dispute("04-16", "100.00"),
    ]  # fmt: skip
    story = Story([SERVER, BASIC], *events, until="04-16")
    assert [story.status(name) for name in ("m", "old", "new")] == ["active", "active", "suspended"]
    assert story.balance == "50.00"


def test_a_meter_runs_to_the_end_of_its_kopeck_after_a_lost_dispute() -> None:
    events = [top_up("04-01", "1.00"), subscribe("04-01", "server"), dispute("04-01 00:00:20", "1.00")]
    story = Story([SERVER], *events, until="04-02")
    # 0.99 are taken, a kopeck is owed.
    assert (story.access(), story.debt) == ([["04-01", "04-01 00:00:36"]], "0.01")


def test_a_lost_dispute_ends_the_grace() -> None:
    # Five days of April in grace: 50.00, with the disputed 300.00 owed. Nothing more is served.
    events = [top_up("03-01", "300.00"), subscribe("03-01", "graceful"), dispute("04-06", "300.00")]
    story = Story([GRACEFUL], *events, until="04-30")
    assert (story.status(), story.access(), story.debt) == ("suspended", [["03-01", "04-06"]], "350.00")


def test_a_won_dispute_is_money_in_and_pays_the_debt() -> None:
    back = [dispute("04-16", "400.00"), top_up("04-20", "400.00")]
    story = april(*back, until="04-21")
    # 100.00 were owed; 300.00 start the older one.
    assert (story.balance, story.debt, story.status("old")) == ("0.00", "0.00", "active")


# Unused time that comes back is money too.
def test_unused_time_pays_the_debt_first() -> None:
    # Suspended in grace: 200.00 of debt. Of the other's 150.00 nothing is left.
    events = [
        top_up("03-01", "300.00"), subscribe("03-01", "graceful"), top_up("03-22", "300.00"),
        subscribe("03-22", "basic", "b"),
    ]  # fmt: skip
    # 22 Mar to 22 Apr are 31 days; on 21 Apr one is left: 300.00 / 31 = 9.677...
    back = request("04-21", "cancel", "b", when="now", refund_unused=True)
    story = Story([GRACEFUL, BASIC], *events, back, until="04-21")
    assert (story.balance, story.debt, story.charged("b")) == ("0.00", "190.33", "290.33")


def test_unused_time_below_a_kopeck_is_no_money_and_revives_nothing() -> None:
    # Case 3. On 1 Apr 300.00 are left and a kopeck of the server is due, so basic is suspended. Without the server the
    # wallet holds its price, but no money came: half of a month of 0.01 is worth nothing. A kopeck more revives it.
    events = [
        top_up("03-01", "600.02"), subscribe("03-01", "basic"), subscribe("03-15", "mini", "c"),
        subscribe("03-31 23:59:24", "server", "m"), request("04-01", "cancel", "m"),
        request("04-02", "cancel", "c", when="now", refund_unused=True),
    ]  # fmt: skip
    story = Story([BASIC, MINI, SERVER], *events, until="04-03")
    assert (story.status(), story.status("c"), story.balance) == ("suspended", "cancelled", "300.00")
    assert story.rows("c") == [("03-15", "charge", "-0.01")]
    story = Story([BASIC, MINI, SERVER], *events, top_up("04-03", "0.01"), until="04-03")
    assert (story.status(), story.balance) == ("active", "0.01")


def test_a_debt_never_stands_beside_money() -> None:
    # R4: 18.00 owed; 20.00 come.
    book = funded(100)
    bought(book, "03-01", monthly("free", 0))
    funds.lose_dispute(book, instant("03-02"), 19_00)
    assert (book.balance, book.debt) == (0, 18_00)
    funds.top_up(book, instant("03-03"), 20_00)
    assert (book.balance, book.debt) == (2_00, 0)


# A debt that is written off.
def test_a_debt_that_is_written_off_revives_what_it_had_suspended() -> None:
    book = funded(400_00, "04-01")
    free, basic = bought(book, "04-01", monthly("free", 0)), bought(book, "04-01", monthly("basic", 300_00))
    # 100.00 are there, half of April gives back 150.00, and 50.00 stay a debt. What was free stops with it.
    funds.lose_dispute(book, instant("04-16"), 300_00)
    assert (book.balance, book.debt) == (0, 50_00)
    assert [sub.status for sub in (free, basic)] == [Status.SUSPENDED] * 2
    assert funds.write_off(book, instant("04-17"), 50_00) is None
    assert (book.balance, book.debt) == (0, 0)
    assert [sub.status for sub in (free, basic)] == [Status.ACTIVE, Status.SUSPENDED]
    # The next money is not needed for the debt any more.
    funds.top_up(book, instant("04-18"), 300_00)
    assert (basic.status, book.balance) == (Status.ACTIVE, 0)


def test_a_part_of_a_debt_is_written_off_and_no_more_than_all_of_it() -> None:
    book = funded(10_00, "04-01")
    funds.take_back(book, instant("04-02"), 60_00, reason="refund")
    assert funds.write_off(book, instant("04-03"), 50_01) is Refusal.MORE_THAN_DEBT
    assert funds.write_off(book, instant("04-03"), 20_00) is None
    assert (book.balance, book.debt) == (0, 30_00)
    last = book.journal.movements[-1]
    assert (last.reason, last.amount, last.balance, last.on_debt) == ("write_off", -20_00, 30_00, True)
