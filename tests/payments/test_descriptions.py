"""What a payment was for is said in the language of who reads it, in whatever language it was bought."""

import pytest
from django.utils.translation import override

from payments import checkout, confirmation, descriptions
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from payments.models import Payment
from tests.web import browser, now, on_sale, words

__all__ = ["browser", "now", "on_sale"]

CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюя"


@pytest.mark.parametrize("bought", [{"amount": 500_00}, {"plan": "standard"}])
def test_a_purchase_in_russian_reads_in_english_and_back(browser, alice, now, bought):
    with override("ru"):
        payment = checkout.start(alice, now=now, currency="RUB", gateway="sandbox", **bought)
    assert payment.gateway_id is not None
    choice = ON_THE_PAGE["succeeds"]
    sessions.choose(payment.gateway_id, choice, expected=SandboxSession.Status.OPEN, now=now)
    confirmation.confirm(payment.pk, now=now)
    payment = Payment.objects.get()
    for address in (
        "/account/",
        "/account/transactions/",
        f"/pay/{payment.public_id}/",
        f"/pay/{payment.public_id}/receipt/",
    ):
        page = words(browser.get(address))
        assert not set(page.lower()) & set(CYRILLIC), address
        assert "Top-up" not in words(browser.get("/ru" + address)), address
    with override("ru"):
        assert descriptions.name_of(payment) == ("Стандартный" if "plan" in bought else "Пополнение")


def test_what_the_customer_typed_stays_as_it_is(browser, alice, now):
    payment = checkout.start(alice, now=now, currency="RUB", gateway="sandbox", amount=500_00, description="За офис")
    assert descriptions.name_of(payment) == "За офис"
