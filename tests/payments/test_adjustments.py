"""Staff credit, debit and write off by hand: alone up to a limit, above it with a second person."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from core.idempotency import KeyReused, key_of
from events.models import Event
from ledger.models import Account, Transaction
from ledger.money import Money
from payments import adjustments
from payments.adjustments import AdjustmentDecided, AdjustmentRefused
from payments.models import Adjustment
from subscriptions import books
from tests.ledger.plant import plant
from tests.ledger.snapshot import found
from tests.letters import letter_of, lines, told
from tests.payments.rows import balance
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db
Kind = Adjustment.Kind
TABLE = "payments_adjustment"


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.STAFF_CREDIT_LIMIT = {"RUB": 5000, "EUR": 50}


@pytest.fixture
def boss(superuser: User) -> User:
    """Who approves."""
    return superuser


def ask(customer: User, author: User, amount: int, kind: str = "credit", **more: Any) -> Adjustment:
    """Ask for an adjustment in kopecks."""
    terms: dict[str, Any] = {"currency": "RUB", "now": timezone.now(), "key": None, "reason": "Outage"} | more
    return adjustments.ask(
        customer, kind=Kind(kind), money=Money(amount, terms["currency"]), reason=terms["reason"], author=author,
        idempotency_key=terms["key"], now=terms["now"],
    )  # fmt: skip


def owe(customer: User, amount: int, *, now: datetime | None = None) -> None:
    with books.open(customer, "RUB", now=now or timezone.now()) as book:
        book.take_back(amount, key="test:owe", to="disputes", reason="chargeback")


def debt(customer: User) -> int:
    return -(Account.objects.get(owner=customer, kind="debt", currency="RUB").balance or 0)


def test_a_credit_up_to_the_limit_is_done_at_once(alice: User, staff: User) -> None:
    row = ask(alice, staff, 5000_00)
    assert (row.status, row.decided_by, row.needs_approval, balance(alice)) == ("done", None, False, 5000_00)
    moved = Transaction.objects.get(key=f"adjustment:{row.public_id}")
    assert (moved.reason, moved.debit.code, moved.description) == ("adjustment", "adjustments", "Outage")
    assert (moved.author, moved.customer) == (staff, alice)
    assert found() == {}


def test_a_debit_takes_at_most_what_is_there(alice: User, staff: User) -> None:
    pay_in(alice, 500_00, at=timezone.now())
    with pytest.raises(AdjustmentRefused, match=r"₽500\.00") as refusal:
        ask(alice, staff, 500_01, "debit")
    assert (refusal.value.param, balance(alice), Adjustment.objects.count()) == ("amount", 500_00, 0)
    row = ask(alice, staff, 300_00, "debit")
    moved = Transaction.objects.get(key=f"adjustment:{row.public_id}")
    assert (moved.credit.code, moved.reason, balance(alice)) == ("adjustments", "adjustment", 200_00)
    assert found() == {}


def test_a_debt_or_a_part_of_it_is_written_off(alice: User, staff: User) -> None:
    owe(alice, 100_00)
    ask(alice, staff, 40_00, "write_off")
    assert (debt(alice), balance(alice)) == (60_00, 0)
    with pytest.raises(AdjustmentRefused, match=r"owes ₽60\.00"):
        ask(alice, staff, 60_01, "write_off")
    row = ask(alice, staff, 60_00, "write_off")
    assert debt(alice) == 0
    assert Transaction.objects.get(key=adjustments.key_of(row)).author == staff
    assert found() == {}


def test_a_credit_pays_the_debt_first(alice: User, staff: User) -> None:
    owe(alice, 100_00)
    ask(alice, staff, 150_00)
    assert (debt(alice), balance(alice), found()) == (0, 50_00, {})


def test_above_the_limit_nothing_moves_before_a_second_person_approves(alice: User, staff: User, boss: User) -> None:
    row = ask(alice, staff, 5000_01)
    assert (row.status, row.decided_at, balance(alice)) == ("waiting", None, 0)
    assert found() == {}
    row = adjustments.approve(row, by=boss, reason="Checked", now=timezone.now())
    assert (row.status, row.decided_by, row.decision_reason, balance(alice)) == ("done", boss, "Checked", 5000_01)
    # The money is of who asked for it.
    assert Transaction.objects.get(key=f"adjustment:{row.public_id}").author == staff
    assert found() == {}


def test_a_currency_without_a_limit_always_takes_a_second_person(alice: User, staff: User) -> None:
    assert ask(alice, staff, 1, currency="GBP").status == "waiting"
    assert ask(alice, staff, 50_00, currency="EUR").status == "done"


def test_a_large_sum_cannot_be_split(alice: User, mallory: User, staff: User, boss: User) -> None:
    now = timezone.now()
    ask(alice, staff, 3000_00, now=now)
    # Kinds count together.
    assert ask(alice, staff, 2000_01, "debit", now=now).status == "waiting"
    # What waits and what a second person approved do not.
    large = ask(alice, staff, 9000_00, now=now)
    adjustments.approve(large, by=boss, now=now)
    assert ask(alice, staff, 2000_00, now=now).status == "done"
    assert ask(alice, staff, 1, now=now).status == "waiting"
    # Another author, another customer and another currency have limits of their own.
    assert ask(alice, boss, 5000_00, now=now).status == "done"
    assert ask(mallory, staff, 5000_00, now=now).status == "done"
    assert ask(alice, staff, 50_00, currency="EUR", now=now).status == "done"
    # A day later the limit is whole again.
    assert ask(alice, staff, 1, now=now + timedelta(hours=24) - timedelta(seconds=1)).status == "waiting"
    assert ask(alice, staff, 5000_00, now=now + timedelta(hours=24)).status == "done"


def test_what_is_impossible_is_refused_before_it_waits(alice: User, staff: User) -> None:
    pay_in(alice, 6000_00, at=timezone.now())
    with pytest.raises(AdjustmentRefused):
        ask(alice, staff, 6000_01, "debit")
    with pytest.raises(AdjustmentRefused):
        ask(alice, staff, 6000_00, "write_off")
    assert ask(alice, staff, 6000_00, "debit").status == "waiting"


def test_a_debit_that_is_not_possible_any_more_goes_on_waiting(alice: User, staff: User, boss: User) -> None:
    pay_in(alice, 6000_00, at=timezone.now())
    row = ask(alice, staff, 6000_00, "debit")
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.withdraw(1, key="test:out", to="adjustments", reason="adjustment")
    with pytest.raises(AdjustmentRefused, match=r"₽5,999\.99"):
        adjustments.approve(row, by=boss, now=timezone.now())
    row.refresh_from_db()
    assert (row.status, balance(alice)) == ("waiting", 5999_99)
    assert adjustments.decline(row, by=boss, now=timezone.now()).status == "declined"


def test_nobody_approves_or_declines_what_they_asked_for(alice: User, staff: User) -> None:
    row = ask(alice, staff, 5000_01)
    for decide in (adjustments.approve, adjustments.decline):
        with pytest.raises(AdjustmentRefused, match="A second person must decide"):
            decide(row, by=staff, now=timezone.now())
    assert balance(alice) == 0


def test_only_the_author_withdraws(alice: User, staff: User, boss: User) -> None:
    row = ask(alice, staff, 5000_01)
    with pytest.raises(AdjustmentRefused, match=f"Only {staff}"):
        adjustments.withdraw(row, by=boss, now=timezone.now())
    row = adjustments.withdraw(row, by=staff, reason="A mistake", now=timezone.now())
    assert (row.status, row.decided_by, balance(alice), found()) == ("withdrawn", staff, 0, {})


def test_a_decided_one_is_not_decided_again(alice: User, staff: User, boss: User) -> None:
    row = ask(alice, staff, 5000_01)
    adjustments.decline(row, by=boss, now=timezone.now())
    for decide, by in ((adjustments.approve, boss), (adjustments.decline, boss), (adjustments.withdraw, staff)):
        with pytest.raises(AdjustmentDecided, match="declined"):
            decide(row, by=by, now=timezone.now())
    assert balance(alice) == 0


def test_nobody_adjusts_their_own_balance(staff: User, boss: User) -> None:
    with pytest.raises(AdjustmentRefused, match="own balance"):
        ask(staff, staff, 1_00)
    row = ask(staff, boss, 5000_01)
    with pytest.raises(AdjustmentRefused, match="own balance"):
        adjustments.approve(row, by=staff, now=timezone.now())


@pytest.mark.parametrize(("amount", "reason", "param"), [(0, "x", "amount"), (-1, "x", "amount"), (1, "  ", "reason")])
def test_a_wrong_request_names_its_field(alice: User, staff: User, amount: int, reason: str, param: str) -> None:
    with pytest.raises(AdjustmentRefused) as refusal:
        ask(alice, staff, amount, reason=reason)
    assert refusal.value.param == param


def test_the_same_request_again_finds_what_it_made(alice: User, staff: User) -> None:
    key = key_of("form", "once")
    first, again = (ask(alice, staff, 100_00, key=key) for _ in range(2))
    assert (first, balance(alice)) == (again, 100_00)
    with pytest.raises(KeyReused):
        ask(alice, staff, 100_01, key=key)


# The database.
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("status = 'done', decided_by_id = asked_by_id, decided_at = now()", "takes_a_second_person"),
        ("status = 'done', decided_at = now()", "takes_a_second_person"),
        ("status = 'done', decided_by_id = customer_id, decided_at = now()", "takes_a_second_person"),
        ("status = 'declined', decided_by_id = asked_by_id, decided_at = now()", "takes_a_second_person"),
        ("status = 'withdrawn', decided_by_id = %(boss)s, decided_at = now()", "takes_a_second_person"),
        ("status = 'done', decided_by_id = %(boss)s", "takes_a_second_person"),
        ("decided_by_id = %(boss)s, decided_at = now()", "takes_a_second_person"),
        ("needs_approval = false", "never change"),
        ("amount = amount + 1", "never change"),
        ("customer_id = %(boss)s", "never change"),
        ("currency = 'EUR'", "never change"),
        ("reason = 'Another'", "never change"),
        ("asked_by_id = %(boss)s", "never change"),
    ],
)
def test_the_database_refuses_a_wrong_decision(alice: User, staff: User, boss: User, change: str, rule: str) -> None:
    row = ask(alice, staff, 5000_01)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        execute(f"UPDATE {TABLE} SET {change} WHERE id = %(row)s", boss=boss.pk, row=row.pk)


@pytest.mark.parametrize("status", ["done", "declined", "withdrawn"])
def test_the_database_never_changes_a_decided_one(alice: User, staff: User, boss: User, status: str) -> None:
    row = ask(alice, staff, 5000_01)
    decide = {"done": adjustments.approve, "declined": adjustments.decline, "withdrawn": adjustments.withdraw}[status]
    decide(row, by=staff if status == "withdrawn" else boss, now=timezone.now())
    back = "status = 'waiting', decided_by_id = NULL, decided_at = NULL"
    for change in (back, "decision_reason = 'Another'"):
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            execute(f"UPDATE {TABLE} SET {change} WHERE id = %(row)s", row=row.pk)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        execute(f"DELETE FROM {TABLE} WHERE id = %(row)s", row=row.pk)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"status": "done", "decided": True, "needs_approval": True}, "begins waiting"),
        ({"status": "waiting"}, "takes_a_second_person"),
        ({"amount": 0}, "more_than_zero"),
        ({"kind": "gift"}, "kind_is_known"),
        ({"currency": "rub"}, "iso_4217"),
        ({"reason": ""}, "has_a_reason"),
        ({"own": True}, "ones_own_money"),
    ],
)
def test_the_database_refuses_a_wrong_row(
    alice: User, staff: User, boss: User, fields: dict[str, Any], rule: str
) -> None:
    now = timezone.now()
    row: dict[str, Any] = {
        "customer": alice, "amount": 1, "currency": "RUB", "kind": "credit", "reason": "x", "status": "done",
        "needs_approval": False, "decided_at": now, "created_at": now, "asked_by": staff,
    }  # fmt: skip
    if fields.pop("decided", False):
        row["decided_by"] = boss
    if fields.pop("own", False):
        row["asked_by"] = alice
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Adjustment.objects.create(**row | fields)


def test_the_database_makes_one_adjustment_per_request(alice: User, staff: User) -> None:
    ask(alice, staff, 1, key="same")
    with pytest.raises(IntegrityError, match="one_adjustment_per_request"), transaction.atomic():
        Adjustment.objects.create(
            customer=alice, amount=1, currency="RUB", kind="credit", reason="x", status="waiting", needs_approval=True,
            created_at=timezone.now(), asked_by=staff, idempotency_key="same",
        )  # fmt: skip


# What the nightly check finds.
@pytest.mark.parametrize(
    "change",
    ["amount = amount + 1", "kind = 'debit'", "kind = 'write_off'", "asked_by_id = %(boss)s", "customer_id = %(boss)s"],
)
def test_an_adjustment_that_differs_from_its_transaction_is_found(
    alice: User, staff: User, boss: User, change: str
) -> None:
    row = ask(alice, staff, 100_00)
    plant(TABLE, f"UPDATE {TABLE} SET {change.replace('%(boss)s', str(boss.pk))} WHERE id = %s", row.pk)
    assert found().keys() == {"adjustments_move_money_once"}


def test_a_movement_without_an_adjustment_that_is_done_is_found(alice: User, staff: User) -> None:
    row = ask(alice, staff, 5000_01)
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.top_up(1, key=f"adjustment:{row.public_id}", source="adjustments", reason="adjustment")
    assert found() == {"adjustments_move_money_once": 1}


def execute(statement: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def told_of(row: Adjustment) -> tuple[str, dict[str, Any]]:
    event = Event.objects.get(subject=row.public_id)
    return event.type, event.data


def test_each_adjustment_is_an_event_once_it_is_done(alice: User, staff: User, boss: User) -> None:
    credit = ask(alice, staff, 500_00)
    data = {"amount": {"value": "500.00", "currency": "RUB"}, "reason": "Outage"}
    assert told_of(credit) == ("adjustment.credited", data)
    assert told_of(ask(alice, staff, 100_00, "debit"))[0] == "adjustment.debited"
    large = ask(alice, staff, 50_000_00)
    assert not Event.objects.filter(subject=large.public_id).exists()
    adjustments.approve(large, by=boss, now=timezone.now())
    assert told_of(large)[0] == "adjustment.credited"
    declined = ask(alice, staff, 50_000_00)
    adjustments.decline(declined, by=boss, now=timezone.now())
    assert not Event.objects.filter(subject=declined.public_id).exists()


def test_the_customer_gets_a_mail_with_the_reason(alice: User, staff: User) -> None:
    now = timezone.now()
    ask(alice, staff, 500_00)
    letter = told("adjusted", now=now)
    assert letter.subject == "We added ₽500.00 to your balance"
    assert {"Reason: Outage", "Balance: ₽500.00"} <= set(lines(letter))
    ask(alice, staff, 200_00, "debit")
    User.objects.filter(pk=alice.pk).update(language="ru")
    letter = told("adjusted", now=now)
    assert letter.subject == "Мы списали 200,00\u00a0₽ с вашего баланса"
    assert "Баланс: 300,00\u00a0₽" in lines(letter)


def test_one_mail_tells_of_a_debt_that_is_written_off(alice: User, staff: User) -> None:
    now = timezone.now()
    owe(alice, 1000_00)
    ask(alice, staff, 400_00, "write_off")
    letter = told("adjusted", now=now)
    assert letter.subject == "You owe ₽400.00 less"
    assert "Debt: ₽600.00" in lines(letter)
    ask(alice, staff, 600_00, "write_off")
    assert letter_of("adjusted", now=now) is None
    assert told("debt", now=now).subject == "You no longer owe ₽600.00"
