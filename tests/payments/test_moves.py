from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from payments import disputes, refunds, transitions
from payments.models import Payment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Status = Payment.Status
Moves = Mapping[Any, frozenset[Any]]


def payment_of(customer: User, **fields: object) -> Payment:
    times = {"created_at": NOW, "updated_at": NOW, "expires_at": NOW + timedelta(minutes=30)}
    return Payment.objects.create(
        customer=customer, amount=990_00, currency="RUB", gateway="sandbox", **times, **fields
    )


def set_status(payment: Payment, status: str) -> None:
    """Move a new payment to the status by an allowed move, past transitions.move."""
    if status != "pending":
        paid = {"confirmed_at": NOW, "amount_received": payment.amount, "received_currency": payment.currency}
        Payment.objects.filter(pk=payment.pk).update(status=status, **(paid if status == "confirmed" else {}))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("moves", "function"),
    [
        (transitions.MOVES, "payments_may_move"),
        (refunds.MOVES, "refunds_may_move"),
        (disputes.MOVES, "disputes_may_move"),
    ],
)
def test_the_database_allows_the_same_moves_as_the_table(moves: Moves, function: str) -> None:
    pairs = list(product(moves, repeat=2))
    with connection.cursor() as cursor:
        allowed = {pair for pair in pairs if cursor.execute(f"SELECT {function}(%s, %s)", pair).fetchone()[0]}
    table = {(origin, to) for origin, targets in moves.items() for to in targets}
    assert allowed == table | {(status, status) for status in moves}


@pytest.mark.parametrize(
    ("origin", "to"), [(o, t) for o, t in product(Status, repeat=2) if t not in transitions.MOVES[o]]
)
def test_an_illegal_move_raises_and_writes_nothing(alice: User, origin: Payment.Status, to: Payment.Status) -> None:
    payment = payment_of(alice)
    set_status(payment, origin)
    payment.refresh_from_db()
    with pytest.raises(transitions.IllegalMove):
        transitions.move(payment, to, now=NOW)
    payment.refresh_from_db()
    assert payment.status == origin


@pytest.mark.parametrize("to", ["pending", "unknown", "failed", "cancelled", "expired"])
def test_the_database_refuses_to_move_a_confirmed_payment(alice: User, to: str) -> None:
    payment = payment_of(alice)
    set_status(payment, "confirmed")
    with pytest.raises(IntegrityError, match="confirmed is final"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(status=to)


def test_a_move_from_an_outdated_state_raises(alice: User) -> None:
    payment = payment_of(alice)
    set_status(payment, "cancelled")
    with pytest.raises(transitions.IllegalMove, match="not pending any more"):
        transitions.move(payment, Status.EXPIRED, now=NOW)


def test_an_ended_payment_is_not_checked_any_more(alice: User) -> None:
    payment = payment_of(alice, check_at=NOW)
    transitions.move(payment, Status.EXPIRED, now=NOW)
    payment.refresh_from_db()
    assert payment.check_at is None


def test_a_new_payment_must_be_pending(alice: User) -> None:
    with pytest.raises(IntegrityError, match="must be pending"), transaction.atomic():
        payment_of(alice, status="cancelled")


@pytest.mark.parametrize(
    "change",
    [{"amount": 1}, {"currency": "EUR"}, {"gateway": "other"}, {"gateway_id": "sbx_other"}, {"public_id": "pay_2"}],
)
def test_the_terms_of_a_payment_never_change(alice: User, change: dict[str, object]) -> None:
    payment = payment_of(alice, gateway_id="sbx_1")
    with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(**change)


def test_the_customer_of_a_payment_never_changes(alice: User, mallory: User) -> None:
    payment = payment_of(alice)
    with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(customer=mallory)


def test_a_payment_is_never_deleted(alice: User) -> None:
    payment = payment_of(alice)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        payment.delete()


def test_the_time_of_confirmation_never_changes(alice: User) -> None:
    payment = payment_of(alice)
    set_status(payment, "confirmed")
    with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(confirmed_at=NOW + timedelta(days=1))
