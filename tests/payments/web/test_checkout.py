import pytest
from django.test import Client

from ledger.models import Transaction
from payments import sessions
from payments.checkout_request import find_payment
from payments.models import Payment
from payments.web import checkout
from subscriptions import books, catalogue
from subscriptions.models import Price, Subscription
from tests.subscriptions.shop import pay_in, wallet
from tests.web import heading, hidden, words

STANDARD = "/checkout/standard/?currency=RUB"


def test_an_anonymous_visitor_logs_in_and_returns(client: Client, on_sale):
    answer = client.get(STANDARD)
    assert answer.status_code == 302
    assert answer["location"] == "/login/?next=/checkout/standard/%3Fcurrency%3DRUB"


def test_the_page_shows_the_amount_due_and_the_next_payment(browser):
    # 690.00 x 3 months x 2
    page = words(browser.get(STANDARD + "&periods=3&quantity=2"))
    assert "2 × Standard, 3 months" in page
    assert "You pay now ₽4,140.00" in page
    assert "Pay ₽4,140.00 and subscribe" in page
    assert "every 3 months until you cancel. Next charge:" in page


def test_metered_use_is_paid_in_advance_and_shows_its_rate(browser):
    # 1.50 x 168 hours
    page = words(browser.get("/checkout/hourly/?currency=RUB&periods=168"))
    assert "Pay ₽252.00 and subscribe" in page
    assert "to pay ₽1.50 an hour from your balance, by the second, while it runs" in page


def test_metered_use_from_the_balance_has_nothing_of_a_payment_beside_it(browser, alice, now):
    """The lines of the other way to pay are there for those who choose it, and the style sheet hides them till then."""
    pay_in(alice, 100_00, at=now)
    page = browser.get("/checkout/hourly/?currency=RUB&periods=24").content.decode()
    assert '<dt class="if-balance">Pay as you go</dt>' in page
    assert '<dt class="if-paid">Pay as you go, 24 hours</dt>' in page
    assert '<nav class="picks if-paid"' in page


def test_the_order_and_its_consent_say_each_thing_once(browser):
    page = words(browser.get(STANDARD))
    assert page.count("until you cancel") == 1
    assert page.count("Next charge") == 1


def test_the_limit_of_a_trial_is_said_when_it_matters(browser):
    limit = "The free trial is for a quantity of up to 10."
    assert limit not in words(browser.get("/checkout/premium/?currency=RUB&quantity=10"))
    assert limit in words(browser.get("/checkout/premium/?currency=RUB&quantity=11"))


@pytest.mark.parametrize("query", ["periods=5", "periods=-1", "periods=x", "quantity=0", "quantity=x", "quantity=9999"])
def test_invalid_query_parameters_fall_back_to_offered_values(browser, query):
    assert browser.get(f"{STANDARD}&{query}").status_code == 200


def test_paying_redirects_to_the_gateways_page_for_the_right_amount(browser, alice):
    form = hidden(browser.get(STANDARD))
    answer = browser.post(STANDARD, {**form, "method": "sandbox", "auto_renew": "on"})
    payment = Payment.objects.get(customer=alice)
    assert payment.plan
    assert payment.subscription
    assert (answer.status_code, answer["location"]) == (303, payment.confirmation_url)
    assert (payment.amount, payment.currency, payment.plan.code) == (690_00, "RUB", "standard")
    assert payment.subscription.auto_renew is True


def test_the_same_form_sent_twice_makes_one_payment(browser, alice):
    form = hidden(browser.get(STANDARD)) | {"method": "sandbox"}
    first, second = browser.post(STANDARD, form), browser.post(STANDARD, form)
    assert first["location"] == second["location"]
    assert Payment.objects.filter(customer=alice).count() == 1
    assert Subscription.objects.filter(customer=alice).count() == 1


@pytest.mark.parametrize("way", ["sandbox", "balance"])
def test_a_sent_form_changed_and_sent_again_is_refused(browser, alice, way):
    """The back button shows the sent form with its key. Other choices in it would be another order."""
    pay_in(alice, 5000_00)
    sent = hidden(browser.get(STANDARD)) | {"method": way, "auto_renew": "on"}
    first = browser.post(STANDARD, sent)
    for other in ({"quantity": "3"}, {"auto_renew": ""}):
        answer = browser.post(STANDARD, sent | other)
        assert answer.status_code == 422
        assert "You already sent this form with other choices, and that order is in your account" in words(answer)
        assert "The amount has changed" not in words(answer)
    assert browser.post(STANDARD, sent)["location"] == first["location"]
    assert Subscription.objects.filter(customer=alice).count() == 1
    # The form shown now has a new key and buys what it shows: 690.00 x 3.
    answer = browser.post(STANDARD, sent | {"quantity": "3"})
    again = hidden(answer) | {"method": "sandbox", "quantity": "3", "auto_renew": "on"}
    assert browser.post(STANDARD, again).status_code == 303
    assert Payment.objects.latest("id").amount == 2070_00


def test_an_amount_the_customer_has_not_seen_is_never_charged(browser, alice, now):
    form = hidden(browser.get(STANDARD)) | {"method": "sandbox"}
    catalogue.new_version(Price.objects.get(plan__code="standard", currency="RUB"), now=now, amount=790_00)
    answer = browser.post(STANDARD, form)
    assert answer.status_code == 422
    assert "The amount is now ₽790.00. You have not been charged." in words(answer)
    assert hidden(answer)["shown"] == "79000"
    assert not Payment.objects.exists()


def test_the_amount_for_a_new_quantity_is_shown_before_it_is_paid(browser, alice):
    """The balance covers one (690.00) but not three (2070.00). The error about the method is not shown as well."""
    pay_in(alice, 1000_00)
    sent = hidden(browser.get(STANDARD)) | {"method": "balance", "quantity": "3"}
    answer = browser.post(STANDARD, sent)
    assert answer.status_code == 422
    assert "The amount is now ₽2,070.00. You have not been charged." in words(answer)
    assert "Choose how you want to pay" not in words(answer)
    assert "Pay ₽2,070.00 and subscribe" in words(answer)
    assert not Subscription.objects.exists()
    assert browser.post(STANDARD, hidden(answer) | {"method": "sandbox", "quantity": "3"}).status_code == 303
    assert Payment.objects.get(customer=alice).amount == 2070_00


def test_a_new_quantity_of_a_trial_shows_its_later_price(browser):
    address = "/checkout/premium/?currency=EUR"
    answer = browser.post(address, hidden(browser.get(address)) | {"quantity": "2"})
    assert answer.status_code == 422
    assert "The amount is now €31.80. You have not been charged." in words(answer)
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("button", [{}, {"show": "sum"}])
@pytest.mark.parametrize("typed", ["", "0", "101", "9999", "x", "2.5"])
def test_an_invalid_quantity_buys_nothing_with_either_button(browser, button, typed):
    answer = browser.post(STANDARD, hidden(browser.get(STANDARD)) | {"method": "sandbox", "quantity": typed} | button)
    assert answer.status_code == 422
    assert words(answer).count("Enter a whole number from 1 to 100. You have not been charged.") == 2
    assert not Payment.objects.exists()


def test_updating_the_quantity_redirects_to_its_own_url(browser):
    answer = browser.post(STANDARD + "&periods=3", {"quantity": "2", "show": "sum"})
    assert (answer.status_code, answer["location"]) == (303, "?currency=RUB&quantity=2&periods=3")


def test_a_missing_payment_method_is_an_error(browser):
    form = hidden(browser.get(STANDARD))
    answer = browser.post(STANDARD, form)
    assert answer.status_code == 422
    assert '<a href="#id_method">Choose how you want to pay</a>' in answer.content.decode()
    assert b"<title>Error:" in answer.content


def test_a_sufficient_balance_pays_at_once_without_a_gateway(browser, alice):
    pay_in(alice, 1000_00)
    page = browser.get(STANDARD)
    assert "Account balance ₽1,000.00" in words(page)
    form = hidden(page) | {"method": "balance", "auto_renew": "on"}
    first, second = browser.post(STANDARD, form), browser.post(STANDARD, form)
    bought = Subscription.objects.get(customer=alice)
    assert (first.status_code, first["location"]) == (303, f"/account/subscriptions/{bought.public_id}/")
    assert second["location"] == first["location"]
    assert bought.status == "active"
    # 1000.00 - 690.00, once
    assert wallet(alice, "RUB").balance == 310_00
    assert not Payment.objects.exists()
    page = words(browser.get(second["location"]))
    said = "Standard has started. ₽690.00 is paid from your balance. Your balance is now ₽310.00. "
    assert page.count(said) == 1
    assert "What happens next Renews on" in page


def test_a_trial_says_until_when_it_is_free(browser, alice):
    page = browser.get("/checkout/premium/?currency=RUB")
    after = words(browser.post("/checkout/premium/?currency=RUB", hidden(page) | {"auto_renew": "on"}, follow=True))
    assert "Premium has started. " in after
    assert "What happens next Free until" in after
    assert "then ₽1,490.00 a month." in after


def test_an_insufficient_balance_is_neither_offered_nor_accepted(browser, alice):
    pay_in(alice, 689_99)
    page = browser.get(STANDARD)
    assert "Account balance" not in words(page)
    assert browser.post(STANDARD, hidden(page) | {"method": "balance"}).status_code == 422
    assert not Subscription.objects.exists()


def test_a_balance_spent_in_another_tab_is_refused(browser, alice, now):
    """The second of two tabs finds the wallet empty and creates nothing."""
    pay_in(alice, 700_00)
    form = hidden(browser.get(STANDARD)) | {"method": "balance"}
    other = hidden(browser.get(STANDARD)) | {"method": "balance"}
    assert browser.post(STANDARD, form).status_code == 303
    assert browser.post(STANDARD, other).status_code == 422
    assert Subscription.objects.count() == 1
    assert Transaction.objects.filter(reason="charge").count() == 1


def test_a_trial_starts_without_a_payment_once(browser, alice):
    address = "/checkout/premium/?currency=EUR"
    page = browser.get(address)
    assert "You pay now €0.00" in words(page)
    assert "Start free trial" in words(page)
    assert browser.post(address, hidden(page) | {"auto_renew": "on"}).status_code == 303
    assert Subscription.objects.get(customer=alice).status == "trialing"
    again = words(browser.get(address))
    assert "Pay €15.90 and subscribe" in again


def test_an_unknown_plan_is_not_found(browser):
    assert browser.get("/checkout/nothing/").status_code == 404


def test_a_refusal_by_the_gateway_shows_the_failed_payment(browser, alice, unsteady):
    unsteady.refuse = True
    answer = browser.post(STANDARD, hidden(browser.get(STANDARD)) | {"method": "sandbox"})
    payment = Payment.objects.get(customer=alice)
    assert (answer.status_code, answer["location"]) == (303, f"/pay/{payment.public_id}/")
    assert payment.status == "failed"


def test_the_page_of_an_unanswered_payment_can_be_opened_again(browser, alice, unsteady):
    unsteady.break_before = 1
    answer = browser.post(STANDARD, hidden(browser.get(STANDARD)) | {"method": "sandbox"})
    payment = Payment.objects.get(customer=alice)
    page = browser.get(answer["location"])
    assert heading(page) == "The payment page did not open"
    answer = browser.post(f"/pay/{payment.public_id}/open/")
    payment.refresh_from_db()
    assert (answer.status_code, answer["location"]) == (303, payment.confirmation_url)
    assert Payment.objects.count() == 1


def test_a_debt_is_paid_with_the_order(browser, alice, now):
    with books.open(alice, "RUB", now=now) as book:
        book.lose_dispute(50_00, key="dispute:1")
    page = browser.get(STANDARD)
    assert "Standard, 1 month ₽690.00 You owe us ₽50.00 You pay now ₽740.00" in words(page)
    assert "Pay ₽740.00 and subscribe" in words(page)
    assert "You agree to pay ₽740.00 now, then ₽690.00" in words(page)
    assert "Of this, ₽50.00 pays what you owe us." in words(page)
    form = hidden(page) | {"method": "sandbox"}
    first = browser.post(STANDARD, form)
    assert Payment.objects.get().amount == 740_00
    # The debt is paid in another tab. The same form still leads to its payment.
    pay_in(alice, 50_00, at=now)
    assert browser.post(STANDARD, form)["location"] == first["location"]
    assert "Из них 50,00" not in words(browser.get("/ru" + STANDARD))


def test_a_debt_gives_no_trial(browser, alice, now):
    assert "Start free trial" in words(browser.get("/checkout/premium/?currency=EUR"))
    with books.open(alice, "EUR", now=now) as book:
        book.lose_dispute(5_00, key="dispute:1")
    page = words(browser.get("/checkout/premium/?currency=EUR"))
    assert "Start free trial" not in page
    assert "You pay now €20.90" in page


def test_a_payment_is_raised_to_what_gateways_take(browser, alice):
    """24 hours at 1.50 are 36.00, and the smallest payment is 100.00."""
    address = "/checkout/hourly/?currency=RUB&periods=24"
    page = browser.get(address)
    assert "Stays on your balance ₽64.00 You pay now ₽100.00" in words(page)
    assert "Payments cannot be smaller: ₽64.00 stays on your balance." in words(page)
    browser.post(address, hidden(page) | {"method": "sandbox", "auto_renew": "on"})
    assert Payment.objects.get().amount == 100_00


def test_long_periods_are_named_in_days(browser):
    page = words(browser.get("/checkout/hourly/?currency=RUB&periods=168"))
    assert "24 hours" in page
    assert "Pay as you go, 7 days" in page
    assert "30 days" in page
    assert "168" not in page
    assert "30 дней" in words(browser.get("/ru/checkout/hourly/?currency=RUB&periods=720"))


def test_the_quantity_is_asked_by_the_name_of_the_plan(browser):
    assert "Quantity of Standard" in words(browser.get(STANDARD))
    assert "Количество: «Стандартный»" in words(browser.get("/ru" + STANDARD))


def test_the_second_of_two_clicks_between_whose_looks_the_first_has_ordered(browser, monkeypatch):
    """It finds no payment, then the order that the first click has made with its payment meanwhile."""
    path = "/checkout/standard/?currency=RUB"
    form = hidden(browser.get(path)) | {"method": "sandbox"}
    clicked: list[str] = []

    def look(customer, request):
        found = find_payment(customer, request)
        if not clicked:
            clicked.append("")
            clicked[0] = browser.post(path, form)["Location"]
        return found

    monkeypatch.setattr(checkout, "find_payment", look)
    second = browser.post(path, form)
    assert (second.status_code, second["Location"]) == (303, clicked[0])
    assert Payment.objects.count() == Subscription.objects.count() == 1


def test_the_second_of_two_clicks_opens_the_page_that_the_first_has_not_opened_yet(browser, monkeypatch):
    path = "/checkout/standard/?currency=RUB"
    form = hidden(browser.get(path)) | {"method": "sandbox"}

    def die(payment, *, now):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sessions, "open_page", die)
        with pytest.raises(KeyboardInterrupt):
            browser.post(path, form)
    second = browser.post(path, form)
    payment = Payment.objects.get()
    assert payment.confirmation_url
    assert (second.status_code, second["Location"]) == (303, payment.confirmation_url)
