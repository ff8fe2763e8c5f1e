"""What gateways owe us: each number on the first page leads to a list of just what makes it up."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing_site.desk import clearing
from ledger.display import money
from ledger.models import Transaction
from ledger.money import Money
from payments import ageing
from payments.models import Payment
from tests.payments import staff_rows
from tests.staff import member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget() -> None:
    cache.delete(clearing.KEY)


@pytest.fixture
def finance() -> Client:
    client = Client()
    client.force_login(member("finance"))
    return client


@pytest.fixture
def paid(alice) -> Payment:
    """400.00 that the gateway owes since 40 days, beside 105.00 of today; the fees of both, 14.65, settle the older."""
    payment = staff_rows.pay(alice, 400_00, now=timezone.now() - timedelta(days=40))
    staff_rows.pay(alice, 105_00, now=timezone.now())
    return payment


def text(amount: int) -> str:
    return money(Money(amount, "RUB"))


def test_each_sum_by_age_leads_to_its_payments(finance, paid):
    page = finance.get("/admin/").content.decode()
    links = re.findall(r'<dt>([^<]+)</dt><dd class="money"><a href="([^"]+)">([^<]+)</a>', page)
    assert [(name, amount) for name, _, amount in links] == [
        ("0 to 2 days", text(105_00)), ("3 to 7 days", text(0)), ("8 to 30 days", text(0)), ("older", text(385_35)),
    ]  # fmt: skip
    assert "older than 30 days</span>" in page
    lists = [finance.get(unescape(href)).content.decode() for _, href, _ in links]
    assert [f">{paid.public_id}</a>" in each for each in lists] == [False, False, False, True]
    assert [each.count("<tr><td data-label") for each in lists] == [1, 0, 0, 1]
    assert "Nothing is open." in lists[1]
    transaction = Transaction.objects.get(key=f"payment:{paid.public_id}")
    assert f'<a href="/admin/ledger/transaction/{transaction.pk}/change/">{transaction.pk}</a>' in lists[3]
    assert f'<span class="money">{text(385_35)}</span>' in lists[3]


def test_the_balance_leads_to_all_ages_the_oldest_first(finance, paid):
    page = finance.get("/admin/").content.decode()
    [(href, amount)] = re.findall(r'<h3><a href="([^"]+)">sandbox: <span class="money">([^<]+)</span></a>', page)
    assert amount == text(490_35)
    shown = finance.get(unescape(href)).content.decode()
    assert shown.index(f'RUB: older · <span class="money">{text(385_35)}') < shown.index("RUB: 0 to 2 days")
    assert shown.count("<tr><td data-label") == 2


def test_the_oldest_payments_on_the_first_page_lead_to_themselves(finance, paid):
    found = f"/admin/search/?q={paid.public_id}"
    assert f'<a href="{found}">{paid.public_id}</a>' in finance.get("/admin/").content.decode()
    assert finance.get(found)["location"] == f"/admin/payments/payment/{paid.pk}/change/"


def test_what_was_paid_yesterday_is_not_old(alice):
    now = timezone.now()
    staff_rows.pay(alice, 400_00, now=now)
    [owed] = clearing.clearing(now=now + timedelta(days=30))
    assert not owed.is_old
    cache.delete(clearing.KEY)
    [owed] = clearing.clearing(now=now + timedelta(days=32))
    assert owed.is_old


def test_a_number_and_its_list_are_of_the_same_moment(finance, paid, alice):
    finance.get("/admin/")
    staff_rows.pay(alice, 100_00, now=timezone.now())
    assert text(105_00) in finance.get("/admin/clearing/?age=0-2").content.decode()


def test_more_than_are_listed_are_counted(finance, paid, alice, monkeypatch):
    monkeypatch.setattr(ageing, "LISTED", 1)
    for _ in range(2):
        staff_rows.pay(alice, 100_00, now=timezone.now())
    shown = finance.get("/admin/clearing/?account=sandbox:RUB&age=0-2").content.decode()
    assert (shown.count("<tr><td data-label"), "And 2 younger ones." in shown) == (1, True)
    assert text(305_00) in shown


@pytest.mark.parametrize("query", ["account=nowhere:RUB", "age=4-5", "age=older"])
def test_an_unknown_value_is_refused_by_name(finance, paid, query):
    answer = finance.get(f"/admin/clearing/?{query}")
    assert answer.status_code == 400
    assert "is not one of the available choices" in answer.content.decode()


def test_the_list_takes_few_queries_however_long_it_is(finance, paid, alice):
    with CaptureQueriesContext(connection) as few:
        finance.get("/admin/clearing/")
    for _ in range(20):
        staff_rows.pay(alice, 100_00, now=timezone.now())
    cache.delete(clearing.KEY)
    with CaptureQueriesContext(connection) as many:
        finance.get("/admin/clearing/")
    assert len(many) <= len(few) <= 12
