"""The page of exports: who may have which files, what is recorded, and what is said about wrong days."""

from contextlib import nullcontext
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from billing_site.desk.exports import csv_stream
from billing_site.desk.exports.form import EXPORTS, ExportForm
from events.models import StaffAct
from tests.billing_site.desk.money_story import tell
from tests.staff import member

pytestmark = pytest.mark.django_db

MARCH = "from=2026-03-01&to=2026-03-31"
NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _within_the_transaction_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_stream, "snapshot", nullcontext)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(db: None) -> Client:
    return browser(member("finance"))


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize(
    ("role", "status"), [("finance", 200), ("auditor", 200), ("support", 403), ("catalogue", 403), ("developer", 403)]
)
def test_finance_and_auditors_may_export_and_nobody_else(role, status):
    client = browser(member(role))
    assert client.get("/admin/exports/").status_code == status
    assert client.get(f"/admin/exports/transactions.csv?{MARCH}").status_code == status
    assert StaffAct.objects.count() == (status == 200)


@pytest.mark.parametrize(("role", "is_shown"), [("finance", True), ("support", False)])
def test_the_list_of_transactions_leads_there_who_may_go(role, is_shown):
    page = browser(member(role)).get("/admin/ledger/transaction/").content.decode()
    assert ('href="/admin/exports/"' in page) is is_shown


@pytest.mark.parametrize("name", EXPORTS)
def test_each_file_is_streamed_and_recorded_with_its_parameters(desk, alice, mallory, name):
    tell(alice, mallory)
    answer = desk.get(f"/admin/exports/{name}.csv?{MARCH}&currency=RUB&bom=on")
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    days = "2026-03-31" if name == "balances" else "2026-03-01-2026-03-31"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}-{days}-RUB.csv"'
    assert content(answer).startswith(b"\xef\xbb\xbf")
    act = StaffAct.objects.get()
    assert (act.kind, act.author.username, act.address) == ("view.export", "finance", "127.0.0.1")
    assert name in act.result
    assert "2026-03-31 (UTC), RUB" in act.result


def test_the_form_leads_to_the_file(desk):
    answer = desk.get(f"/admin/exports/?name=debts&{MARCH}&currency=")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/exports/debts.csv?from=2026-03-01&to=2026-03-31")
    assert desk.get(answer["Location"]).status_code == 200


def test_the_form_begins_with_the_last_month_and_names_the_time_zone(desk):
    form = ExportForm(now=NOW)
    assert (form["first"].value(), form["last"].value()) == (date(2026, 3, 1), date(2026, 3, 31))
    page = desk.get("/admin/exports/").content.decode()
    assert "in the time zone UTC" in page
    assert all(str(export.title) in page for export in EXPORTS.values())


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"from": "yesterday"}, "from: This is not a day. Write it as 2026-01-31."),
        ({"from": "01.03.2026"}, "from: This is not a day. Write it as 2026-01-31."),
        ({"from": ""}, "from: This file needs a first day."),
        ({"from": "0001-01-01"}, "from: This day is too early. The earliest one is 1970-01-02."),
        ({"to": ""}, "to: This field is required."),
        ({"to": "2026-02-28"}, "to: The last day is before the first one, which is 2026-03-01."),
        ({"to": "2026-04-16"}, "to: This day has not begun. The latest one is 2026-04-15."),
        ({"to": "9999-12-31"}, "to: This day has not begun. The latest one is 2026-04-15."),
        ({"currency": "EURO"}, "currency: No money has moved in EURO. Choose one of: none yet."),
        ({"name": "wallets"}, f"name: There is no export wallets. Choose one of: {', '.join(EXPORTS)}."),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(given, problem):
    form = ExportForm({"name": "transactions", "from": "2026-03-01", "to": "2026-03-31"} | given, now=NOW)
    assert form.problems() == [problem]


def test_balances_need_only_the_last_day():
    assert ExportForm({"name": "balances", "to": "2026-03-31"}, now=NOW).is_valid()


def test_the_day_that_has_begun_in_the_sites_zone_may_be_exported(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    evening = datetime(2026, 4, 15, 18, tzinfo=UTC)
    assert ExportForm({"name": "balances", "to": "2026-04-16"}, now=evening).is_valid()


def test_a_wrong_address_shows_the_form_with_the_error_and_records_nothing(desk):
    answer = desk.get("/admin/exports/transactions.csv?from=2026-03-32&to=2026-03-31")
    assert answer.status_code == 400
    assert "This is not a day" in answer.content.decode()
    assert not StaffAct.objects.exists()
    assert desk.get(f"/admin/exports/wallets.csv?{MARCH}").status_code == 404
    assert desk.post(f"/admin/exports/transactions.csv?{MARCH}").status_code == 405


def test_to_ask_only_for_the_headers_records_nothing(desk):
    assert desk.head(f"/admin/exports/transactions.csv?{MARCH}").status_code == 200
    assert not StaffAct.objects.exists()


@pytest.mark.parametrize("name", EXPORTS)
def test_the_command_writes_the_same_bytes(desk, alice, mallory, tmp_path, name):
    tell(alice, mallory)
    file, days = tmp_path / "file.csv", ["--from", "2026-03-01", "--to", "2026-03-31"]
    out = StringIO()
    call_command("export", name, *days, "--bom", "--output", str(file), stdout=out, stderr=StringIO())
    assert file.read_bytes() == content(desk.get(f"/admin/exports/{name}.csv?{MARCH}&bom=on"))
    assert [path.name for path in tmp_path.iterdir()] == ["file.csv"]
    assert out.getvalue().splitlines()[-1].startswith("Next: manage.py check_ledger")
    printed = StringIO()
    call_command("export", name, *days, "--bom", stdout=printed, stderr=StringIO())
    assert printed.getvalue().encode() == file.read_bytes()


def test_the_command_sums_up_as_json(alice, mallory, tmp_path):
    tell(alice, mallory)
    out = StringIO()
    options = ["--from", "2026-03-01", "--to", "2026-03-31", "--output", str(tmp_path / "debts.csv"), "--json"]
    call_command("export", "debts", *options, stdout=out, stderr=StringIO())
    assert '"rows": 1' in out.getvalue()
    assert '"owed": "11.00"' in out.getvalue()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["transactions", "--to", "2026-03-31"], "from: This file needs a first day."),
        (["wallets", "--to", "2026-03-31"], "name: There is no export wallets"),
        (["balances", "--to", "2026-03-31", "--json"], "--json needs --output"),
        (["balances", "--to", "2026-03-31", "--output", "/no/such/folder/file.csv"], "output: /no/such/folder"),
    ],
)
def test_the_command_says_what_is_wrong(options, message):
    with pytest.raises(CommandError, match=message):
        call_command("export", *options, stdout=StringIO(), stderr=StringIO())
