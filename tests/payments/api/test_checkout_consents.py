"""`renewal_words`: the consent to renewals that comes with a payment made through the API."""

from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override
from rest_framework.test import APIClient

from accounts.models import User
from payments import confirmation
from payments.collection import checkout_consents
from payments.gateways.sandbox import outcomes, sessions
from payments.models import CheckoutConsent, Consent, Payment, PaymentMethod
from subscriptions.models import Price
from tests.payments.api.calls import CHECKOUT, LIST, TOP_UP, problem

pytestmark = pytest.mark.django_db

REQUESTS = [(CHECKOUT, {"plan": "basic"}), *((url, {"value": "500", "currency": "RUB"}) for url in (LIST, TOP_UP))]


def paid(payment: Payment) -> Payment:
    """Have the customer pay on the sandbox's page."""
    now, chosen = timezone.now(), outcomes.ON_THE_PAGE["succeeds"]
    sessions.choose(str(payment.gateway_id), chosen, expected=sessions.Status.OPEN, now=now)
    return confirmation.confirm(payment.pk, now=now)


@pytest.mark.parametrize(("url", "body"), REQUESTS)
def test_the_consent_is_in_force_once_the_payment_is_paid(
    api: APIClient, alice: User, basic: Price, url: str, body: dict[str, Any]
) -> None:
    asked = api.post(url, body | {"renewal_words": ""})
    assert problem(asked) == (400, "consent_words_required", ["renewal_words"])
    assert not Payment.objects.exists()
    answer = api.post(url, body | {"renewal_words": asked.json()["words"]})
    assert (answer.status_code, answer.json()["save_method"]) == (201, True)
    assert not Consent.objects.exists()
    assert paid(Payment.objects.get()).status == "confirmed"
    consent = Consent.objects.get()
    assert (consent.customer, consent.purpose, consent.address) == (alice, "renewals", "127.0.0.1")
    assert (consent.words, consent.language) == (checkout_consents.words(), "en")
    assert consent.method == PaymentMethod.objects.get()


def test_the_words_are_in_the_callers_language(api: APIClient, basic: Price) -> None:
    answer = api.post(CHECKOUT, {"plan": "basic", "renewal_words": "да"}, headers={"accept-language": "ru"})
    with override("ru"):
        assert answer.json()["words"] == checkout_consents.words()
    assert not Payment.objects.exists()


def test_a_payment_that_says_nothing_brings_no_consent(api: APIClient, basic: Price) -> None:
    assert api.post(CHECKOUT, {"plan": "basic", "save_method": True}).status_code == 201
    paid(Payment.objects.get())
    assert not CheckoutConsent.objects.exists()
    assert not Consent.objects.exists()


def test_the_method_must_be_saved(api: APIClient, basic: Price) -> None:
    sent = {"plan": "basic", "renewal_words": checkout_consents.words(), "save_method": False}
    assert problem(api.post(CHECKOUT, sent)) == (400, "validation_failed", ["save_method"])
    assert not Payment.objects.exists()


def test_a_gateway_that_cannot_charge_is_refused(api: APIClient, basic: Price, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["manual", "sandbox"]
    settings.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    sent = {"plan": "basic", "renewal_words": checkout_consents.words()}
    assert problem(api.post(CHECKOUT, sent)) == (400, "gateway_cannot_charge", ["gateway"])
    assert not Payment.objects.exists()
    # An open payment through it is neither taken for the same nor closed.
    assert api.post(CHECKOUT, {"plan": "basic"}).status_code == 201
    assert problem(api.post(CHECKOUT, sent)) == (400, "gateway_cannot_charge", ["gateway"])
    assert Payment.objects.get().status == "pending"
    assert api.post(CHECKOUT, sent | {"gateway": "sandbox"}).status_code == 201


def test_the_same_key_makes_one_payment_and_one_consent(api: APIClient, basic: Price) -> None:
    sent = {"plan": "basic", "renewal_words": checkout_consents.words()}
    answers = [api.post(CHECKOUT, sent, headers={"idempotency-key": "renew-1"}) for _turn in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert CheckoutConsent.objects.count() == 1
