"""The page that pays for a subscription that waits for money."""

import pytest

from payments import checkout
from payments.models import Payment
from subscriptions import books, catalogue, orders
from subscriptions.models import Subscription
from tests.subscriptions.bank import at
from tests.subscriptions.shop import pay_in
from tests.web import hidden, words


def order(customer, plan="standard", *, now, is_checkout=True, **terms) -> Subscription:
    with books.open(customer, "RUB", now=now) as book:
        return book.subscribe(catalogue.current(plan, "RUB"), is_checkout=is_checkout, **terms)


def address(row: Subscription) -> str:
    return f"/account/subscriptions/{row.public_id}/pay/"


def test_an_order_is_paid_at_the_gateway(browser, alice, now):
    row = order(alice, now=now)
    page = browser.get(address(row))
    assert "Pay for Standard" in words(page)
    assert "Standard ₽690.00 You pay now ₽690.00" in words(page)
    answer = browser.post(address(row), hidden(page) | {"method": "sandbox"})
    payment = Payment.objects.get()
    assert (answer.status_code, answer["location"]) == (303, payment.confirmation_url)
    assert (payment.amount, payment.subscription, payment.opened_subscription) == (690_00, row, False)


def test_the_same_form_or_a_second_tab_continues_the_payment(browser, alice, now):
    row = order(alice, now=now)
    first, second = (hidden(browser.get(address(row))) | {"method": "sandbox"} for _ in range(2))
    links = {browser.post(address(row), form)["location"] for form in (first, first, second)}
    assert links == {Payment.objects.get().confirmation_url}


def test_a_suspended_plan_shows_what_its_amount_is_made_of(clock, browser, alice):
    """Basic costs 299.00, 100.00 are left, and ten servers use 15.00 in an hour."""
    now, then = at(), at(days=-32)
    pay_in(alice, 299_00, at=then)
    row = orders.subscribe(alice, catalogue.current("basic", "RUB"), now=then)
    with books.open(alice, "RUB", now=now):
        pass
    row.refresh_from_db()
    assert row.status == "suspended"
    pay_in(alice, 100_00, at=now)
    for _ in range(10):
        order(alice, "hourly", now=now, is_checkout=False)
    page = words(browser.get(address(row)))
    assert "Basic ₽299.00 Your other services, for one hour ₽15.00 From your balance −₽100.00" in page
    assert "You pay now ₽214.00" in page


def test_what_older_services_take_first_is_named(clock, browser, alice):
    """Basic for 299.00 is suspended; Standard for 690.00 is newer and in its grace: the payment starts Basic first."""
    then = at(days=-32)
    pay_in(alice, 989_00, at=then)
    older, newer = (orders.subscribe(alice, catalogue.current(code, "RUB"), now=then) for code in ("basic", "standard"))
    page = browser.get(address(newer))
    assert "Standard ₽690.00 Your older services, paid first ₽299.00 You pay now ₽989.00" in words(page)
    assert "Более ранние услуги, оплачиваются первыми 299,00" in words(browser.get(f"/ru{address(newer)}"))
    assert "Basic ₽299.00 You pay now ₽299.00" in words(browser.get(address(older)))


def test_the_debt_is_named(browser, alice, now):
    row = order(alice, now=now)
    with books.open(alice, "RUB", now=now) as book:
        book.lose_dispute(50_00, key="dispute:1")
    assert "Standard ₽690.00 You owe us ₽50.00 You pay now ₽740.00" in words(browser.get(address(row)))
    assert "Ваш долг 50,00\xa0₽" in words(browser.get(f"/ru{address(row)}"))


def test_an_amount_the_customer_has_not_seen_is_never_charged(browser, alice, now):
    row = order(alice, now=now)
    form = hidden(browser.get(address(row))) | {"method": "sandbox"}
    with books.open(alice, "RUB", now=now) as book:
        book.lose_dispute(50_00, key="dispute:1")
    answer = browser.post(address(row), form)
    assert answer.status_code == 422
    assert "The amount is now ₽740.00. You have not been charged." in words(answer)
    assert not Payment.objects.exists()


def test_a_running_subscription_has_nothing_to_pay(browser, alice, now):
    pay_in(alice, 690_00, at=now)
    row = order(alice, now=now, is_checkout=False)
    answer = browser.get(address(row))
    assert (answer.status_code, answer["location"]) == (303, f"/account/subscriptions/{row.public_id}/")
    assert "There is nothing to pay for it now." in words(browser.get(answer["location"]))


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_customers_subscription_is_not_found(client, alice, mallory, on_sale, now, method):
    row = order(alice, now=now)
    client.force_login(mallory)
    assert getattr(client, method)(address(row)).status_code == 404


def test_a_failed_payment_of_an_order_leads_back_here(browser, alice, now):
    row = order(alice, now=now)
    payment = checkout.start(alice, now=now, subscription=row)
    Payment.objects.update(status="failed", failure_code="expired_card")
    assert f'href="{address(row)}">Pay another way' in browser.get(f"/pay/{payment.public_id}/").content.decode()
