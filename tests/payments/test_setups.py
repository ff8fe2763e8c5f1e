"""Saving a card without a payment: one page however often it is asked for, and what the gateway says of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from core.errors import Unavailable
from ledger.models import Account
from payments import methods, reconciliation, setups
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Consent, MethodSetup, PaymentMethod, WebhookEvent
from payments.webhooks import process

pytestmark = pytest.mark.django_db


def start(customer: User, *, after: timedelta = timedelta(0)) -> MethodSetup:
    return setups.start(customer, "sandbox", now=timezone.now() + after)


def choose(setup: MethodSetup, outcome: str) -> None:
    chosen = outcomes.ON_A_SETUP[outcome]
    assert sessions.choose(str(setup.gateway_id), chosen, expected=sessions.Status.OPEN, now=timezone.now())


def test_two_clicks_make_one_page(alice: User) -> None:
    first, second = start(alice), start(alice)
    assert first == second
    assert first.confirmation_url == second.confirmation_url
    assert SandboxSession.objects.count() == 1


def test_the_gateway_is_told_who_it_is_and_takes_no_money(alice: User) -> None:
    setup = start(alice)
    session = SandboxSession.objects.get()
    assert (session.is_setup, session.amount, session.customer) == (True, 0, str(alice.pk))
    assert session.return_url.endswith(f"/account/payment-methods/added/{setup.public_id}/")


def test_a_saved_card_is_the_customers_and_nothing_is_agreed(alice: User) -> None:
    setup = start(alice)
    choose(setup, "succeeds")
    for _turn in range(2):
        setup = setups.refresh(setup, now=timezone.now())
    method = PaymentMethod.objects.get()
    assert (setup.status, setup.method, setup.check_at) == ("saved", method, None)
    assert (method.customer, method.brand, method.last4, method.is_default) == (alice, "Visa", "4242", False)
    assert not Consent.objects.exists()


def test_who_turns_back_saves_nothing_and_finds_the_same_page(alice: User) -> None:
    setup = start(alice)
    setup = setups.refresh(setup, now=timezone.now())
    assert (setup.status, PaymentMethod.objects.count()) == ("open", 0)
    assert start(alice) == setup


@pytest.mark.parametrize("outcome", ["declined", "cancel"])
def test_a_page_that_has_ended_is_replaced(alice: User, outcome: str) -> None:
    first = start(alice)
    choose(first, outcome)
    second = start(alice)
    first.refresh_from_db()
    assert (first.status, second.status, first == second) == ("ended", "open", False)
    assert not PaymentMethod.objects.exists()


def test_a_card_saved_on_the_first_page_is_found_by_the_next_click(alice: User) -> None:
    first = start(alice)
    choose(first, "succeeds")
    second = start(alice)
    first.refresh_from_db()
    assert (first.status, second.status) == ("saved", "open")
    assert PaymentMethod.objects.get() == first.method


def test_a_page_ends_with_its_time_and_a_late_card_is_saved_all_the_same(alice: User) -> None:
    setup = start(alice)
    setup = setups.refresh(setup, now=setup.expires_at)
    assert (setup.status, setup.check_at) == ("ended", None)
    choose(setup, "succeeds")
    setup = setups.refresh(setup, now=timezone.now())
    assert (setup.status, PaymentMethod.objects.count()) == ("saved", 1)


def test_the_sweep_finds_a_card_of_which_nobody_has_told_us(alice: User) -> None:
    setup = start(alice)
    choose(setup, "webhook_lost")
    reconciliation.check_all(now=setup.created_at + timedelta(seconds=29))
    assert not PaymentMethod.objects.exists()
    reconciliation.check_all(now=setup.created_at + timedelta(seconds=30))
    setup.refresh_from_db()
    assert PaymentMethod.objects.get() == setup.method


def test_the_sweep_ends_a_page_that_the_gateway_never_opened(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    silence = GatewayError("No answer.", permanent=False, code="timeout")
    monkeypatch.setattr(Sandbox, "create_setup", raising(silence))
    with pytest.raises(Unavailable):
        start(alice)
    setup = MethodSetup.objects.get()
    reconciliation.check_all(now=setup.created_at + timedelta(minutes=2))
    assert MethodSetup.objects.get().status == "open"
    reconciliation.check_all(now=setup.expires_at)
    assert MethodSetup.objects.get().status == "ended"


def test_a_click_after_a_lost_answer_goes_on_with_the_same_key(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Sandbox.create_setup

    def lose(self: Sandbox, request: Any) -> None:
        made(self, request)
        raise GatewayError("No answer.", permanent=False, code="timeout")

    monkeypatch.setattr(Sandbox, "create_setup", lose)
    with pytest.raises(Unavailable):
        start(alice)
    monkeypatch.setattr(Sandbox, "create_setup", made)
    setup = start(alice)
    assert SandboxSession.objects.get().session_id == setup.gateway_id
    assert MethodSetup.objects.get() == setup


def test_a_refusal_ends_the_row(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sandbox, "create_setup", raising(GatewayError("No.", permanent=True, code="forbidden")))
    with pytest.raises(setups.CannotAdd):
        start(alice)
    assert MethodSetup.objects.get().status == "ended"


def test_a_gateway_that_is_not_offered_or_cannot_is_refused(alice: User, settings: Any) -> None:
    for name in ("manual", "stripe", "none", ""):
        with pytest.raises(setups.CannotAdd):
            setups.start(alice, name, now=timezone.now())
    settings.PAYMENT_GATEWAYS = []
    assert setups.gateways() == []
    assert not MethodSetup.objects.exists()


def test_a_webhook_saves_the_card(alice: User) -> None:
    setup = start(alice)
    choose(setup, "succeeds")
    event = arrived("setup", str(setup.gateway_id))
    process.process(event.pk, now=timezone.now())
    event.refresh_from_db()
    assert (event.status, event.outcome) == ("processed", f"{setup.public_id}: saved.")
    assert PaymentMethod.objects.get().customer == alice


def test_a_webhook_about_a_page_that_we_do_not_know_waits(db: None) -> None:
    event = arrived("setup", "sbx_none")
    process.process(event.pk, now=timezone.now())
    event.refresh_from_db()
    assert event.status == "parked"


def test_a_removed_card_does_not_come_back(alice: User) -> None:
    setup = start(alice)
    choose(setup, "succeeds")
    setup = setups.refresh(setup, now=timezone.now())
    methods.remove(PaymentMethod.objects.get(), now=timezone.now())
    event = arrived("setup", str(setup.gateway_id))
    process.process(event.pk, now=timezone.now())
    assert list(methods.kept(alice)) == []


def test_the_currency_is_that_of_the_oldest_wallet(alice: User) -> None:
    Account.objects.create(kind="wallet", owner=alice, currency="EUR", balance=0)
    Account.objects.create(kind="wallet", owner=alice, currency="RUB", balance=0)
    start(alice)
    assert SandboxSession.objects.get().currency == "EUR"


def test_the_database_keeps_one_open_page(alice: User) -> None:
    setup = start(alice)
    times = {"created_at": setup.created_at, "expires_at": setup.expires_at}
    again = {"customer": alice, "gateway": "sandbox", "language": "en", **times}
    with pytest.raises(IntegrityError, match="one_open_setup_per_customer_and_gateway"), transaction.atomic():
        MethodSetup.objects.create(**again)
    with pytest.raises(IntegrityError, match="only_a_saved_setup_has_a_method"), transaction.atomic():
        MethodSetup.objects.create(**again | {"status": "saved"})
    with pytest.raises(IntegrityError, match="one_setup_per_gateway_object"), transaction.atomic():
        MethodSetup.objects.create(**again | {"status": "ended", "gateway_id": setup.gateway_id})


def raising(error: Exception) -> Any:
    def call(*_args: Any, **_named: Any) -> None:
        raise error

    return call


def arrived(subject: str, gateway_id: str) -> WebhookEvent:
    now = timezone.now()
    return WebhookEvent.objects.create(
        gateway="sandbox", event_id=f"sevt_{gateway_id}_{WebhookEvent.objects.count()}", type=f"{subject}.succeeded",
        subject=subject, gateway_id=gateway_id, payload={}, received_at=now, next_try_at=now,
    )  # fmt: skip
