"""A saved card is removed at once, whether its gateway answers or not; then the gateway is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import User
from payments import confirmation, methods, reconciliation
from payments.gateways.base import Capabilities
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxMethod
from payments.gateways.sessions import Session, SessionRequest
from payments.models import Payment, PaymentMethod
from tests.payments.checkouts import start

pytestmark = pytest.mark.django_db
SILENCE = GatewayError("No answer.", permanent=False, code="timeout")
REFUSAL = GatewayError("There is no such card.", permanent=True, code="not_found")


@pytest.fixture
def paid(alice: User, choose: Callable[..., Any]) -> Payment:
    payment = start(alice, amount=1000_00, currency="RUB", save_method=True)
    choose(payment, "succeeds")
    return confirmation.confirm(payment.pk, now=timezone.now())


@pytest.fixture
def method(paid: Payment) -> PaymentMethod:
    """The saved card of a paid top-up."""
    return PaymentMethod.objects.get()


def answer_with(monkeypatch: pytest.MonkeyPatch, error: GatewayError) -> None:
    def fail(_self: Sandbox, _id: str) -> None:
        raise error

    monkeypatch.setattr(Sandbox, "remove_method", fail)


def test_it_is_removed_here_and_at_the_gateway(method: PaymentMethod, alice: User) -> None:
    assert [str(each) for each in methods.kept(alice)] == ["Visa •••• 4242"]
    now = timezone.now()
    removed = methods.remove(method, now=now)
    assert (removed.removed_at, removed.check_at) == (now, None)
    assert (SandboxMethod.objects.get().is_kept, list(methods.kept(alice))) == (False, [])
    # Again changes nothing.
    assert methods.remove(method, now=now + timedelta(hours=1)).removed_at == now


def test_without_an_answer_it_is_removed_all_the_same_and_asked_again(
    method: PaymentMethod, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    with monkeypatch.context() as patch:
        answer_with(patch, SILENCE)
        removed = methods.remove(method, now=now)
        assert removed.removed_at == now
        assert removed.check_at == now + timedelta(minutes=1)
        assert list(methods.kept(alice)) == []
        assert reconciliation.due_gateways(now=now + timedelta(seconds=59)) == []
        # The second wait is twice as long.
        reconciliation.check_gateway("sandbox", now=now + timedelta(minutes=1))
        method.refresh_from_db()
        assert method.check_at == now + timedelta(minutes=1 + 2)
    assert SandboxMethod.objects.get().is_kept
    assert reconciliation.due_gateways(now=now + timedelta(minutes=3)) == ["sandbox"]
    assert reconciliation.check_gateway("sandbox", now=now + timedelta(minutes=3)) == 1
    assert PaymentMethod.objects.get().check_at is None
    assert not SandboxMethod.objects.get().is_kept


def test_one_that_the_gateway_does_not_know_any_more_is_removed(
    method: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, REFUSAL)
    removed = methods.remove(method, now=timezone.now())
    assert (removed.check_at, removed.parked_reason) == (None, "There is no such card.")
    assert removed.removed_at is not None


def test_a_gateway_that_removes_none_is_not_asked(method: PaymentMethod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sandbox, "can", Capabilities(currencies={"RUB": (1, 10)}, removes_methods=False))
    answer_with(monkeypatch, AssertionError("asked"))  # type: ignore[arg-type]
    removed = methods.remove(method, now=timezone.now())
    assert (removed.removed_at is not None, removed.check_at) == (True, None)


def test_asking_about_its_payment_does_not_bring_it_back(method: PaymentMethod, paid: Payment, alice: User) -> None:
    methods.remove(method, now=timezone.now())
    SandboxMethod.objects.update(is_kept=True)
    confirmation.refresh(paid.pk, now=timezone.now())
    assert list(methods.kept(alice)) == []


def test_the_gateways_customer_is_named_when_another_card_is_saved(
    method: PaymentMethod, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after the first card is removed: then it belongs to nobody at the gateway, and we know whose it was."""
    PaymentMethod.objects.update(gateway_owner="cus_1")
    SandboxMethod.objects.update(owner="")
    methods.remove(PaymentMethod.objects.get(), now=timezone.now())
    methods.apply(PaymentMethod.objects.get(), Sandbox().fetch_method(method.gateway_id), now=timezone.now())
    asked: list[SessionRequest] = []
    plain = Sandbox.create_session

    def noted(self: Sandbox, request: SessionRequest) -> Session:
        asked.append(request)
        return plain(self, request)

    monkeypatch.setattr(Sandbox, "create_session", noted)
    start(alice, amount=200_00, currency="RUB", save_method=True)
    start(alice, amount=300_00, currency="RUB")
    assert [request.owner for request in asked] == ["cus_1", ""]


def test_customers_are_not_mixed_up(method: PaymentMethod, mallory: User) -> None:
    assert list(methods.kept(mallory)) == []
    assert methods.owner_at("sandbox", mallory) == ""
    assert methods.owner_at("stripe", method.customer) == ""


@pytest.mark.parametrize("is_removed_there", [True, False])
def test_an_answer_older_than_the_removal_does_not_bring_it_back(
    method: PaymentMethod, alice: User, monkeypatch: pytest.MonkeyPatch, is_removed_there: bool
) -> None:
    """A worker has read the row and asks the gateway about the card; meanwhile its customer removes it."""
    stale, answer = PaymentMethod.objects.get(), Sandbox().fetch_method(method.gateway_id)
    if not is_removed_there:
        answer_with(monkeypatch, SILENCE)
    now = timezone.now()
    removed = methods.remove(method, now=now)
    for row in (
        methods.apply(stale, answer, now=now + timedelta(seconds=20)),
        methods.save(alice, "sandbox", answer, now=now + timedelta(seconds=20)),
    ):
        assert (row.removed_at, row.check_at) == (now, removed.check_at)
    # The gateway is still to be asked, if it has not answered.
    kept = PaymentMethod.objects.get()
    assert (kept.removed_at, kept.check_at) == (now, None if is_removed_there else now + timedelta(minutes=1))


def test_one_that_the_gateway_removed_keeps_the_time_of_the_first_removal(method: PaymentMethod) -> None:
    now = timezone.now()
    gone = replace(Sandbox().fetch_method(method.gateway_id), is_kept=False)
    assert methods.apply(method, gone, now=now).removed_at == now
    assert methods.apply(method, gone, now=now + timedelta(hours=1)).removed_at == now


@pytest.mark.parametrize("change", ["NULL", "removed_at + interval '1 day'"])
def test_the_database_lets_a_removal_be_set_once(method: PaymentMethod, change: str) -> None:
    methods.remove(method, now=timezone.now())
    with pytest.raises(DatabaseError, match="removed once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE payments_paymentmethod SET removed_at = {change}")
