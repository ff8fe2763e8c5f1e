"""Refunds: the wallet pays first, nothing is refunded twice or beyond the payment, a failed one comes back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from core.idempotency import KeyReused
from payments import confirmation, inquiries, reconciliation, refunds
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxRefund
from payments.models import Payment, Refund
from payments.refunds import Destination, RefundRefused
from subscriptions.refusals import Refused
from tests.ledger.snapshot import found
from tests.payments.checkouts import start
from tests.payments.faulty_gateway import lose_answer
from tests.payments.rows import balance, events

pytestmark = pytest.mark.django_db


def at_gateway() -> int:
    """Return what the sandbox has refunded, in kopecks."""
    return sum(row.amount for row in SandboxRefund.objects.all())


def test_a_whole_refund_leaves_the_wallet_for_the_card(paid: Payment, alice: User) -> None:
    refund = refunds.issue(paid, now=timezone.now(), reason="Changed my mind")
    paid.refresh_from_db()
    assert (refund.status, refund.amount, refund.currency) == ("succeeded", 1000_00, "RUB")
    assert (balance(alice), paid.amount_refunded, paid.refundable, at_gateway()) == (0, 1000_00, 0, 1000_00)
    assert events(refund) == ["refund.created", "refund.succeeded"]
    assert found() == {}


def test_parts_are_refunded_up_to_the_payment_and_no_further(paid: Payment, alice: User) -> None:
    for amount in (600_00, 300_00):
        refunds.issue(paid, now=timezone.now(), amount=amount)
    with pytest.raises(RefundRefused) as caught:
        refunds.issue(paid, now=timezone.now(), amount=100_01)
    assert caught.value.extra == {"refundable": {"value": "100.00", "currency": "RUB"}}
    assert (balance(alice), at_gateway()) == (100_00, 900_00)


@pytest.mark.parametrize("amount", [0, -1, 1000_01])
def test_an_impossible_amount_is_refused(paid: Payment, alice: User, amount: int) -> None:
    with pytest.raises(RefundRefused):
        refunds.issue(paid, now=timezone.now(), amount=amount)
    assert (balance(alice), Refund.objects.count()) == (1000_00, 0)


def test_what_is_spent_is_not_refunded_to_the_card(alice: User, basic: Any, choose: Callable[..., Any]) -> None:
    payment = start(alice, plan="basic")
    choose(payment, "succeeds")
    payment = confirmation.confirm(payment.pk, now=timezone.now())
    with pytest.raises(Refused):
        refunds.issue(payment, now=timezone.now())
    assert not Refund.objects.exists()
    # To the wallet it is the seller's money.
    refund = refunds.issue(payment, now=timezone.now(), amount=500_00, destination=Destination.WALLET)
    assert (refund.status, balance(alice), at_gateway()) == ("succeeded", 500_00, 0)
    assert found() == {}


def test_only_a_confirmed_payment_is_refunded(opened: Payment) -> None:
    with pytest.raises(RefundRefused) as caught:
        refunds.issue(opened, now=timezone.now())
    assert caught.value.extra == {"state": "pending"}


def test_the_same_request_makes_one_refund(paid: Payment, alice: User) -> None:
    first, again = (
        refunds.issue(paid, now=timezone.now(), amount=300_00, idempotency_key="k", reason="r") for _ in range(2)
    )
    assert first == again
    with pytest.raises(KeyReused):
        refunds.issue(paid, now=timezone.now(), amount=301_00, idempotency_key="k", reason="r")
    assert (balance(alice), at_gateway()) == (700_00, 300_00)


def test_without_an_answer_it_stays_pending_and_is_found_later(
    paid: Payment, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        lose_answer(patch, Sandbox, "refund")
        refund = refunds.issue(paid, now=timezone.now(), amount=400_00)
    assert (refund.status, refund.gateway_id, balance(alice)) == ("pending", None, 600_00)
    refund = refunds.send(refund, now=timezone.now() + timedelta(seconds=30))
    assert (refund.status, SandboxRefund.objects.count(), balance(alice)) == ("succeeded", 1, 600_00)


@pytest.mark.parametrize("how", ["the sweep", "staff ask", "the request comes again"])
def test_one_whose_process_died_is_looked_for_after_its_key_is_forgotten(
    paid: Payment, alice: User, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The gateway made it, and the process died before it stored the answer. No worker ran for thirty hours."""
    now = timezone.now()

    def die(*_args: Any, **_more: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(refunds, "apply", die)
        with pytest.raises(KeyboardInterrupt):
            refunds.issue(paid, now=now, amount=400_00, idempotency_key="k")
    refund = Refund.objects.get()
    assert (refund.checks, refund.gateway_id, at_gateway()) == (0, None, 400_00)
    plain = Sandbox.refund

    def without_the_key(self: Sandbox, request: Any) -> Any:
        return plain(self, replace(request, idempotency_key="new"))

    monkeypatch.setattr(Sandbox, "refund", without_the_key)
    later = now + timedelta(hours=30)
    if how == "the sweep":
        reconciliation.check_gateway("sandbox", now=later)
    elif how == "staff ask":
        inquiries.ask(refund, now=later)
    else:
        refunds.issue(paid, now=later, amount=400_00, idempotency_key="k")
    refund.refresh_from_db()
    assert (refund.status, balance(alice), at_gateway()) == ("succeeded", 600_00, 400_00)


def test_a_refused_look_up_does_not_say_that_there_is_no_refund(
    paid: Payment, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card got 400.00. If the wallet got them back too, they would be paid twice."""
    plain = Sandbox.refund

    def lost(self: Sandbox, request: Any) -> Any:
        plain(self, request)
        raise GatewayError("No answer.", permanent=False, code="timeout")

    def forbidden(_self: Sandbox, _request: Any) -> Any:
        raise GatewayError("This key may not list refunds.", permanent=True, code="forbidden")

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "refund", lost)
        patch.setattr(Sandbox, "find_refund", forbidden)
        refund = refunds.issue(paid, now=timezone.now(), amount=400_00)
        refund = refunds.send(refund, now=timezone.now() + timedelta(seconds=30))
    assert (refund.status, refund.failure_code, balance(alice), at_gateway()) == ("pending", "", 600_00, 400_00)
    refund = refunds.send(refund, now=timezone.now() + timedelta(minutes=2))
    assert (refund.status, balance(alice), at_gateway()) == ("succeeded", 600_00, 400_00)


def test_a_refusal_brings_the_money_back(paid: Payment, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Sandbox, _request: Any) -> Any:
        raise GatewayError("Too old.", permanent=True, code="too_old")

    monkeypatch.setattr(Sandbox, "refund", refuse)
    refund = refunds.issue(paid, now=timezone.now())
    paid.refresh_from_db()
    assert (refund.status, refund.failure_code, balance(alice), paid.refundable) == (
        "failed", "too_old", 1000_00, 1000_00,
    )  # fmt: skip
    assert found() == {}


def test_a_refund_that_fails_later_comes_back_once_and_can_be_made_again(
    opened: Payment, alice: User, choose: Callable[..., Any]
) -> None:
    choose(opened, "refund_fails")
    paid = confirmation.confirm(opened.pk, now=timezone.now())
    refund = refunds.issue(paid, now=timezone.now())
    assert (refund.status, balance(alice)) == ("pending", 0)
    later = timezone.now() + timedelta(minutes=5)
    SandboxRefund.objects.update(settles_at=timezone.now())
    for _ in range(2):
        refund = refunds.send(refund, now=later)
    paid.refresh_from_db()
    assert (refund.status, balance(alice), paid.refundable) == ("failed", 1000_00, 1000_00)
    assert found() == {}


def test_a_succeeded_refund_may_still_fail(paid: Payment, alice: User) -> None:
    refund = refunds.issue(paid, now=timezone.now())
    SandboxRefund.objects.update(settles_as="failed")
    refund = refunds.send(refund, now=timezone.now() + timedelta(days=1))
    assert (refund.status, balance(alice), refund.check_at) == ("failed", 1000_00, None)


# What the database holds


def made(payment: Payment, **fields: Any) -> Refund:
    now = timezone.now()
    row = {"amount": 1, "currency": "RUB", "gateway": "sandbox", "created_at": now, "updated_at": now}
    return Refund.objects.create(payment=payment, **row | fields)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"amount": 1000_01}, "refunds_never_exceed_the_payment"),
        ({"amount": 0}, "refund_is_more_than_zero"),
        ({"status": "succeeded"}, "must be pending"),
        ({"currency": "EUR"}, "in the currency"),
    ],
)
def test_an_impossible_refund_is_refused_by_the_database(paid: Payment, fields: dict[str, Any], rule: str) -> None:
    with pytest.raises(IntegrityError, match=rule):
        made(paid, **fields)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_refund SET amount = 2",
        "UPDATE payments_refund SET destination = 'wallet'",
        "UPDATE payments_refund SET status = 'failed', gateway = 'card'",
        "DELETE FROM payments_refund",
        "UPDATE payments_payment SET amount_refunded = 0 WHERE amount_refunded > 0",
        "UPDATE payments_payment SET amount_received = 2000000",
    ],
)
def test_what_was_refunded_is_not_rewritten(paid: Payment, statement: str) -> None:
    made(paid)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
