"""Words of gateways are made to fit our columns; addresses are taken whole or not at all."""

import pytest
from django.utils import timezone

from payments import confirmation, refunds, truncation
from payments.gateways.aftermath import RefundSnapshot, RefundState
from payments.gateways.methods import Method
from payments.gateways.sessions import Snapshot, State
from payments.models import Payment, PaymentMethod
from tests.payments.checkouts import start
from tests.payments.rows import balance

PAGE = "https://checkout.stripe.com/c/pay/cs_test_1#"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("", ""), ("card_declined", "card_declined"), ("x" * 61, "x" * 60), ("no\0pe", "nope"), ("a\ud800b", "ab")],
)
def test_a_code_is_cut_to_its_column(sent, kept):
    assert truncation.cut(Payment, "failure_code", sent) == kept


def test_a_column_without_a_limit_cuts_nothing():
    assert truncation.cut(Payment, "confirmation_url", "x" * 9000) == "x" * 9000


@pytest.mark.parametrize("url", [PAGE, PAGE + "f" * 5000, "http://127.0.0.1:8000/sandbox/pay/sbx_1/", ""])
def test_an_address_is_kept_whole(url):
    assert truncation.page_address(url) == url


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//stripe.com/x", "http://[", PAGE + "f" * 8000])
def test_an_address_to_which_no_browser_can_be_sent_is_not_kept(url):
    assert truncation.page_address(url) == ""


# A code in Stripe's list, with 65 characters (docs.stripe.com/error-codes).
CODE = "payment_method_microdeposit_verification_descriptor_code_mismatch"


@pytest.mark.django_db
def test_a_long_code_ends_a_payment_all_the_same(opened):
    ended = Snapshot(gateway_id=opened.gateway_id, state=State.FAILED, failure_code=CODE)
    payment = confirmation.apply(opened.pk, ended, now=timezone.now())
    assert (payment.status, payment.failure_code) == ("failed", CODE[:60])


@pytest.mark.django_db
def test_a_long_code_gives_back_what_the_wallet_has_paid(paid, alice):
    refund = refunds.issue(paid, now=timezone.now(), amount=100_00)
    failed = RefundSnapshot(gateway_id=refund.gateway_id or "", state=RefundState.FAILED, failure_code=CODE)
    refund = refunds.apply(refund.pk, failed, now=timezone.now())
    # 1000.00 were paid in.
    assert (refund.status, refund.failure_code, balance(alice)) == ("failed", CODE[:60], 1000_00)


@pytest.mark.django_db
def test_a_long_reason_parks_a_payment_all_the_same(opened):
    taken = Snapshot(gateway_id=opened.gateway_id, state=State.SUCCEEDED, amount=1, currency="X" * 300)
    payment = confirmation.apply(opened.pk, taken, now=timezone.now())
    taken_too = f"1 minor units of {'X' * 300}"[:100]
    assert payment.parked_reason == f"sandbox took {taken_too}, we requested 1000.00 RUB"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"brand": "b" * 41}, {"brand": "b" * 40}),
        ({"last4": "12345"}, {"last4": "2345"}),
        ({"brand": "Vi\0sa"}, {"brand": "Visa"}),
        # Half an id names something else.
        ({"owner": "o" * 121}, {"gateway_owner": ""}),
        ({"owner": "o" * 120}, {"gateway_owner": "o" * 120}),
    ],
)
def test_long_words_about_a_method_stop_no_credit(alice, said, kept):
    assert pay_with(alice, Method(gateway_id="m1", **({"brand": "Visa", "last4": "4242"} | said))) == 1000_00
    method = PaymentMethod.objects.get()
    assert {name: getattr(method, name) for name in kept} == kept


@pytest.mark.django_db
@pytest.mark.parametrize("gateway_id", ["", "m" * 121, "m\0"])
def test_a_method_whose_id_cannot_be_stored_is_not_kept_and_stops_no_credit(alice, gateway_id):
    assert pay_with(alice, Method(gateway_id=gateway_id, brand="Visa", last4="4242")) == 1000_00
    assert not PaymentMethod.objects.exists()


def pay_with(customer, method):
    """Pay in 1000.00 roubles with a method that the gateway keeps, and return the balance."""
    payment = start(customer, amount=1000_00, currency="RUB", save_method=True)
    taken = Snapshot(
        gateway_id=payment.gateway_id or "", state=State.SUCCEEDED, amount=1000_00, currency="RUB", method=method
    )
    confirmation.apply(payment.pk, taken, now=timezone.now())
    return balance(customer)
