"""The page of a payment follows the gateway and ignores what the browser sends."""

import pytest

from payments import checkout, confirmation, mismatches, refunds
from payments.models import Payment, Refund
from tests.payments import faulty_gateway
from tests.subscriptions.bank import at
from tests.subscriptions.shop import pay_in, wallet
from tests.web import bought, heading, words


@pytest.fixture
def payment(alice, on_sale, now) -> Payment:
    """A payment of 690.00 roubles for Standard, open at the sandbox."""
    return checkout.start(alice, now=now, plan="standard", currency="RUB", gateway="sandbox")


def address(payment) -> str:
    return f"/pay/{payment.public_id}/"


def choose(client, payment, outcome) -> None:
    client.post(f"/sandbox/pay/{payment.gateway_id}/", {"outcome": outcome})


def test_query_parameters_do_not_confirm_a_payment(browser, payment, alice):
    page = browser.get(address(payment) + "?status=succeeded&paid=1")
    assert heading(page) == "Continue to payment"
    assert wallet(alice, "RUB").balance == 0


def test_the_page_checks_the_gateway_if_no_webhook_came(browser, client, payment, alice):
    choose(client, payment, "webhook_lost")
    page = browser.get(address(payment))
    assert heading(page) == "Payment received"
    assert "Standard is active." in words(page)
    assert Payment.objects.get().status == "confirmed"


def test_polling_does_not_check_the_gateway(browser, client, payment):
    choose(client, payment, "webhook_lost")
    assert heading(browser.get(address(payment) + "status/")) == "Continue to payment"


def test_cancelling_also_cancels_at_the_gateway(browser, client, payment):
    answer = browser.post(address(payment) + "cancel/")
    assert (answer.status_code, answer["location"]) == (303, address(payment))
    assert heading(browser.get(address(payment))) == "The payment was cancelled"
    choose(client, payment, "succeeds")
    assert heading(browser.get(address(payment))) == "The payment was cancelled"


def test_a_cancel_that_is_too_late_shows_the_payment_as_received(browser, client, payment):
    choose(client, payment, "webhook_lost")
    page = browser.post(address(payment) + "cancel/", follow=True)
    assert heading(page) == "Payment received"
    assert "It is too late to cancel this payment" in words(page)


def test_a_wrong_amount_is_not_credited(browser, client, payment, alice):
    choose(client, payment, "wrong_amount")
    assert heading(browser.get(address(payment))) == "We are checking this payment"
    assert wallet(alice, "RUB").balance == 0


def test_payment_pages_are_not_cached(browser, payment):
    assert "no-store" in browser.get(address(payment))["Cache-Control"]


def test_a_refund_says_where_the_money_went(browser, payment, now):
    choose(browser, payment, "succeeds")
    paid = confirmation.confirm(payment.pk, now=now)
    assert refunds.issue(paid, amount=100_00, now=now, destination=Refund.Destination.WALLET).status == "succeeded"
    page = words(browser.get(address(payment)))
    assert "We have refunded ₽100.00 to your balance." in page
    assert "to the card or account" not in page


def test_a_payment_given_up_says_that_its_page_closes_by_itself(browser, alice, settings, now):
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"unclosing": faulty_gateway.UNCLOSING}
    settings.PAYMENT_GATEWAYS = ["unclosing"]
    payment = checkout.start(alice, now=now, amount=1000_00, currency="RUB")
    page = browser.post(address(payment) + "cancel/", follow=True)
    assert heading(page) == "You do not need this payment any more"
    assert "The page of the payment service closes by itself on" in words(page)
    assert "too late" not in page.content.decode()


def test_the_page_of_a_paid_order_says_how_it_was_paid_and_what_is_left(clock, browser, client, alice):
    """690.00 for Standard at noon of 1 March. The balance of 100.00 lacks 590.00 for the renewal on 1 April."""
    pay_in(alice, 100_00)
    payment = checkout.start(alice, now=at(), plan="standard", currency="RUB", gateway="sandbox")
    choose(client, payment, "webhook_lost")
    page = words(browser.get(address(payment)))
    assert "Paid with Test payment page" in page
    assert "Active until 1 April 2026" in page
    assert "Balance now ₽100.00" in page
    assert "Renews on 1 April 2026 for ₽690.00 from your balance." in page
    assert "You need ₽590.00 more on your balance for that renewal." in page
    pay_in(alice, 590_00)
    assert "for that renewal" not in words(browser.get(address(payment)))


def test_the_page_of_a_paid_order_says_what_is_missing_after_an_earlier_renewal(clock, browser, client, alice):
    """700.00 would pay for Standard on 2 April, but Basic takes 299.00 of it on 1 April: 289.00 are missing."""
    bought(alice, "basic", paid_in=299_00)
    clock.move_to(at(days=1))
    browser.force_login(alice)
    pay_in(alice, 700_00, at=at(days=1))
    payment = checkout.start(alice, now=at(days=1), plan="standard", currency="RUB", gateway="sandbox")
    choose(client, payment, "webhook_lost")
    page = words(browser.get(address(payment)))
    assert "Renews on 2 April 2026 for ₽690.00 from your balance." in page
    assert "You need ₽289.00 more on your balance for that renewal." in page
    pay_in(alice, 289_00, at=at(days=1))
    assert "for that renewal" not in words(browser.get(address(payment)))


def test_the_page_of_a_top_up_says_the_balance_after_it(browser, client, alice, now):
    payment = checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="sandbox")
    choose(client, payment, "webhook_lost")
    page = words(browser.get(address(payment)))
    assert "Balance topped up" in page
    assert "Balance now ₽500.00" in page
    assert "Active until" not in page


def test_what_was_accepted_for_less_does_not_claim_that_the_plan_is_active(browser, client, payment, staff, now):
    """345.00 of 690.00 came. Staff credit it, and the order waits for the rest."""
    choose(client, payment, "wrong_amount")
    parked = confirmation.confirm(payment.pk, now=now)
    mismatches.accept(parked, author=staff, now=now)
    page = words(browser.get(address(payment)))
    assert "Plan active" not in page
    assert "The money is on your balance. Not paid yet. It starts when you pay ₽" in page


def test_what_was_sent_back_is_said_to_have_been_taken(browser, client, payment, staff, now):
    choose(client, payment, "wrong_amount")
    parked = confirmation.confirm(payment.pk, now=now)
    mismatches.send_back(parked, author=staff, now=now)
    page = words(browser.get(address(payment)))
    assert "No money has been taken" not in page
    assert "we have sent ₽345.00 back to the card or account you paid from" in page
