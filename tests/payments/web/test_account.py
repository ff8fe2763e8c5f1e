import re
from datetime import timedelta

from django.test import Client

from payments import cancellation, checkout, open_orders
from payments.models import Payment
from subscriptions import books, catalogue, orders
from subscriptions.models import Subscription
from tests.subscriptions.shop import pay_in
from tests.web import words


def test_a_new_customer_is_shown_the_plans(browser):
    page = words(browser.get("/account/"))
    assert "Welcome, alice" in page
    assert "You have no plan yet, and nothing to pay" in page
    assert "1. Choose a plan" in page


def test_the_page_shows_the_balance_the_price_and_the_next_payment(browser, alice, now):
    # 1000.00 - 690.00 for Standard
    pay_in(alice, 1000_00, at=now)
    orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now)
    page = words(browser.get("/account/"))
    assert "₽310.00" in page
    assert "Standard Active" in page
    assert "₽690.00 from your balance." in page
    assert re.search(r"Standard, [^₽]* \d+\xa0\w+ – \d+\xa0\w+ −₽690.00", page)


def test_a_renewal_is_not_promised_from_a_balance_that_is_too_low(browser, alice, now):
    """1000.00 - 690.00 leave 310.00 for a renewal of 690.00; another 380.00 are enough."""
    pay_in(alice, 1000_00, at=now)
    orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now)
    assert "₽690.00 from your balance. Your balance of ₽310.00 is not enough for that." in words(
        browser.get("/account/")
    )
    assert "Сейчас на балансе 310,00\xa0₽, этого не хватит." in words(browser.get("/ru/account/"))
    pay_in(alice, 380_00, at=now)
    assert "is not enough for that" not in words(browser.get("/account/"))


def test_metered_use_not_charged_yet_reduces_the_available_balance(browser, alice, now):
    """60 minutes at 1.50 an hour are used and not posted: 10.00 - 1.50 = 8.50 are left, for another 5 h 40 min."""
    then = now - timedelta(hours=1)
    pay_in(alice, 10_00, at=then)
    orders.subscribe(alice, catalogue.current("hourly", "RUB"), now=then)
    page = words(browser.get("/account/"))
    assert "₽8.50" in page or "₽8.49" in page
    assert "Total balance ₽10.00 Used, not yet charged −₽1.5" in page


def test_an_empty_wallet_is_shown_before_any_worker_has_run(browser, alice, now):
    then = now - timedelta(hours=8)
    pay_in(alice, 10_00, at=then)
    orders.subscribe(alice, catalogue.current("hourly", "RUB"), now=then)
    page = words(browser.get("/account/"))
    assert "Pay as you go is unpaid" in page
    assert "Suspended" in page
    assert "₽0.00" in page


def test_an_unpaid_renewal_shows_the_missing_amount(browser, alice, now):
    """Standard costs 690.00 and has 3 days of grace. It was paid 32 days ago; 100.00 are left."""
    then = now - timedelta(days=32)
    pay_in(alice, 790_00, at=then)
    orders.subscribe(alice, catalogue.current("standard", "RUB"), now=then)
    page = browser.get("/account/")
    assert "Payment overdue" in words(page)
    assert words(page).count("Your balance was too low to renew.") == 1
    assert "Standard Payment overdue ₽690.00 a month" in words(page)
    assert "Top up ₽590.00 to keep it" in words(page)
    assert "Pay ₽590.00" in words(page)
    row = Subscription.objects.get()
    assert f"/account/subscriptions/{row.public_id}/pay/" in page.content.decode()


def test_an_unfinished_payment_can_be_finished_and_is_requested_only_once(browser, alice, now):
    payment = checkout.start(alice, now=now, plan="standard", currency="RUB", gateway="sandbox")
    page = browser.get("/account/")
    assert "Your payment of ₽690.00 (Standard) is not finished." in words(page)
    assert f"/pay/{payment.public_id}/" in page.content.decode()
    assert "needs money" not in words(page)


def test_a_payment_being_processed_is_shown_and_not_in_the_balance(browser, alice, now):
    payment = checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="sandbox")
    Payment.objects.update(gateway_state="processing")
    page = browser.get("/account/")
    assert "Your payment of ₽500.00 (Top-up) is being processed. It has not reached your balance yet." in words(page)
    assert f"/pay/{payment.public_id}/" in page.content.decode()


def test_each_currency_has_its_own_balance(browser, alice, now):
    pay_in(alice, 500_00, "RUB", at=now)
    pay_in(alice, 12_00, "EUR", at=now)
    page = words(browser.get("/account/"))
    assert "Balance, EUR €12.00" in page
    assert "Balance, RUB ₽500.00" in page


def test_another_customers_subscriptions_are_not_shown(alice, mallory, on_sale, now):
    pay_in(alice, 1000_00, at=now)
    orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now)
    client = Client()
    client.force_login(mallory)
    assert "Standard" not in words(client.get("/account/"))


def test_signed_in_pages_are_not_cached_and_need_log_in(browser, client):
    for address in ("/account/", "/account/transactions/", "/account/settings/", "/topup/", "/checkout/basic/"):
        assert "no-store" in browser.get(address)["Cache-Control"], address
        answer = client.get(address)
        assert (answer.status_code, answer["location"].split("?")[0]) == (302, "/login/"), address


def test_the_page_takes_few_queries_however_many_subscriptions_there_are(
    browser, alice, now, django_assert_max_num_queries
):
    pay_in(alice, 10_000_00, at=now)
    for _ in range(6):
        orders.subscribe(alice, catalogue.current("basic", "RUB"), now=now)
    with django_assert_max_num_queries(12):
        browser.get("/account/")


def test_an_order_that_was_never_paid_is_shown_as_not_started(browser, alice, now):
    payment = checkout.start(alice, now=now, plan="standard", currency="RUB", gateway="sandbox")
    cancellation.cancel(payment, now=now)
    page = words(browser.get("/account/"))
    assert "You have no plan at the moment" in page
    assert "You have no plan yet" not in page
    assert "Standard: Not paid, so it never started. Closed on" in page


def test_a_debt_is_shown_for_each_currency(browser, alice, now):
    pay_in(alice, 12_00, "EUR", at=now)
    with books.open(alice, "RUB", now=now) as book:
        book.lose_dispute(149_90, key="dispute:1")
    page = browser.get("/account/")
    assert "You owe us ₽149.90 Your next payment in this currency pays this first. Pay ₽149.90" in words(page)
    assert "/topup/?currency=RUB&amp;need=149.90" in page.content.decode()
    assert "You owe us €" not in words(page)
    assert "Balance, EUR €12.00" in words(page)
    russian = words(browser.get("/ru/account/"))
    assert "Ваш долг: 149,90\xa0₽" in russian


def test_a_payment_that_is_not_wanted_any_more_is_not_to_be_finished(browser, alice, now):
    payment = checkout.start(alice, now=now, plan="standard", currency="RUB", gateway="sandbox")
    pay_in(alice, 690_00, at=now)
    orders.start(Subscription.objects.get(), now=now)
    open_orders.mark_ended(now=now)
    assert "is not finished" not in words(browser.get("/account/"))
    assert "You do not need this payment any more" in words(browser.get(f"/pay/{payment.public_id}/status/"))
