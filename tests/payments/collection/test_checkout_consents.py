"""A consent to renewals that is given at a checkout: in force once the paid payment has saved its method, and once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from payments import cancellation, checkout, confirmation, methods
from payments.collection import checkout_consents, consents
from payments.collection.consents import Agreement, Purpose
from payments.gateways.sandbox import methods as kept_cards
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.models import CheckoutConsent, Consent, Payment, PaymentMethod
from subscriptions.models import Price

pytestmark = pytest.mark.django_db

ADDRESS = "203.0.113.7"


def start(customer: User, *, agrees: bool = True, **terms: Any) -> Payment:
    now = timezone.now()
    request: dict[str, Any] = {"plan": "basic", "gateway": "sandbox", "save_method": True} | terms
    agreement: Agreement | None = consents.agreed("I agree.", address=ADDRESS, now=now) if agrees else None
    return checkout.start(customer, now=now, agreement=agreement, **request)


def choose(payment: Payment, outcome: str = "succeeds") -> None:
    chosen = outcomes.ON_THE_PAGE[outcome]
    assert sessions.choose(str(payment.gateway_id), chosen, expected=sessions.Status.OPEN, now=timezone.now())


def confirm(payment: Payment) -> Payment:
    return confirmation.confirm(payment.pk, now=timezone.now())


@pytest.fixture
def payment(alice: User, basic: Price) -> Payment:
    """An open payment for a plan, with the consent."""
    return start(alice)


def test_it_is_kept_and_not_in_force_before_the_payment_is_paid(payment: Payment, alice: User) -> None:
    kept = CheckoutConsent.objects.get()
    assert (kept.payment, kept.words, kept.language, kept.version, kept.address) == (
        payment, "I agree.", "en", consents.VERSION, ADDRESS,
    )  # fmt: skip
    assert kept.given_at == payment.created_at
    assert not Consent.objects.exists()
    confirm(payment)
    assert not Consent.objects.exists()


def test_it_comes_into_force_with_the_method_that_the_payment_saves(payment: Payment, alice: User) -> None:
    choose(payment)
    confirm(payment)
    consent, method = Consent.objects.get(), PaymentMethod.objects.get()
    assert (consent.method, method.is_default, consent.withdrawn_at) == (method, True, None)
    assert (consent.words, consent.language, consent.address) == ("I agree.", "en", ADDRESS)
    assert consent.given_at == payment.created_at
    assert consents.in_force(alice.pk, Purpose.RENEWALS) == consent
    assert CheckoutConsent.objects.get().consent == consent


def test_it_comes_into_force_once_whatever_is_told_again(payment: Payment) -> None:
    choose(payment)
    confirm(payment)
    consents.withdraw(Consent.objects.get(), now=timezone.now())
    for _ in range(3):
        confirmation.refresh(payment.pk, now=timezone.now())
    assert Consent.objects.get().withdrawn_at is not None


@pytest.mark.parametrize("outcome", ["insufficient_funds", "cancel"])
def test_a_payment_that_is_not_paid_brings_no_consent(payment: Payment, outcome: str) -> None:
    choose(payment, outcome)
    confirm(payment)
    assert not Consent.objects.exists()


def test_a_payment_that_saves_no_method_brings_no_consent(alice: User, basic: Price) -> None:
    payment = start(alice, save_method=False)
    choose(payment)
    confirm(payment)
    assert not CheckoutConsent.objects.exists()
    assert not Consent.objects.exists()


def test_money_that_comes_after_the_order_was_cancelled_brings_no_consent(payment: Payment) -> None:
    cancellation.cancel(payment, now=timezone.now())
    # The bank took the money all the same.
    session = SandboxSession.objects.get(session_id=payment.gateway_id)
    session.status, session.succeeds_at, session.amount_received = "succeeded", timezone.now(), session.amount
    session.save()
    kept_cards.keep(session, "4242")
    payment = confirm(payment)
    assert (payment.status, PaymentMethod.objects.count()) == ("confirmed", 1)
    assert not Consent.objects.exists()
    assert CheckoutConsent.objects.get().dropped_at is not None


def test_what_the_customer_decides_later_counts_more(payment: Payment, alice: User) -> None:
    other = PaymentMethod.objects.create(
        customer=alice, gateway="sandbox", gateway_id="card_2", created_at=timezone.now()
    )
    later = payment.created_at + timedelta(seconds=1)
    chosen = consents.agree_to_renewals(other, address=None, now=later)
    choose(payment)
    confirm(payment)
    assert consents.in_force(alice.pk, Purpose.RENEWALS) == chosen
    assert Consent.objects.count() == 1


def test_who_withdraws_later_has_withdrawn(payment: Payment, alice: User) -> None:
    before = payment.created_at - timedelta(days=1)
    other = PaymentMethod.objects.create(customer=alice, gateway="sandbox", gateway_id="card_2", created_at=before)
    consents.agree_to_renewals(other, address=None, now=before)
    consents.withdraw(Consent.objects.get(), now=payment.created_at + timedelta(seconds=1))
    choose(payment)
    confirm(payment)
    assert consents.in_force(alice.pk, Purpose.RENEWALS) is None


def test_it_takes_the_place_of_an_earlier_consent(payment: Payment, alice: User) -> None:
    before = payment.created_at - timedelta(days=1)
    other = PaymentMethod.objects.create(customer=alice, gateway="sandbox", gateway_id="card_2", created_at=before)
    consents.agree_to_renewals(other, address=None, now=before)
    choose(payment)
    confirm(payment)
    consent = consents.in_force(alice.pk, Purpose.RENEWALS)
    assert consent is not None
    assert consent.method != other
    assert Consent.objects.filter(withdrawn_at=None).count() == 1


def test_a_method_that_was_removed_at_once_is_not_charged(
    payment: Payment, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(payment)
    save = methods.save

    def removed(*args: Any, **named: Any) -> PaymentMethod:
        method = save(*args, **named)
        method.removed_at = named["now"]
        method.save()
        return method

    monkeypatch.setattr(methods, "save", removed)
    confirm(payment)
    assert not Consent.objects.exists()
    assert CheckoutConsent.objects.get().dropped_at is not None


def test_a_method_of_somebody_else_is_never_charged(payment: Payment, mallory: User) -> None:
    other = PaymentMethod.objects.create(
        customer=mallory, gateway="sandbox", gateway_id="card_2", created_at=timezone.now()
    )
    with transaction.atomic():
        assert checkout_consents.come_into_force(payment, other, now=timezone.now()) is None
    assert not Consent.objects.exists()


def test_a_second_start_without_the_consent_takes_a_new_page(alice: User, payment: Payment) -> None:
    assert start(alice) == payment
    second = start(alice, agrees=False)
    payment.refresh_from_db()
    assert (payment.status, second == payment) == ("cancelled", False)
    choose(second)
    confirm(second)
    assert not Consent.objects.exists()
    assert PaymentMethod.objects.count() == 1


def test_the_database_keeps_one_for_each_payment(payment: Payment) -> None:
    again: dict[str, Any] = {"payment": payment, "language": "en", "version": 1, "given_at": payment.created_at}
    with pytest.raises(IntegrityError, match="payment_id"), transaction.atomic():
        CheckoutConsent.objects.create(**again, words="I agree.")
    with pytest.raises(IntegrityError, match="checkout_consent_has_words"), transaction.atomic():
        CheckoutConsent.objects.update(words="")
    choose(payment)
    confirm(payment)
    with pytest.raises(IntegrityError, match="a_dropped_checkout_consent_becomes_none"), transaction.atomic():
        CheckoutConsent.objects.update(dropped_at=payment.created_at)
