"""The table of charges: days of metered use in one row each, refunds at the charge they return."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from subscriptions import books, catalogue, orders
from subscriptions.models import Charge, Subscription
from tests.subscriptions.shop import pay_in
from tests.web import address, words

START = datetime(2026, 3, 1, 22, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
# 22:00 of 1 March to 01:00 of 3 March.
END = START + 27 * HOUR


@pytest.fixture
def server(clock, alice, on_sale) -> Subscription:
    """A server at 1.50 an hour, a kopeck for 24 s, settled every hour from 22:00 UTC of 1 March to 01:00 of 3 March.

    Within the last hour it is settled after 10 s too, which costs a kopeck, and after 20 s, which costs nothing.
    """
    clock.move_to(END)
    pay_in(alice, 100_00, at=START)
    row = orders.subscribe(alice, catalogue.current("hourly", "RUB"), now=START)
    for at in [*(START + n * HOUR for n in range(1, 27)), END - HOUR + 10 * SECOND, END - HOUR + 20 * SECOND, END]:
        with books.open(alice, "RUB", now=at):
            pass
    assert Charge.objects.filter(amount=0).count() == 1
    return row


def table(page) -> list[str]:
    """Return the text of each row of the table of charges."""
    body = page.content.decode().split('id="charges"')[1].split("<tbody>")[1].split("</tbody>")[0]
    return [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).strip() for row in body.split("</tr>")[:-1]]


def test_metered_use_has_one_row_a_day_with_its_sum(browser, server):
    """2 h at 1.50; 24 h; 0.01 and 1.49, beside a slice of 0.00 that is not counted."""
    assert table(browser.get(address(server))) == [
        "3 Mar 2026 2 charges , 3 March 2026 ₽1.50",
        "2 Mar 2026 24 charges , 2 March 2026 ₽36.00",
        "1 Mar 2026 2 charges , 1 March 2026 ₽3.00",
    ]


def test_the_days_are_those_of_the_customers_zone(browser, alice, server):
    """In Moscow it is three hours later: 1:00 to 24:00 of 2 March are 23 h, and 3 March has 3 h and the last one."""
    User.objects.filter(pk=alice.pk).update(time_zone="Europe/Moscow")
    page = browser.get(address(server))
    assert [re.sub(" ,.*? ₽", " ₽", row) for row in table(page)] == [
        "3 Mar 2026 5 charges ₽6.00",
        "2 Mar 2026 23 charges ₽34.50",
    ]
    assert "Dates and times are in the time zone Europe/Moscow." in words(page)


def test_a_day_opens_to_its_charges_each_with_its_explanation(browser, server):
    page = browser.get(address(server) + "?day=2026-03-03")
    rows = table(page)
    assert rows[:3] == [
        "3 Mar 2026 Hide the charges of this day ₽1.50",
        "00:00 – 00:00 ₽0.01 Explain : 3 March 2026, 00:00 UTC",
        "00:00 – 01:00 ₽1.49 Explain : 3 March 2026, 00:00 UTC",
    ]
    assert rows[3].startswith("2 Mar 2026 24 charges")
    [first, _] = Charge.objects.filter(amount__in=(1, 1_49)).order_by("pk")
    assert f"/account/transactions/txn_{first.transaction_id}/" in page.content.decode()


@pytest.mark.parametrize("day", ["", "x", "2026-03-04", "9999-12-31", "0001-01-01", "2026-13-01", "\x00"])
def test_a_day_without_charges_opens_nothing(browser, server, day):
    page = browser.get(address(server), {"day": day})
    assert page.status_code == 200
    assert len(table(page)) == 3


def test_a_long_day_links_to_the_rest(browser, alice, server, monkeypatch):
    monkeypatch.setattr("subscriptions.web.charges.SLICES", 10)
    page = browser.get(address(server) + "?day=2026-03-02")
    assert table(page)[12] == "All transactions of this day"
    assert "reason=charge&amp;start=2026-03-02&amp;end=2026-03-02" in page.content.decode()


def test_a_charge_for_several_days_shows_the_last_one_too(browser, clock, alice, on_sale):
    """Settled once after 51 h: 22:00 of 1 March to 01:00 of 4 March, at 1.50. Then to midnight: one day more."""
    clock.move_to(START + 74 * HOUR)
    pay_in(alice, 200_00, at=START)
    row = orders.subscribe(alice, catalogue.current("hourly", "RUB"), now=START)
    for hours in (51, 74):
        with books.open(alice, "RUB", now=START + hours * HOUR):
            pass
    assert [line.partition(" Explain")[0] for line in table(browser.get(address(row)))] == [
        "4 Mar 2026 ₽34.50",
        "1 Mar 2026 – 4 Mar 2026 ₽76.50",
    ]


def test_a_refund_stands_at_the_charge_that_it_returns_and_plans_have_a_column(browser, clock, standard, alice):
    """Half of the month is left: 345.00 of 690.00 come back when Standard becomes Basic for 299.00."""
    now = datetime.now(UTC)
    orders.change(
        standard, now=now, act=lambda book: book.change_plan(standard, catalogue.current("basic", "RUB"), when="now")
    )
    page = browser.get(address(standard))
    assert table(page) == [
        "17 Mar 2026 – 17 Apr 2026 Basic ₽299.00 Explain : 17 March 2026, 00:00 UTC",
        "1 Mar 2026 – 17 Mar 2026 ₽345.00 refunded on 17 Mar 2026 Standard ₽690.00 Explain : 1 March 2026, 12:00 UTC",
    ]
    assert 'data-l="Plan"' in page.content.decode()
    russian = table(browser.get("/ru" + address(standard)))
    assert [row.partition(" – ")[0] for row in russian] == ["17 мар. 2026", "1 мар. 2026"]


def test_a_period_that_ended_on_its_first_day_shows_one_date(browser, clock, standard):
    """Standard began at 12:00 of 1 March and became Basic at 18:00."""
    clock.move_to(datetime(2026, 3, 1, 18, tzinfo=UTC))
    basic = catalogue.current("basic", "RUB")
    orders.change(standard, now=datetime.now(UTC), act=lambda book: book.change_plan(standard, basic, when="now"))
    [_, first] = table(browser.get(address(standard)))
    assert first.startswith("1 Mar 2026 ₽")


def test_one_plan_has_no_column(browser, server):
    assert 'data-l="Plan"' not in browser.get(address(server)).content.decode()
    assert 'data-l="Period"' in browser.get(address(server)).content.decode()


def test_the_queries_do_not_grow_with_the_charges(browser, server, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        browser.get(address(server) + "?day=2026-03-02")
