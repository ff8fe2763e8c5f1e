"""Each export has the rows and totals that can be worked out by hand, and its totals are the ledger's."""

import csv
import io
from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils.translation import override

import ledger
from billing_site.desk.exports import csv_stream
from billing_site.desk.exports.csv_stream import Tally, stream
from billing_site.desk.exports.form import EXPORTS
from billing_site.desk.exports.table import Extract
from ledger import reversal, statements
from ledger.models import Account, Transaction
from payments.models import Payment, Refund
from subscriptions import books
from tests.billing_site.desk.money_story import FEE, HOSTILE, day, post, tell

pytestmark = pytest.mark.django_db

MARCH = (date(2026, 3, 1), date(2026, 3, 31))


@pytest.fixture(autouse=True)
def _within_the_transaction_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The snapshot needs a transaction of its own: test_exports_snapshot.py has it."""
    monkeypatch.setattr(csv_stream, "snapshot", nullcontext)


@pytest.fixture
def payment(alice, mallory) -> Payment:
    return tell(alice, mallory)


def read(name: str, first: date | None = MARCH[0], last: date = MARCH[1], **options: Any) -> list[dict[str, str]]:
    """Return the lines of an export by the names of the columns, those of the totals included."""
    extract = Extract(EXPORTS[name], first, last, **options)
    text = b"".join(stream(extract, Tally())).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text, newline="")))
    names = [column.name for column in EXPORTS[name].columns]
    assert all(len(line) == len(names) for line in lines)
    return [dict(zip(names, line, strict=True)) for line in lines[1:]]


def is_total(line: dict[str, str]) -> bool:
    return next(iter(line.values())).startswith("Total: ")


def rows(*args: Any, **options: Any) -> list[dict[str, str]]:
    return [line for line in read(*args, **options) if not is_total(line)]


def totals(*args: Any, **options: Any) -> dict[str, dict[str, str]]:
    """Return the lines of totals by currency. They are the last ones."""
    lines = read(*args, **options)
    found = [line for line in lines if is_total(line)]
    assert lines[-len(found) :] == found
    return {line["currency"]: line for line in found}


def in_ledger(currency: str = "RUB", **where: Any) -> Decimal:
    """Return what the ledger has of such transactions, in major units."""
    found = Transaction.objects.filter(currency=currency, **where).aggregate(total=Sum("amount"))["total"]
    return Decimal(found or 0) / 100


@pytest.mark.parametrize("name", EXPORTS)
def test_the_columns_are_those_of_the_statement(name, payment):
    """A column that is out of place would put amounts under a wrong heading."""
    with connection.cursor() as cursor:
        cursor.execute(EXPORTS[name].sql, Extract(EXPORTS[name], *MARCH).parameters())
        found = [column.name for column in cursor.description]
    assert found == [column.name for column in EXPORTS[name].columns]


def test_every_transaction_is_a_line_with_both_accounts(payment):
    lines = rows("transactions")
    assert [int(line["id"]) for line in lines] == list(
        Transaction.objects.order_by("effective_at", "id").values_list("pk", flat=True)
    )
    [taken] = [line for line in lines if line["key"] == f"payment:{payment.public_id}"]
    assert (taken["debit"], taken["credit"]) == ("gateway_clearing:sandbox", "wallet")
    assert (taken["amount"], taken["currency"], taken["balance_after"]) == ("1000.00", "RUB", "1000.00")
    assert taken["effective_at"] == "2026-03-02T12:00:00+00:00"
    assert taken["email"] == "alice@example.com"


def test_the_totals_of_transactions_are_the_ledgers(payment):
    found = totals("transactions")
    # 1000 in, 29 fee, 300 charged, 100 back, 500 paid out; and 10 given, 10 + 15 lost, 4 given, 4 to the debt.
    assert {currency: line["amount"] for currency, line in found.items()} == {"RUB": "1929.00", "EUR": "43.00"}
    assert {currency: Decimal(line["amount"]) for currency, line in found.items()} == {
        currency: in_ledger(currency) for currency in ("RUB", "EUR")
    }


def test_payments_stand_with_their_fees_and_payouts(payment):
    lines = rows("payments")
    [taken, paid_out] = lines
    assert (taken["kind"], taken["subject"], taken["gateway"]) == ("payment", payment.public_id, "sandbox")
    assert taken["gateway_id"] == payment.gateway_id
    assert (taken["taken"], taken["fee"], taken["net"], taken["paid_out"]) == ("1000.00", "29.00", "971.00", "")
    assert (paid_out["kind"], paid_out["gateway_id"], paid_out["paid_out"]) == ("payout", "P-1", "500.00")
    assert paid_out["subject"].startswith("payout_")
    total = totals("payments")["RUB"]
    assert (total["taken"], total["fee"], total["paid_out"]) == ("1000.00", "29.00", "500.00")
    assert Decimal(total["taken"]) == in_ledger(debit__kind="gateway_clearing", reason="top_up")
    assert Decimal(total["fee"]) == in_ledger(reason="fee")


def test_a_fee_of_another_day_or_of_a_dispute_has_a_line_of_its_own(payment):
    clearing = "gateway_clearing:sandbox"
    post("fee:dsp_1:1", "gateway_fees", clearing, 15_00, reason="fee", at=day(8))
    post("fee:dsp_1:2", clearing, "gateway_fees", 5_00, reason="fee", at=day(9))
    post("fee:pay_of_february", "gateway_fees", clearing, 1_00, reason="fee", at=day(9), currency="EUR")
    alone = [(line["subject"], line["fee"], line["fee_currency"]) for line in rows("payments") if line["kind"] == "fee"]
    assert alone == [("dsp_1", "15.00", "RUB"), ("dsp_1", "-5.00", "RUB"), ("pay_of_february", "1.00", "EUR")]
    found = totals("payments")
    assert (found["RUB"]["fee"], found["EUR"]["fee"]) == ("39.00", "1.00")
    assert found["RUB"]["fee_currency"] == "RUB"


def test_a_payout_that_came_back_is_below_zero(payment):
    sent = Transaction.objects.get(reason="payout")
    ledger.post([reversal.entry(sent, reason="payout", effective_at=day(9))])
    assert [line["paid_out"] for line in rows("payments") if line["kind"] == "payout"] == ["500.00", "-500.00"]
    assert len({line["subject"] for line in rows("payments") if line["kind"] == "payout"}) == 1
    assert totals("payments")["RUB"]["paid_out"] == "0.00"


def test_revenue_is_by_day_and_plan_and_equals_the_revenue_account(alice, payment):
    with books.open(alice, "RUB", now=day(9)) as book:
        [subscription] = alice.subscriptions.all()
        book.cancel(subscription, when="now", refund_unused=True)
    bought, ended = rows("revenue")
    assert (bought["day"], bought["plan"], bought["plan_name"]) == ("2026-03-02", "basic", "Basic")
    assert [bought[name] for name in ("charged", "given_back", "transactions")] == ["300.00", "0.00", "1"]
    # 7 of 31 days are used: 232.25 and a part come back.
    assert [ended[name] for name in ("day", "charged", "given_back", "revenue")] == [
        "2026-03-09", "0.00", "232.25", "-232.25",
    ]  # fmt: skip
    assert Decimal(ended["given_back"]) == in_ledger(reason="unused_refund")
    revenue = Account.objects.get(kind="revenue", currency="RUB")
    assert Decimal(totals("revenue")["RUB"]["revenue"]) * 100 == statements.balance(revenue.pk)


def test_a_day_is_one_of_the_sites_time_zone(payment, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    # 2 March, 18:00 UTC is 3 March in Tokyo.
    post("night", "adjustments", "revenue", 5_00, reason="adjustment", at=day(2, 18))
    found = [(line["day"], line["plan"], line["revenue"]) for line in rows("revenue")]
    assert found == [("2026-03-02", "basic", "300.00"), ("2026-03-03", "", "5.00")]
    assert [line["revenue"] for line in rows("revenue", date(2026, 3, 3), date(2026, 3, 3))] == ["5.00"]


def test_balances_are_those_at_the_end_of_the_day(payment, alice):
    def balances(last: int) -> dict[str, str]:
        return {line["email"]: line["balance"] for line in rows("balances", None, date(2026, 3, last))}

    assert balances(1) == {}
    assert balances(2) == {"alice@example.com": "700.00"}
    assert balances(3) == {"alice@example.com": "600.00", "mallory@example.com": "10.00"}
    assert balances(4) == {"alice@example.com": "600.00"}
    held = Account.objects.filter(kind="wallet", currency="RUB").aggregate(total=Sum("balance"))["total"]
    assert Decimal(totals("balances", None)["RUB"]["balance"]) * 100 == held


def test_debts_show_what_was_owed_added_and_paid(payment):
    def debts(first: int, last: int) -> list[tuple[str, ...]]:
        found = rows("debts", date(2026, 3, first), date(2026, 3, last))
        return [tuple(line[name] for name in ("owed_before", "grown", "paid", "owed")) for line in found]

    assert debts(1, 3) == []
    assert debts(4, 4) == [("0.00", "15.00", "0.00", "15.00")]
    assert debts(1, 31) == [("0.00", "15.00", "4.00", "11.00")]
    assert debts(5, 31) == [("15.00", "0.00", "4.00", "11.00")]
    assert debts(6, 6) == [("11.00", "0.00", "0.00", "11.00")]
    owed = Account.objects.filter(kind="debt").aggregate(total=Sum("balance"))["total"]
    assert Decimal(totals("debts")["EUR"]["owed"]) * 100 == -owed


def test_refunds_have_what_left_and_what_did_not_arrive(alice, payment):
    refund = Refund.objects.get()
    [line] = rows("refunds")
    assert (line["kind"], line["subject"], line["refunded"]) == ("refund", refund.public_id, "100.00")
    assert (line["payment"], line["destination"]) == (payment.public_id, "card")
    with books.open(alice, "RUB", now=day(9)) as book:
        book.top_up(
            100_00, key=f"refund:{refund.public_id}:returned", source="gateway_clearing:sandbox", reason="refund"
        )
    assert [(line["kind"], line["refunded"]) for line in rows("refunds")] == [
        ("refund", "100.00"), ("did not arrive", "-100.00"),
    ]  # fmt: skip
    assert totals("refunds")["RUB"]["refunded"] == "0.00"


def test_money_that_was_never_credited_is_in_a_column_of_its_own(payment):
    Refund.objects.create(
        payment=payment, amount=50_00, currency="RUB", is_from_wallet=False, gateway="sandbox", created_at=day(9),
        updated_at=day(9),
    )  # fmt: skip
    assert [(line["kind"], line["refunded"], line["sent_back"]) for line in rows("refunds")] == [
        ("refund", "100.00", ""), ("sent back", "", "50.00"),
    ]  # fmt: skip
    total = totals("refunds")["RUB"]
    assert (total["refunded"], total["sent_back"]) == ("100.00", "50.00")
    assert Decimal(total["refunded"]) == in_ledger(reason="refund")


def test_a_text_that_looks_like_a_formula_is_harmless_and_amounts_stay_numbers(payment, mallory):
    mallory.email = "+1@evil.example"
    mallory.save()
    [gift] = [line for line in rows("transactions") if line["key"] == "story:gift"]
    assert gift["description"] == "'" + HOSTILE
    assert gift["email"] == "'+1@evil.example"
    assert gift["amount"] == "10.00"


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_without_rows_ends_with_a_line_of_totals(name, db):
    [line] = read(name)
    assert is_total(line)
    assert set(line.values()) - {""} == {next(iter(line.values()))}


def test_an_export_of_one_currency_without_rows_has_a_total_of_zero(db):
    [line] = read("transactions", currency="EUR")
    assert (line["amount"], line["currency"]) == ("0.00", "EUR")


def test_one_day_has_only_that_day_and_one_currency_only_that_one(payment):
    assert {line["reason"] for line in rows("transactions", date(2026, 3, 2), date(2026, 3, 2))} == {
        "top_up", "fee", "charge",
    }  # fmt: skip
    assert set(totals("transactions", currency="EUR")) == {"EUR"}
    assert {line["currency"] for line in rows("transactions", currency="EUR")} == {"EUR"}


@pytest.mark.parametrize(("hour", "is_in"), [(datetime(2026, 3, 2, tzinfo=UTC), True), (day(3, 0), False)])
def test_a_day_begins_at_midnight_and_ends_before_the_next(db, hour, is_in):
    post("edge", "adjustments", "revenue", 1, reason="adjustment", at=hour)
    assert bool(rows("transactions", date(2026, 3, 2), date(2026, 3, 2))) is is_in


def test_currencies_without_decimals_or_with_three_are_written_as_such(db):
    post("yen", "adjustments", "revenue", 1234, reason="adjustment", at=day(2), currency="JPY")
    post("dinar", "adjustments", "revenue", 1234, reason="adjustment", at=day(2), currency="KWD")
    assert {line["currency"]: line["amount"] for line in rows("transactions")} == {"JPY": "1234", "KWD": "1.234"}


def test_the_rows_of_many_batches_are_all_there(payment, monkeypatch):
    whole = read("transactions")
    monkeypatch.setattr(csv_stream, "BATCH", 2)
    assert read("transactions") == whole


def test_headings_are_in_the_readers_language_and_name_the_time_zone(payment):
    extract = Extract(EXPORTS["revenue"], *MARCH)
    with override("ru"):
        pieces = stream(extract, Tally())
    header, *_, total = b"".join(pieces).decode().splitlines()
    assert header.startswith("Дата (UTC),")
    assert total.startswith("Итого: 2026-03-01 – 2026-03-31 (UTC)")


def test_only_who_wants_it_gets_a_byte_order_mark(db):
    first = Extract(EXPORTS["revenue"], *MARCH)
    marked = Extract(EXPORTS["revenue"], *MARCH, has_bom=True)
    assert b"".join(stream(marked, Tally())) == b"\xef\xbb\xbf" + b"".join(stream(first, Tally()))


def test_the_sandbox_keeps_the_fee_that_the_story_says(payment):
    payment.refresh_from_db()
    assert payment.fee == FEE
