"""No text in any export is taken for a formula, whoever wrote it: customers, staff, gateways or banks."""

import csv
import io
from collections.abc import Iterable
from contextlib import nullcontext
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.models import User
from billing_site.desk.exports import csv_stream
from billing_site.desk.exports.form import EXPORTS
from billing_site.desk.exports.table import Kind
from ledger.money import Money
from payments import payouts
from tests.billing_site.desk.money_story import day, give, tell
from tests.staff import member

pytestmark = pytest.mark.django_db

SIGNS = {"equals": "=", "plus": "+", "minus": "-", "at": "@", "tab": "\t", "return": "\r", "newline": "\n"}
DANGEROUS = tuple(SIGNS.values())
# Texts of others in each export.
WRITTEN = {
    "transactions": {"email", "description"}, "payments": {"email", "gateway_id", "plan"},
    "revenue": {"plan", "plan_name"}, "balances": {"email"}, "debts": {"email"},
    "refunds": {"email", "reason", "gateway_id"},
}  # fmt: skip
# The rules of some columns refuse such texts; here they are written all the same.
UPDATES = (
    "UPDATE accounts_user SET email = %(sign)s || id || '@evil.example', first_name = %(sign)s || '1+1'",
    "UPDATE subscriptions_plan SET code = left(%(sign)s || '1+1', 30), name = %(sign)s || '1+1'",
    "UPDATE payments_payment SET gateway_id = %(sign)s || '1+1', plan_id = (SELECT id FROM subscriptions_plan LIMIT 1)",
    "UPDATE payments_refund SET gateway_id = %(sign)s || '1+1', reason = %(sign)s || '1+1'",
)


@pytest.fixture(autouse=True)
def _within_the_transaction_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_stream, "snapshot", nullcontext)


def write_everywhere(sign: str, alice: User, mallory: User) -> None:
    """Let a month of money have texts that begin with `sign` wherever somebody else writes them."""
    tell(alice, mallory)
    give(mallory, 1_00, at=day(6), key="story:hostile", description=f"{sign}1+1")
    payouts.record_by_hand("sandbox", Money(1_00, "RUB"), arrived_at=day(7), reference=f"{sign}P-2", now=day(7))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in UPDATES:
            cursor.execute(statement, {"sign": sign})


def texts(name: str, content: bytes) -> Iterable[tuple[str, str]]:
    """Yield each cell of an export that is no number, with the name of its column."""
    columns = EXPORTS[name].columns
    for line in list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))[1:]:
        for column, cell in zip(columns, line, strict=True):
            if column.kind is not Kind.NUMBER and column.kind is not Kind.MONEY:
                yield column.name, cell


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize("name", EXPORTS)
def test_no_text_of_an_export_is_a_formula_on_the_desk_or_by_the_command(
    alice: User, mallory: User, name: str, sign: str
) -> None:
    write_everywhere(sign, alice, mallory)
    client, printed = Client(), StringIO()
    client.force_login(member("finance"))
    answer: Any = client.get(f"/admin/exports/{name}.csv?from=2026-03-01&to=2026-03-31")
    downloaded = b"".join(answer.streaming_content)
    call_command("export", name, "--from", "2026-03-01", "--to", "2026-03-31", stdout=printed, stderr=StringIO())
    for content in (downloaded, printed.getvalue().encode()):
        found = list(texts(name, content))
        assert [cell for _, cell in found if cell.startswith(DANGEROUS)] == []
        assert {column for column, cell in found if cell.startswith(f"'{sign}")} >= WRITTEN[name]


def test_every_export_is_tried() -> None:
    assert set(WRITTEN) == set(EXPORTS)
