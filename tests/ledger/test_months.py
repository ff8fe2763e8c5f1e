"""Statements of a month add up to the balances of the ledger, to the minor unit and in any zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from accounts.models import User
from ledger import months, statements
from ledger.models import Account
from subscriptions import books
from tests.subscriptions.bank import at, basic, hourly, settle
from tests.subscriptions.shop import pay_in, wallet
from tests.web import words

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.fixture
def spent(alice: User) -> Account:
    """Alice's wallet: 3000.00 at noon of 1 March 2026, a plan of 990.00 a month and a server of 3.60 an hour."""
    pay_in(alice, 3000_00, at=at())
    with books.open(alice, "RUB", now=at()) as book:
        book.subscribe(basic())
        book.subscribe(hourly())
    settle(alice, at(days=40))
    return wallet(alice, "RUB")


@pytest.mark.django_db
@pytest.mark.parametrize("zone", [UTC, MOSCOW, ZoneInfo("Pacific/Auckland")])
def test_each_month_begins_where_the_one_before_ended_and_the_last_ends_at_the_balance(spent, zone):
    listed = list(months.months_of(spent, now=at(days=70), zone=zone))
    assert listed == sorted(listed, reverse=True)
    closing = 0
    for year, month in reversed(listed):
        found = months.statement(spent, year=year, month=month, zone=zone)
        assert found.opening.amount == closing
        assert found.came_in.amount - found.spent.amount == found.closing.amount - found.opening.amount
        assert sum(money.amount for _, money in found.came_in_by) == found.came_in.amount
        assert sum(money.amount for _, money in found.spent_by) == found.spent.amount
        before_the_end = found.end - timedelta(microseconds=1)
        assert found.closing.amount == statements.balance(spent.pk, at=before_the_end)
        closing = found.closing.amount
    assert closing == spent.balance


@pytest.mark.django_db
def test_a_month_worked_out_by_hand(alice):
    # 100.00 at noon of 1 March; 3.60 an hour until the 1st, 22:00 UTC: ten hours, 36.00.
    pay_in(alice, 100_00, at=at())
    with books.open(alice, "RUB", now=at()) as book:
        server = book.subscribe(hourly())
    with books.open(alice, "RUB", now=at(hours=10)) as book:
        book.pause(server)
    found = months.statement(wallet(alice, "RUB"), year=2026, month=3, zone=UTC)
    assert (found.opening.amount, found.came_in.amount, found.spent.amount, found.closing.amount) == (
        0,
        10000,
        3600,
        6400,
    )
    assert [(reason, money.amount) for reason, money in found.came_in_by] == [("top_up", 100_00)]
    assert [(reason, money.amount) for reason, money in found.spent_by] == [("charge", 36_00)]


def test_the_bounds_are_those_of_the_zone():
    start, end = months.bounds(2026, 12, MOSCOW)
    assert start == datetime(2026, 11, 30, 21, tzinfo=UTC)
    assert end == datetime(2026, 12, 31, 21, tzinfo=UTC)


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_the_pages(spent, browser, prefix):
    listed = browser.get(f"{prefix}/account/statements/").content.decode()
    assert f'href="{prefix}/account/statements/RUB/2026-03/"' in listed
    page = words(browser.get(f"{prefix}/account/statements/RUB/2026-03/"))
    found = months.statement(spent, year=2026, month=3, zone=UTC)
    shown = f"{found.closing.amount // 100:,}"
    assert (shown if not prefix else shown.replace(",", "\u00a0")) in page


@pytest.mark.pdf
@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_the_statement_is_a_pdf_too(spent, browser, prefix):
    answer = browser.get(f"{prefix}/account/statements/RUB/2026-03.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["RUB/2026-02", "RUB/2026-13", "RUB/99999-01", "EUR/2026-03", "RUB/x", "rub/2026-03"])
def test_there_is_no_statement_of_another_month_or_currency(spent, browser, path):
    assert browser.get(f"/account/statements/{path}/").status_code == 404
    assert browser.get(f"/account/statements/{path}.pdf").status_code == 404


@pytest.mark.django_db
def test_nobody_sees_the_statements_of_others(spent, mallory):
    stranger = Client()
    stranger.force_login(mallory)
    assert stranger.get("/account/statements/RUB/2026-03/").status_code == 404
    assert "RUB" not in words(stranger.get("/account/statements/"))
