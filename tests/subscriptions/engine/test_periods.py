"""R3: days of grace, what they cost and what becomes of them. Calculated by hand."""

from typing import Any

from subscriptions.engine import funds
from subscriptions.engine.changes import change_quantity
from subscriptions.engine.settlement import settle
from tests.subscriptions.engine.bare import DAY, bought, funded, instant, monthly, spans
from tests.subscriptions.engine.story import Story, hour, month, request, subscribe, top_up, withdraw

# April has 30 days: 10.00 a day.
GRACEFUL = month("graceful", "300.00", grace_days=3)
LONG = month("long", "300.00", grace_days=20)
MINI = month("mini", "50.00")
SERVER = hour("server", "1.00")


def graceful_of(money: str, *events: dict[str, Any], until: str) -> Story:
    """Play a plan with three days of grace that starts at the beginning of March with so much money."""
    start = [top_up("03-01", money), subscribe("03-01", "graceful")]
    return Story([GRACEFUL, MINI, SERVER], *start, *events, until=until)


def test_grace_keeps_access_until_it_ends() -> None:
    story = graceful_of("300.00", until="04-03 23:59:59.999999")
    assert (story.status(), story.access(), story.charged()) == ("past_due", [["03-01", None]], "300.00")
    story = graceful_of("300.00", until="04-04")
    assert (story.status(), story.access()) == ("suspended", [["03-01", "04-04"]])


def test_grace_that_no_payment_followed_is_a_debt() -> None:
    # 3 of 30 days of 300.00.
    story = graceful_of("300.00", until="04-04")
    assert (story.debt, story.charged(), story.balance) == ("30.00", "330.00", "0.00")


def test_grace_is_paid_from_the_wallet_as_far_as_it_goes() -> None:
    story = graceful_of("312.00", until="04-04")
    assert story.rows()[1:] == [("04-04", "charge", "-12.00")]
    assert (story.debt, story.charged(), story.balance) == ("18.00", "330.00", "0.00")
    story = graceful_of("350.00", until="04-04")
    assert (story.debt, story.balance) == ("0.00", "20.00")


def test_metered_use_is_paid_before_the_grace() -> None:
    # 10 hours of the server before the grace ends: 10.00 of 25.00; the grace gets the other 15.00 of its 30.00, and
    # the server, at the end of its kopeck, finds nothing.
    story = graceful_of("325.00", subscribe("04-03 14:00", "server", "m"), until="04-05")
    assert (story.charged("m"), story.debt, story.balance) == ("10.00", "15.00", "0.00")
    assert story.access("m") == [["04-03 14:00", "04-04"]]


def test_a_renewal_paid_in_grace_keeps_its_rhythm_and_nothing_else_is_charged() -> None:
    # The second month is 1 Apr to 1 May, although it was paid on 3 Apr.
    story = graceful_of("300.00", top_up("04-03", "300.00"), until="05-02")
    assert story.rows() == [("03-01", "charge", "-300.00"), ("04-03", "charge", "-300.00")]
    assert (story.status(), story.access(), story.debt) == ("past_due", [["03-01", None]], "0.00")


def test_a_period_paid_in_grace_is_refunded_by_its_full_length() -> None:
    # Paid on 3 Apr for 1 Apr to 1 May; 20 of 30 days are left on 11 Apr.
    back = request("04-11", "cancel", when="now", refund_unused=True)
    story = graceful_of("300.00", top_up("04-03", "300.00"), back, until="04-12")
    assert story.rows()[-1] == ("04-11", "unused_refund", "200.00")


def test_grace_that_a_cancel_ends_is_charged_by_its_length_rounded_up() -> None:
    # Two of 30 days: 20.00. A microsecond: 1 / 86,400,000,000 of 10.00, so a kopeck. At the boundary itself: nothing.
    for at, debt in (("04-03", "20.00"), ("04-01 00:00:00.000001", "0.01"), ("04-01", "0.00")):
        story = graceful_of("300.00", request(at, "cancel"), until="04-05")
        assert (story.status(), story.debt) == ("cancelled", debt)


def test_money_pays_the_debt_first() -> None:
    # 30.00 of debt: 329.99 do not start the next month, 330.00 do.
    story = graceful_of("300.00", top_up("04-10", "329.99"), until="04-11")
    assert (story.status(), story.debt, story.balance) == ("suspended", "0.00", "299.99")
    assert story.rows(None)[1:] == [("04-10", "top_up", "329.99"), ("04-10", "debt_payment", "-30.00")]
    story = graceful_of("300.00", top_up("04-10", "330.00"), until="04-11")
    assert (story.status(), story.access()) == ("active", [["03-01", "04-04"], ["04-10", None]])
    story = graceful_of("300.00", top_up("04-10", "12.00"), until="04-11")
    assert (story.debt, story.balance) == ("18.00", "0.00")


def test_twenty_days_of_grace_each_month_are_paid_or_owed() -> None:
    # Paid a second after each suspension. March; 20 days of 30 from 1 Apr: 200.00 owed; then from 21 Apr to 21 May;
    # 20 days of 31 from 21 May: 193.5483..., owed as 193.55; then from 10 Jun to 10 Jul.
    money = [top_up("04-21 00:00:01", "500.00"), top_up("06-10 00:00:02", "493.55")]
    events = [top_up("03-01", "300.00"), subscribe("03-01", "long"), *money]
    story = Story([LONG], *events, until="06-11")
    assert story.access() == [["03-01", "04-21"], ["04-21 00:00:01", "06-10 00:00:01"], ["06-10 00:00:02", None]]
    # 300.00 + 200.00 + 300.00 + 193.55 + 300.00 = 300.00 + 500.00 + 493.55
    assert (story.charged(), story.balance, story.debt) == ("1293.55", "0.00", "0.00")
    # Who pays the price alone has no month for it: 200.00 are owed, 100.00 are left.
    events = [top_up("03-01", "300.00"), subscribe("03-01", "long"), top_up("04-21 00:00:01", "300.00")]
    story = Story([LONG], *events, until="04-22")
    assert (story.status(), story.balance, story.charged()) == ("suspended", "100.00", "500.00")


def test_a_book_with_a_debt_gets_no_grace() -> None:
    # The first owes 30.00 from 4 Apr on; the second's month ends on 10 Apr.
    second = [top_up("03-10", "300.00"), subscribe("03-10", "graceful", "t")]
    story = graceful_of("300.00", *second, until="04-11")
    assert (story.status("t"), story.access("t")) == ("suspended", [["03-10", "04-10"]])


def test_nobody_gets_longer_on_trust_than_he_has_just_paid_for() -> None:
    # Twenty from 1 Apr on cost 6000.00, and 300.00 were paid for March: a twentieth of April, 1.5 days, for 300.00.
    number = request("03-10", "change_quantity", quantity=20, when="period_end")
    story = graceful_of("300.00", number, until="04-05")
    assert (story.access(), story.debt) == ([["03-01", "04-02 12:00"]], "300.00")


def test_seats_bought_in_the_last_second_give_less_than_an_hour_of_grace() -> None:
    # 99.00 and, for 1000 seats in the last second of March, (99,000.00 - 99.00) / 2,678,400 = 0.0369...: 4 kopecks.
    # The grace is 99.04 / 99,000.00 of April: 2592,000,000,000 us x 9904 / 9,900,000 = 2,593,047,272 us (43 min).
    plan = month("seat", "99.00", grace_days=20)
    events = [top_up("03-01", "99.10"), subscribe("03-01", "seat")]
    many = request("03-31 23:59:59", "change_quantity", quantity=1000)
    story = Story([plan], *events, many, until="04-02")
    assert story.access() == [["03-01", "04-01 00:43:13.047272"]]
    # Served: 99,000.00 x 2,593,047,272 / 2,592,000,000,000, rounded up: 99.04; 6 kopecks were in the wallet.
    assert (story.charged(), story.balance, story.debt) == ("198.08", "0.00", "98.98")


def test_what_number_changes_moved_counts_for_the_grace() -> None:
    # 600.00 for two, less 150.00 when one is given up at half of March: 450.00 for a due of 300.00: all three days.
    # One, and two more seats for half of March at 300.00: 600.00 for a due of 900.00, two thirds of April.
    half = instant("03-16 12:00")
    for number, then, net, grace in ((2, 1, 450_00, 25), (1, 3, 600_00, 20)):
        book = funded(300_00 * number + 300_00 * max(0, then - number) // 2)
        sub = bought(book, "03-01", monthly("p", 300_00, grace_days=25), quantity=number)
        assert change_quantity(book, half, sub, then) is None
        assert sub.net == net
        funds.withdraw(book, half, book.balance)
        settle(book, instant("04-01"))
        assert sub.grace_end == instant("04-01") + grace * 86_400_000_000


def test_the_days_of_grace_are_one_charge_with_a_paid_and_an_owed_part() -> None:
    # R6: 312.00, so 12.00 of the 30.00 are in the wallet.
    book = funded(312_00)
    bought(book, "03-01", monthly("p", 300_00, grace_days=3))
    settle(book, instant("04-05"))
    assert spans(book.journal.charges) == [
        (instant("03-01"), instant("04-01"), 300_00),
        (instant("04-01"), instant("04-04"), 30_00),
    ]
    row = book.journal.charges[1]
    assert row.movement
    assert row.owed
    # Of a month that was not paid: April.
    assert row.full_length == 30 * DAY
    assert (row.movement.amount, row.owed.amount, row.owed.on_debt, row.owed.at) == (-12_00, 18_00, True, row.end)
    funds.top_up(book, instant("04-06"), 20_00)
    payment = book.journal.movements[-1]
    assert (payment.reason, payment.amount, payment.counter) == ("debt_payment", -18_00, "debt")
    assert (book.balance, book.debt) == (2_00, 0)


def test_money_out_leaves_the_days_of_grace_so_far() -> None:
    # 400.00, so 100.00 on 1 Apr. Two days later 20.00 of them are used.
    story = graceful_of("400.00", withdraw("04-03", "80.01"), withdraw("04-03", "80.00"), until="04-04")
    assert (story.rejected, story.balance, story.debt) == ([2], "0.00", "10.00")
