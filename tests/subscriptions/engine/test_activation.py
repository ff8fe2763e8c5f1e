"""R4: starts, trials, orders, and what money revives. Calculated by hand."""

from typing import Any

import pytest

from subscriptions.engine import funds
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status
from tests.subscriptions.engine.bare import DAY, bought, counting_units, funded, instant, metered, monthly
from tests.subscriptions.engine.story import Story, dispute, hour, month, request, subscribe, top_up

SERVER = hour("server", "1.00")  # a kopeck lasts 36 s
BASIC = month("basic", "300.00")
PRO = month("pro", "1000.00")
TRIED = month("tried", "300.00", trial_days=7)
OTHER = month("other", "400.00", trial_days=14)


def story_of(*events: dict[str, Any], until: str) -> Story:
    return Story([SERVER, BASIC, PRO, TRIED, OTHER], *events, until=until)


# Starting.
def test_a_start_needs_the_full_price_and_a_meter_its_first_kopeck() -> None:
    # 3 seats for 2 months: 1800.00.
    three = subscribe("03-01", "basic", quantity=3, periods=2)
    assert story_of(top_up("03-01", "1799.99"), three, until="03-02").status() == "pending"
    assert story_of(top_up("03-01", "1800.00"), three, until="03-02").charged() == "1800.00"
    assert story_of(top_up("03-01", "0.01"), subscribe("03-01", "server"), until="03-01").status() == "active"
    assert story_of(subscribe("03-01", "server"), until="03-01").status() == "pending"


def test_what_costs_nothing_starts_with_an_empty_wallet() -> None:
    free = [month("free", "0.00"), hour("gratis", "0.00")]
    events = [subscribe("03-01", "free", "a"), subscribe("03-01", "gratis", "b")]
    story = Story(free, *events, until="06-01")
    assert [story.access(name) for name in "ab"] == [[["03-01", None]], [["03-01", None]]]


# Trials.
def test_a_trial_needs_no_money() -> None:
    story = story_of(subscribe("03-01", "tried"), until="03-07 23:59:59.999999")
    assert (story.status(), story.charged(), story.access()) == ("trialing", "0.00", [["03-01", None]])


def test_a_customer_gets_one_trial_of_a_plan_also_when_it_is_cancelled_at_once() -> None:
    # Case 4.
    for cancelled_at in ("03-01", "03-02"):
        events = [subscribe("03-01", "tried"), request(cancelled_at, "cancel", when="now")]
        story = story_of(*events, subscribe("03-03", "tried", "again"), subscribe("03-03", "other", "o"), until="03-04")
        assert (story.status("again"), story.status("o")) == ("pending", "trialing")


def test_a_change_while_trialing_does_not_use_up_the_trial_of_the_new_plan() -> None:
    # Case 4: the trial keeps its end; the other plan can still be tried, the first one cannot.
    events = [subscribe("03-01", "tried"), request("03-02", "change_plan", plan="other")]
    again = [subscribe("03-03", "other", "o"), subscribe("03-03", "tried", "t")]
    story = story_of(*events, *again, until="03-08")
    assert (story.access(), story.status("o"), story.status("t")) == ([["03-01", "03-08"]], "trialing", "pending")


def test_only_the_first_start_gives_a_trial() -> None:
    # Without money for a month; changed while suspended to a plan with a trial.
    events = [top_up("03-01", "300.00"), subscribe("03-01", "basic"), request("04-02", "change_plan", plan="tried")]
    assert story_of(*events, until="04-03").status() == "suspended"


def test_no_trial_is_given_for_a_crowd() -> None:
    for number, status in ((10, "trialing"), (11, "pending")):
        assert story_of(subscribe("03-01", "tried", quantity=number), until="03-02").status() == status
    wide = month("wide", "300.00", trial_days=7, trial_quantity_max=50)
    assert Story([wide], subscribe("03-01", "wide", quantity=50), until="03-02").status() == "trialing"


def test_no_trial_is_given_while_the_book_has_a_debt() -> None:
    debt = [top_up("03-01", "100.00"), dispute("03-02", "100.01")]
    assert story_of(*debt, subscribe("03-03", "tried"), until="03-04").status() == "pending"
    paid = [*debt, top_up("03-03", "0.01"), subscribe("03-03", "tried")]
    assert story_of(*paid, until="03-04").status() == "trialing"
    later = [*debt, subscribe("03-03", "tried"), top_up("03-04", "0.01"), request("03-05", "start")]
    assert story_of(*later, until="03-06").access() == [["03-05", None]]


# Orders.
def test_checkouts_left_unpaid_are_started_by_no_other_money() -> None:
    plan = month("basic", "299.00")
    three = [subscribe(f"03-01 1{n}:00", "basic", name, checkout=True) for n, name in enumerate("abc")]
    story = Story([plan], *three, top_up("03-02", "1342.00"), until="03-03")
    assert (story.balance, [story.status(name) for name in "abc"]) == ("1342.00", ["pending"] * 3)


def test_a_checkout_left_unpaid_is_not_started_by_a_full_wallet_either() -> None:
    events = [top_up("03-01", "1000.00"), subscribe("03-01", "basic", checkout=True), top_up("03-02", "100.00")]
    story = story_of(*events, until="03-03")
    assert (story.balance, story.status()) == ("1100.00", "pending")


def test_an_order_that_found_no_money_starts_only_on_request_or_by_its_own_payment() -> None:
    order = [top_up("03-01", "299.99"), subscribe("03-01", "basic")]
    assert story_of(*order, top_up("03-02", "300.00"), until="03-03").status() == "pending"
    asked = [*order, request("03-02", "start"), top_up("03-03", "0.01"), request("03-04", "start")]
    story = story_of(*asked, until="03-05")
    assert (story.rejected, story.access(), story.balance) == ([2], [["03-04", None]], "0.00")
    own = story_of(*order, top_up("03-02", "0.01", paid_for="s"), until="03-03")
    assert own.access() == [["03-02", None]]


def test_unused_time_that_comes_back_starts_no_order() -> None:
    events = [top_up("03-01", "1000.00"), subscribe("03-01", "pro", "p"), subscribe("03-01", "basic")]
    story = story_of(*events, request("03-01", "cancel", "p", when="now", refund_unused=True), until="03-02")
    assert (story.status(), story.balance) == ("pending", "1000.00")


def test_a_checkout_begins_a_trial_at_once() -> None:
    assert story_of(subscribe("03-01", "tried", checkout=True), until="03-02").status() == "trialing"
    crowd = [top_up("03-01", "9000.00"), subscribe("03-01", "tried", checkout=True, quantity=11)]
    assert story_of(*crowd, until="03-02").status() == "pending"


def test_a_payment_for_an_order_pays_the_debt_first() -> None:
    # A checkout asks for the due sum and the debt: 300.00 + 50.00.
    events = [top_up("02-01", "1.00"), dispute("02-02", "51.00"), subscribe("03-01", "basic", checkout=True)]
    for money, status in (("349.99", "pending"), ("350.00", "active")):
        story = story_of(*events, top_up("03-01", money, paid_for="s"), until="03-02")
        assert (story.status(), story.debt) == (status, "0.00")


# Reviving.
def two_waiting() -> list[dict[str, Any]]:
    """Let two months and a server run out of money by 1 April, the server an hour before."""
    return [
        top_up("03-01", "601.00"), subscribe("03-01", "basic", "a"), subscribe("03-01", "basic", "b"),
        subscribe("03-31 22:00", "server", "c"),
    ]  # fmt: skip


def test_money_revives_the_oldest_first() -> None:
    # 400.00 pay for one of the two months; what is left starts the server, which is the youngest.
    story = story_of(*two_waiting(), top_up("04-05", "400.00"), until="04-05")
    assert [story.status(name) for name in "abc"] == ["active", "suspended", "active"]
    assert story.balance == "100.00"


def test_a_payment_made_for_one_starts_that_one_first_and_then_revives_the_rest() -> None:
    story = story_of(*two_waiting(), top_up("04-05", "300.01", paid_for="b"), until="04-05")
    assert [story.status(name) for name in "abc"] == ["suspended", "active", "active"]
    order = [*two_waiting(), subscribe("04-02", "basic", "d", checkout=True)]
    story = story_of(*order, top_up("04-05", "600.00", paid_for="d"), until="04-05")
    assert [story.status(name) for name in "abcd"] == ["active", "suspended", "suspended", "active"]


def test_a_payment_made_for_one_in_grace_keeps_the_order_of_age() -> None:
    # Two in grace since 1 Apr, and money for one: the older is paid.
    graceful = month("graceful", "300.00", grace_days=5)
    both = [subscribe("03-01", "graceful", name) for name in "ab"]
    paid = top_up("04-02", "300.00", paid_for="b")
    story = Story([graceful], top_up("03-01", "600.00"), *both, paid, until="04-02")
    assert [story.status(name) for name in "ab"] == ["active", "past_due"]


def test_what_was_suspended_starts_afresh_when_the_money_comes() -> None:
    events = [top_up("03-01", "300.00"), subscribe("03-01", "basic"), top_up("04-10", "300.00")]
    assert story_of(*events, until="06-01").access() == [["03-01", "04-01"], ["04-10", "05-10"]]


def test_money_for_a_start_leaves_what_is_due_now() -> None:
    # At 36 s the server needs its second kopeck; the month that a top-up of that instant revives leaves it.
    for money, status in (("299.99", "suspended"), ("300.00", "active")):
        events = [top_up("03-01", "300.00"), subscribe("03-01", "basic"), top_up("04-05", "0.02")]
        server = [subscribe("04-05", "server", "m"), top_up("04-05 00:00:36", money)]
        story = story_of(*events, *server, until="04-05 00:00:37")
        assert (story.status(), story.status("m")) == (status, "active")


# Work: calls of `units`, which everything about meters goes through.
def test_one_top_up_revives_many_with_work_by_their_number() -> None:
    count = 300
    book = funded(2 * count)
    terms = [monthly("hourly", 1, interval="hour"), metered("server", 3600)]
    subs = [bought(book, "03-01", term) for term in terms for _ in range(count)]
    settle(book, instant("03-02"))
    assert {sub.status for sub in subs} == {Status.SUSPENDED}
    with counting_units() as counted:
        funds.top_up(book, instant("03-02"), 10 * count)
    assert {sub.status for sub in subs} == {Status.ACTIVE}
    assert counted["calls"] <= 10 * count


def test_renewals_beside_many_meters_do_not_ask_each_meter() -> None:
    # 50 hourly plans at 50 instants beside 50 meters, for ten hours: 500 renewals, which the wallet covers by far.
    count = 50
    book = funded(10**9)
    for n in range(count):
        bought(book, f"03-01 00:00:{n:02}", monthly("hourly", 1, interval="hour"))
        bought(book, f"03-01 00:00:{n:02}", metered("server", 3600))
    with counting_units() as counted:
        settle(book, instant("03-01 10:30"))
    assert sum(not row.sub.terms.metered for row in book.journal.charges) == 11 * count
    assert counted["calls"] <= 10 * count


def test_days_of_hourly_plans_ask_no_more_than_their_renewals(monkeypatch: pytest.MonkeyPatch) -> None:
    # Every renewal looks at the next boundary once or twice, however many subscriptions there are.
    looks = {}
    for count in (50, 100):
        book = funded(10**9)
        for _ in range(count):
            bought(book, "03-01", monthly("hourly", 1, interval="hour"))
        calls = 0
        plain = type(book).next_boundary

        def next_boundary(book: Any, plain: Any = plain) -> Any:
            nonlocal calls
            calls += 1
            return plain(book)

        with monkeypatch.context() as patch:
            patch.setattr(type(book), "next_boundary", next_boundary)
            settle(book, instant("03-01") + DAY)
        assert len(book.journal.charges) == 25 * count
        looks[count] = calls
    assert looks[100] <= 2 * looks[50]
