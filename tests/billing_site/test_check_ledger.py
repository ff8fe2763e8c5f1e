"""`manage.py check_ledger`: what it prints, and its exit code."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

import ledger
from accounts.models import User
from billing_site.integrity import CHECKS
from ledger import wallets
from tests.ledger.conftest import CLEARING, entry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def money(alice: User) -> int:
    wallet = wallets.wallet_id_of(alice.pk, "EUR")
    ledger.post([entry("in", CLEARING, wallet, 100)])
    return wallet


@pytest.fixture
def broken(money: int) -> None:
    """A cent from nowhere. The trigger wakes again when the test's database is emptied."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_account DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_account SET balance = 101 WHERE id = %s", [money])
        cursor.execute("ALTER TABLE ledger_account ENABLE TRIGGER USER")


def check(*options: str) -> tuple[int, str]:
    out, code = StringIO(), 0
    try:
        call_command("check_ledger", *options, stdout=out)
    except SystemExit as stopped:
        code = int(str(stopped.code))
    return code, out.getvalue()


@pytest.mark.usefixtures("money")
def test_clean_books_are_exit_code_0_and_nothing_to_do():
    code, said = check()
    assert code == 0
    assert "no_second_is_charged_twice" in said
    assert said.splitlines()[-1].startswith(f"Clean: {len(CHECKS)} checks in ")


@pytest.mark.usefixtures("broken")
def test_broken_books_are_exit_code_3_and_the_rows_and_what_to_do():
    code, said = check()
    assert code == 3
    assert "balances_equal_transactions: 1 of 1" in said
    assert "docs/runbook.md" in said.splitlines()[-1]


@pytest.mark.usefixtures("broken")
def test_programs_get_json(money):
    code, said = check("--json")
    report = json.loads(said)
    assert code == 3
    assert report["clean"] is False
    found = {check["name"]: check for check in report["checks"]}
    assert len(found) == len(CHECKS)
    assert found["balances_equal_transactions"]["rows"] == [
        {"account": money, "kind": "wallet", "balance": 101, "by_transactions": "100"}
    ]
    assert found["history_is_unbroken"]["wrong"] == 0


@pytest.mark.usefixtures("money")
def test_programs_are_told_that_it_is_clean():
    code, said = check("--json")
    assert (code, json.loads(said)["clean"]) == (0, True)


def test_no_two_checks_have_one_name():
    assert len({check.name for check in CHECKS}) == len(CHECKS)
