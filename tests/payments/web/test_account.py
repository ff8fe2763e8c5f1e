from datetime import timedelta

from django.test import Client

from payments import cancellation, checkout
from payments.models import Payment
from subscriptions import catalogue, orders
from tests.subscriptions.shop import pay_in
from tests.web import words


def test_a_new_customer_is_shown_the_plans(browser):
    page = words(browser.get("/account/"))
    assert "You have not paid anything in yet." in page
    assert "You have no plan yet" in page


def test_the_page_says_what_there_is_what_it_costs_and_what_comes_next(browser, alice, now):
    # 1000.00 - 690.00 for Standard
    pay_in(alice, 1000_00, at=now)
    orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now)
    page = words(browser.get("/account/"))
    assert "RUB\u00a0310.00" in page
    assert "Standard ✓ Active" in page
    assert "RUB\u00a0690.00, from your balance." in page
    assert "Charge Standard," in page


def test_use_not_yet_written_down_is_taken_off_what_is_available(browser, alice, now):
    """60 minutes at 1.50 an hour are used and in no row: 10.00 - 1.50 are left, and last 5 h 40 min from now."""
    then = now - timedelta(hours=1)
    pay_in(alice, 10_00, at=then)
    orders.subscribe(alice, catalogue.current("hourly", "RUB"), now=then)
    page = words(browser.get("/account/"))
    assert "RUB\u00a08.50" in page or "RUB\u00a08.49" in page
    assert "available On your balance RUB\u00a010.00 Used, not yet charged −RUB\u00a01.5" in page


def test_a_wallet_that_ran_dry_is_shown_so_though_no_worker_has_seen_it(browser, alice, now):
    then = now - timedelta(hours=8)
    pay_in(alice, 10_00, at=then)
    orders.subscribe(alice, catalogue.current("hourly", "RUB"), now=then)
    page = words(browser.get("/account/"))
    assert "Pay as you go needs money" in page
    assert "Suspended" in page
    assert "RUB\u00a00.00" in page


def test_a_renewal_that_found_no_money_says_how_much_and_until_when(browser, alice, now):
    """Standard, 690.00, 3 days of grace: paid 32 days ago, due at the latest yesterday; 100.00 are there."""
    then = now - timedelta(days=32)
    pay_in(alice, 790_00, at=then)
    orders.subscribe(alice, catalogue.current("standard", "RUB"), now=then)
    page = browser.get("/account/")
    assert "Payment overdue" in words(page)
    assert "top up RUB\u00a0590.00 to keep it" in words(page)
    assert "/topup/?currency=RUB&amp;need=590.00" in page.content.decode()


def test_a_payment_that_was_begun_can_be_finished_and_is_not_asked_for_twice(browser, alice, now):
    payment = checkout.start(alice, now=now, plan="standard", currency="RUB", gateway="sandbox")
    page = browser.get("/account/")
    assert "You have begun to pay RUB\u00a0690.00 (Standard)." in words(page)
    assert f"/pay/{payment.public_id}/" in page.content.decode()
    assert "needs money" not in words(page)


def test_a_payment_on_its_way_is_told_of_and_not_in_the_balance(browser, alice, now):
    payment = checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="sandbox")
    Payment.objects.update(gateway_state="processing")
    page = browser.get("/account/")
    assert "RUB\u00a0500.00 (Top-up) is on its way. It is not in your balance yet." in words(page)
    assert f"/pay/{payment.public_id}/" in page.content.decode()


def test_each_currency_has_its_own_balance_and_nothing_is_added_up(browser, alice, now):
    pay_in(alice, 500_00, "RUB", at=now)
    pay_in(alice, 12_00, "EUR", at=now)
    page = words(browser.get("/account/"))
    assert "Balance, EUR €12.00" in page
    assert "Balance, RUB RUB\u00a0500.00" in page


def test_what_is_another_customers_does_not_appear(alice, mallory, on_sale, now):
    pay_in(alice, 1000_00, at=now)
    orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now)
    client = Client()
    client.force_login(mallory)
    assert "Standard" not in words(client.get("/account/"))


def test_signed_in_pages_are_kept_by_no_cache_and_strangers_sent_to_log_in(browser, client):
    for address in ("/account/", "/account/transactions/", "/account/settings/", "/topup/", "/checkout/basic/"):
        assert "no-store" in browser.get(address)["Cache-Control"], address
        answer = client.get(address)
        assert (answer.status_code, answer["location"].split("?")[0]) == (302, "/login/"), address


def test_the_page_takes_few_queries_however_much_there_is(browser, alice, now, django_assert_max_num_queries):
    pay_in(alice, 10_000_00, at=now)
    for _ in range(6):
        orders.subscribe(alice, catalogue.current("basic", "RUB"), now=now)
    with django_assert_max_num_queries(20):
        browser.get("/account/")


def test_an_order_that_was_never_paid_is_not_called_a_plan_that_ended(browser, alice, now):
    payment = checkout.start(alice, now=now, plan="standard", currency="RUB", gateway="sandbox")
    cancellation.cancel(payment, now=now)
    page = words(browser.get("/account/"))
    assert "You have no plan just now" in page
    assert "You have no plan yet" not in page
    assert "Standard: Not paid, so it never started. Closed on" in page
