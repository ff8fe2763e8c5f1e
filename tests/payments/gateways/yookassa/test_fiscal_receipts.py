import json

import pytest

from payments.gateways.errors import GatewayError


@pytest.fixture(autouse=True)
def _receipts(settings):
    settings.YOOKASSA_VAT_CODE, settings.YOOKASSA_TAX_SYSTEM = "4", "2"


ITEM = {
    "description": "Standard, a month",
    "quantity": "1.00",
    "amount": {"value": "1342.00", "currency": "RUB"},
    "vat_code": 4,
    "payment_subject": "service",
    "payment_mode": "full_payment",
}


def test_a_payment_brings_a_receipt_for_the_customer(gateway, fake, wanted):
    request = wanted()
    gateway.create_session(request)
    sent = json.loads(fake.requests[0].body)
    assert sent["receipt"] == {"customer": {"email": "alice@example.com"}, "items": [ITEM], "tax_system_code": 2}
    assert sent["metadata"] == {"payment_id": request.idempotency_key, "receipt_email": "alice@example.com"}


def test_the_tax_system_is_left_out_and_the_subject_changed_if_so_set(gateway, fake, wanted, settings):
    settings.YOOKASSA_TAX_SYSTEM = ""
    settings.YOOKASSA_PAYMENT_SUBJECT, settings.YOOKASSA_PAYMENT_MODE = "payment", "full_prepayment"
    gateway.create_session(wanted())
    receipt = json.loads(fake.requests[0].body)["receipt"]
    assert "tax_system_code" not in receipt
    assert (receipt["items"][0]["payment_subject"], receipt["items"][0]["payment_mode"]) == (
        "payment", "full_prepayment",
    )  # fmt: skip


def test_without_an_address_no_page_is_opened(gateway, fake, wanted):
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(wanted(email=""))
    assert (caught.value.permanent, caught.value.code) == (True, "email_missing")
    assert fake.requests == []


def test_a_payment_without_a_description_is_named_after_the_site(gateway, fake, wanted, settings):
    gateway.create_session(wanted(description=""))
    assert json.loads(fake.requests[0].body)["receipt"]["items"][0]["description"] == settings.SITE_NAME


def test_a_refund_brings_the_receipt_of_its_part(gateway, fake, refund_of):
    gateway.refund(refund_of())
    receipt = json.loads(fake.requests[-1].body)["receipt"]
    assert receipt["customer"] == {"email": "alice@example.com"}
    assert receipt["items"] == [ITEM | {"amount": {"value": "342.00", "currency": "RUB"}}]


def test_a_repeated_refund_has_the_same_body(gateway, fake, refund_of):
    request = refund_of()
    assert gateway.refund(request) == gateway.refund(request)
    assert len(fake.shop.refunds) == 1


def test_receipts_are_off_without_a_vat_code(gateway, fake, wanted, settings):
    settings.YOOKASSA_VAT_CODE = settings.YOOKASSA_TAX_SYSTEM = ""
    gateway.create_session(wanted(email=""))
    assert "receipt" not in json.loads(fake.requests[0].body)
