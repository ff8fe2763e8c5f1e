"""Adjustments at the same time: no limit is passed, and each is carried out once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from core.errors import DomainError
from ledger.money import Money
from payments import adjustments
from payments.models import Adjustment
from tests.concurrency.sessions import at_once
from tests.ledger.snapshot import found
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db(transaction=True)


def credit(customer: User, author: User, amount: int, key: str | None = None) -> Adjustment:
    return adjustments.ask(
        customer, kind=Adjustment.Kind.CREDIT, money=Money(amount, "RUB"), reason="Outage", author=author,
        idempotency_key=key, now=timezone.now(),
    )  # fmt: skip


def tried(job: Callable[..., Any], *args: Any, **named: Any) -> Callable[[], Any]:
    """Return a job that returns a DomainError instead of raising it."""

    def run() -> Any:
        try:
            return job(*args, **named, now=timezone.now())
        except DomainError as error:
            return error

    return run


def test_parts_of_a_large_sum_at_once_do_not_pass_the_limit(alice: User, staff: User, settings: Any) -> None:
    settings.STAFF_CREDIT_LIMIT = {"RUB": 5000}
    rows = at_once([lambda: credit(alice, staff, 2000_00) for _ in range(6)])
    assert sorted(row.status for row in rows) == ["done"] * 2 + ["waiting"] * 4
    assert (balance(alice), found()) == (4000_00, {})


def test_a_credit_pressed_eight_times_at_once_is_one(alice: User, staff: User) -> None:
    rows = at_once([lambda: credit(alice, staff, 100_00, "click") for _ in range(8)])
    assert {row.pk for row in rows} == {Adjustment.objects.get().pk}
    assert (balance(alice), found()) == (100_00, {})


def test_of_many_decisions_at_once_one_counts(alice: User, mallory: User, staff: User, superuser: User) -> None:
    for turn in range(1, 6):
        before, row = balance(alice), credit(alice, staff, 9000_00)
        answers = at_once(
            [
                tried(adjustments.approve, row, by=superuser),
                tried(adjustments.approve, row, by=mallory),
                tried(adjustments.decline, row, by=superuser),
                tried(adjustments.withdraw, row, by=staff),
            ]
        )
        [decided] = [each for each in answers if isinstance(each, Adjustment)]
        assert {type(each).__name__ for each in answers} == {"Adjustment", "AdjustmentDecided"}, turn
        assert balance(alice) - before == (9000_00 if decided.status == "done" else 0)
    assert found() == {}
