"""`manage.py check_ledger`: what it prints, and its exit code."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

import ledger
from accounts.models import User
from billing_site import ledger_checks
from billing_site.integrity import CHECKS
from ledger import wallets
from tests.ledger.conftest import CLEARING, entry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def money(alice: User) -> int:
    """Return the id of Alice's wallet, which holds 1.00 EUR."""
    wallet = wallets.wallet_id_of(alice.pk, "EUR")
    ledger.post([entry("in", CLEARING, wallet, 100)])
    return wallet


@pytest.fixture
def broken(money: int) -> None:
    """Add a cent to the wallet's balance that no transaction brought."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_account DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_account SET balance = 101 WHERE id = %s", [money])
        cursor.execute("ALTER TABLE ledger_account ENABLE TRIGGER USER")


def check(*options: str) -> tuple[int, str]:
    """Run the command and return its exit code and its output."""
    out, code = StringIO(), 0
    try:
        call_command("check_ledger", *options, stdout=out)
    except SystemExit as exit_:
        code = int(str(exit_.code))
    return code, out.getvalue()


@pytest.mark.usefixtures("money")
def test_clean_books_give_exit_code_0_and_nothing_to_do():
    code, output = check()
    assert code == 0
    assert "no_second_is_charged_twice" in output
    assert output.splitlines()[-1].startswith(f"Clean: {len(CHECKS)} checks in ")


@pytest.mark.usefixtures("money")
def test_statistics_are_renewed_before_the_snapshot():
    with CaptureQueriesContext(connection) as captured:
        check()
    said = [query["sql"] for query in captured]
    [snapshot] = [index for index, sql in enumerate(said) if "REPEATABLE READ" in sql]
    analyzed = [index for index, sql in enumerate(said) if sql.startswith("ANALYZE")]
    assert 'ANALYZE (SKIP_LOCKED) "subscriptions_charge"' in said
    assert 'ANALYZE (SKIP_LOCKED) "ledger_transaction"' in said
    assert max(analyzed) < snapshot


@pytest.mark.usefixtures("broken")
def test_broken_books_give_exit_code_3_the_wrong_rows_and_what_to_do():
    code, output = check()
    assert code == 3
    assert "balances_equal_transactions: 1 of 1" in output
    assert "docs/runbook.md" in output.splitlines()[-1]


@pytest.mark.usefixtures("broken")
def test_json_output_lists_every_check_and_its_wrong_rows(money):
    code, output = check("--json")
    report = json.loads(output)
    assert code == 3
    assert report["clean"] is False
    checks = {check["name"]: check for check in report["checks"]}
    assert len(checks) == len(CHECKS)
    assert checks["balances_equal_transactions"]["rows"] == [
        {"account": money, "kind": "wallet", "balance": 101, "by_transactions": "100"}
    ]
    assert checks["history_is_unbroken"]["wrong"] == 0


@pytest.mark.usefixtures("money")
def test_json_output_says_that_the_books_are_clean():
    code, output = check("--json")
    assert (code, json.loads(output)["clean"]) == (0, True)


def test_every_check_has_its_own_name():
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.usefixtures("money")
def test_a_run_by_hand_is_kept_so_that_the_alert_ends_when_the_books_are_right():
    check()
    last = ledger_checks.last()
    assert last is not None
    assert (last.is_clean, last.checks) == (True, len(CHECKS))
