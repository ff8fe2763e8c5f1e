import csv
import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from ledger.models import Transaction
from subscriptions import books, catalogue, orders
from subscriptions.models import Charge, Subscription
from tests.subscriptions.bank import at
from tests.subscriptions.shop import COUNTER, pay_in, sell
from tests.web import bought, words


@pytest.fixture
def moved(alice, on_sale, now) -> None:
    """Post 1000.00 in and 690.00 for Standard an hour ago, then 50.00 with a description that is a formula."""
    pay_in(alice, 1000_00, at=now - timedelta(hours=1))
    orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now - timedelta(hours=1))
    with books.open(alice, "RUB", now=now) as book:
        book.top_up(50_00, key=f"pages:{next(COUNTER)}", source="promotions", reason="promotion", description="=1+1")


def test_the_list_shows_time_reason_amount_and_balance(browser, moved):
    page = words(browser.get("/account/transactions/"))
    rows = page.split("Balance after")[1]
    assert "+₽1,000.00 ₽1,000.00" in rows
    assert "−₽690.00 ₽310.00" in rows
    assert re.search(r"Bonus, [^+]* =1\+1 \d+\xa0\w+\xa0\d{4}", rows)
    assert "+₽50.00 ₽360.00" in rows
    assert rows.index("Bonus") < rows.index("Standard,") < rows.index("Top-up")


def short(at: datetime) -> str:
    return f"{at.day} {at:%b}"


def test_changes_of_quantity_grace_and_debts_name_what_they_are_for(browser, alice, now):
    start = now - timedelta(days=60)
    # 300.00 for one and about 580.00 for two more a day later leave about 20.00 for grace of about 90.00.
    pay_in(alice, 900_00, at=start)
    subscription = orders.subscribe(alice, sell("weak", RUB=300_00, grace_days=3)["RUB"], now=start)
    with books.open(alice, "RUB", now=start + timedelta(days=1)) as book:
        book.change_quantity(subscription, 3)
    pay_in(alice, 10_00, at=now)
    text = words(browser.get("/account/transactions/")).replace("\xa0", " ")
    said_by_page = re.findall(r"(Debt paid|Weak), [^,]*, \S+ UTC ((?:3 × )?\d+ \w+ – \d+ \w+)?", text)
    charges = list(Charge.objects.order_by("id"))
    assert [charge.quantity for charge in charges] == [1, 3, 3]
    days = [f"{short(charge.period_start)} – {short(charge.period_end)}" for charge in charges]
    said = [("Weak", days[0]), ("Weak", f"3 × {days[1]}"), ("Weak", f"3 × {days[2]}")]
    assert said_by_page == [("Debt paid", ""), *reversed(said)]


def test_the_list_can_be_filtered_by_reason_and_days(browser, moved, now):
    only = words(browser.get("/account/transactions/?reason=charge")).split("Balance after")[1]
    assert "Standard" in only
    assert "Bonus" not in only
    assert "Nothing found" in words(browser.get("/account/transactions/?end=2020-01-01"))
    assert "Bonus" in words(browser.get(f"/account/transactions/?start={now.date()}&end={now.date()}"))


@pytest.mark.parametrize("query", ["reason=x", "start=yesterday", "before=x", "before=0", "currency=%27"])
def test_invalid_query_parameters_are_ignored(browser, moved, query):
    assert browser.get(f"/account/transactions/?{query}").status_code == 200
    assert browser.get(f"/account/transactions.csv?{query}").status_code == 200


def test_older_pages_have_no_gaps_or_repetitions(browser, alice, now):
    for number in range(120):
        with books.open(alice, "RUB", now=now) as book:
            book.top_up(1_00 + number, key=f"pages:{next(COUNTER)}", source="promotions", reason="promotion")
    seen, address = [], "/account/transactions/?currency=RUB&reason=promotion"
    while address:
        page = browser.get(address).content.decode()
        seen += [line.split("</span>")[0] for line in page.split('num up"><b><span class="money">')[1:]]
        address = page.split('href="?')[-1].split('"')[0].replace("&amp;", "&") if 'rel="next"' in page else ""
        address = f"/account/transactions/?{address}" if address else ""
    assert seen == [f"+₽{1 + n / 100:.2f}" for n in reversed(range(120))]


def test_the_csv_holds_everything_and_no_formula(browser, moved):
    answer = browser.get("/account/transactions.csv?currency=RUB")
    assert answer["Content-Disposition"] == 'attachment; filename="transactions-RUB.csv"'
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["amount"] for row in rows] == ["50.00", "-690.00", "1000.00"]
    assert [row["balance_after"] for row in rows] == ["360.00", "310.00", "1000.00"]
    assert rows[0]["description"] == "'=1+1"


def test_the_csv_names_each_transaction_its_payment_and_its_subscription(browser, moved, alice):
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.top_up(10_00, key="payment:pay_01abc", source="gateway_clearing:sandbox")
    text = b"".join(browser.get("/account/transactions.csv?currency=RUB").streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in rows] == [
        f"txn_{pk}" for pk in Transaction.objects.order_by("-effective_at", "-id").values_list("pk", flat=True)
    ]
    [subscription] = Subscription.objects.values_list("public_id", flat=True)
    assert [(row["payment"], row["subscription"]) for row in rows] == [
        ("pay_01abc", ""), ("", ""), ("", subscription), ("", ""),
    ]  # fmt: skip


def test_a_top_up_leads_to_its_receipt(browser, moved, alice):
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.top_up(10_00, key="payment:pay_01abc", source="gateway_clearing:sandbox")
    page = browser.get("/account/transactions/").content.decode()
    assert page.count("/receipt/") == page.count('href="/pay/pay_01abc/receipt/"') == 1


def test_another_customers_wallet_is_not_shown(client, mallory, moved):
    client.force_login(mallory)
    assert "Nothing here yet" in words(client.get("/account/transactions/?currency=RUB"))
    text = b"".join(client.get("/account/transactions.csv?currency=RUB").streaming_content).decode("utf-8-sig")
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("page", ["/account/transactions/", "/account/transactions.csv"])
def test_the_first_and_last_possible_days_are_accepted(browser, moved, page):
    assert browser.get(page, {"start": "0001-01-01", "end": "9999-12-31"}).status_code == 200


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati"])
@pytest.mark.parametrize("page", ["/account/transactions/", "/account/transactions.csv"])
def test_a_day_is_one_of_the_customers_zone(browser, alice, page, zone):
    User.objects.filter(pk=alice.pk).update(time_zone=zone)
    midnight = datetime(2026, 3, 10, tzinfo=ZoneInfo(zone))
    for minutes, amount in ((-1, 101_00), (0, 102_00), (1439, 103_00), (1440, 104_00)):
        pay_in(alice, amount, at=midnight + timedelta(minutes=minutes))
    answer = browser.get(page, {"start": "2026-03-10", "end": "2026-03-10"})
    text = b"".join(answer).decode()
    assert [f"{number}.00" in text for number in (101, 102, 103, 104)] == [False, True, True, False]
    assert browser.get(page, {"start": "0001-01-01", "end": "9999-12-31"}).status_code == 200


def totals(page: str) -> str:
    [found] = re.findall(r"Came in.*?(?= Filter)", page)
    return found.replace("\xa0", " ")


def test_totals_are_those_of_what_is_listed(browser, alice, moved, now):
    """1,000.00 and 50.00 in, 690.00 out, around an hour ago, then 7.00 in."""
    pay_in(alice, 7_00, at=now)
    only = totals(words(browser.get("/account/transactions/?reason=charge")))
    assert only == "Came in ₽0.00 Went out −₽690.00 Available now ₽367.00"
    everything = words(browser.get(f"/account/transactions/?start={now - timedelta(days=2):%Y-%m-%d}"))
    assert "Came in +₽1,057.00 Went out −₽690.00 Available now ₽367.00" in everything
    until_the_end = words(browser.get("/account/transactions/?end=9999-12-31"))
    assert "Came in +₽1,057.00 Went out −₽690.00" in until_the_end
    none = words(browser.get(f"/account/transactions/?end={now - timedelta(days=2):%Y-%m-%d}"))
    assert "Came in ₽0.00 Went out ₽0.00 Available now ₽367.00" in none


def test_totals_without_a_filter_are_those_of_this_month(clock, alice, on_sale):
    for when, amount in [(datetime(2026, 2, 28, 22, tzinfo=UTC), 100_00), (datetime(2026, 3, 1, 1, tzinfo=UTC), 20_00)]:
        clock.move_to(when)
        pay_in(alice, amount, at=when)
    client = Client()
    client.force_login(alice)
    page = words(client.get("/account/transactions/"))
    assert "Came in this month +₽20.00 Went out this month ₽0.00 Available now ₽120.00" in page
    alice.time_zone = "Europe/Moscow"
    alice.save()
    assert "Came in this month +₽120.00" in words(client.get("/account/transactions/"))


def test_totals_say_what_is_used_and_not_charged_yet(clock, alice, on_sale):
    """Ten hours at 1.50, and the kopeck that has just begun."""
    bought(alice, "hourly", paid_in=60_00)
    clock.move_to(at(hours=10))
    client = Client()
    client.force_login(alice)
    page = words(client.get("/account/transactions/"))
    assert "Went out this month ₽0.00 Available now ₽44.99 ₽15.01 is used and not charged yet." in page
