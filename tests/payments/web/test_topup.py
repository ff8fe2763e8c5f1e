import pytest

from payments.models import Payment
from subscriptions import books
from tests.payments.faulty_gateway import DINARS
from tests.subscriptions.bank import at
from tests.subscriptions.shop import pay_in
from tests.web import bought, hidden, words

NBSP = "\u00a0"


def test_the_balance_after_is_shown_before_anything_is_paid(browser, alice):
    pay_in(alice, 120_40, "EUR")
    page = words(browser.get("/topup/?currency=EUR&amount=100"))
    assert "Balance now €120.40 Top-up +€100.00 Balance after €220.40" in page
    assert "Pay €100.00" in page
    assert "From €1.00 to €10,000.00" in page


def test_an_amount_is_accepted_as_people_write_it(browser, alice):
    address = "/topup/?currency=RUB&amount=1%20000,50"
    page = browser.get(address)
    assert "Pay ₽1,000.50" in words(page)
    answer = browser.post("/topup/?currency=RUB&amount=1000.50", hidden(page) | {"method": "sandbox"})
    payment = Payment.objects.get(customer=alice)
    assert (answer.status_code, answer["location"]) == (303, payment.confirmation_url)
    assert (payment.amount, payment.currency, payment.plan) == (1000_50, "RUB", None)


def test_the_same_form_sent_twice_makes_one_payment(browser, alice):
    address = "/topup/?currency=RUB&amount=500"
    form = hidden(browser.get(address)) | {"method": "sandbox"}
    assert browser.post(address, form)["location"] == browser.post(address, form)["location"]
    assert Payment.objects.filter(customer=alice).count() == 1


def test_a_sent_form_sent_again_with_another_amount_is_refused(browser, alice):
    address = "/topup/?currency=RUB&amount=500"
    sent = hidden(browser.get(address)) | {"method": "sandbox"}
    first = browser.post(address, sent)
    answer = browser.post(address, sent | {"amount": "900"})
    assert answer.status_code == 422
    assert "You already sent this form with other choices, and that order is in your account" in words(answer)
    assert browser.post(address, sent)["location"] == first["location"]
    assert Payment.objects.filter(customer=alice).count() == 1
    again = browser.post(address, hidden(answer) | {"method": "sandbox", "amount": "900"})
    assert (again.status_code, Payment.objects.latest("id").amount) == (303, 900_00)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("", "Enter an amount"),
        ("ten", "Enter the amount in digits, for example 1000.50"),
        ("0.99", "The amount must be at least €1.00"),
        ("10000.01", "The amount must be at most €10,000.00"),
        ("10.999", "Enter 10999 for €10,999.00."),
        ("1,000", "Enter 1000 for €1,000.00, or 1.00 for €1.00."),
        ("$25", "The amount is in EUR here. Enter only the number."),
        ("1" * 41, "at most 40 characters"),
    ],
)
def test_an_invalid_amount_is_explained_and_cannot_be_paid(browser, typed, text):
    answer = browser.get(f"/topup/?currency=EUR&amount={typed}")
    assert answer.status_code == 422
    as_typed = browser.get(f"/topup/?currency=EUR&amount={typed}", headers={"X-As-Typed": "yes"})
    assert (as_typed.status_code, words(as_typed)) == (200, words(answer))
    assert words(answer).count(text) == 2  # in the summary and at the field
    assert hidden(answer).keys() & {"form_key", "shown"} == set()
    assert browser.post(f"/topup/?currency=EUR&amount={typed}", {"method": "sandbox"}).status_code == 422
    assert not Payment.objects.exists()


def test_a_needed_amount_is_offered_but_never_below_the_minimum(browser):
    assert "Pay ₽123.45" in words(browser.get("/topup/?currency=RUB&need=123.45"))
    assert "Pay ₽100.00" in words(browser.get("/topup/?currency=RUB&need=3.60"))
    assert browser.get("/topup/?currency=RUB&need=x").status_code == 200


def test_a_newly_typed_amount_is_shown_before_it_is_paid(browser, alice):
    """Only the amount on the button may be charged, and the typed amount is kept."""
    address = "/topup/?currency=EUR&amount=25"
    sent = hidden(browser.get(address)) | {"method": "sandbox", "amount": "77,50"}
    answer = browser.post(address, sent)
    assert answer.status_code == 422
    assert "The amount is now €77.50. You have not been charged." in words(answer)
    assert "Pay €77.50" in words(answer)
    assert not Payment.objects.exists()
    again = hidden(answer) | {"method": "sandbox", "amount": "77,50"}
    assert browser.post(address, again).status_code == 303
    assert Payment.objects.get(customer=alice).amount == 77_50


def test_updating_the_amount_redirects_to_its_own_url(browser):
    answer = browser.post("/topup/?currency=EUR&next=/pricing/", {"amount": "1 000,5", "show": "sum"})
    assert answer.status_code == 303
    assert answer["location"] == "?currency=EUR&amount=1+000%2C5&next=%2Fpricing%2F"
    assert not Payment.objects.exists()
    page = browser.get("/topup/" + answer["location"])
    assert 'value="1 000,5"' in page.content.decode()
    assert "Pay €1,000.50" in words(page)


@pytest.mark.parametrize("typed", ["€25", "25 €", "25 EUR"])
def test_an_amount_may_have_its_currency(browser, alice, typed):
    page = browser.get("/topup/", {"currency": "EUR", "amount": typed})
    assert "Pay €25.00" in words(page)
    assert f'value="{typed}"' in page.content.decode()
    assert (
        browser.post("/topup/?currency=EUR", hidden(page) | {"method": "sandbox", "amount": typed}).status_code == 303
    )
    assert Payment.objects.get(customer=alice).amount == 25_00


@pytest.mark.parametrize("button", [{}, {"show": "sum"}])
@pytest.mark.parametrize(("typed", "text"), [("", "Enter an amount"), ("ten", "Enter the amount in digits")])
def test_an_invalid_amount_pays_nothing_with_either_button(browser, button, typed, text):
    address = "/topup/?currency=EUR&amount=25"
    answer = browser.post(address, hidden(browser.get(address)) | {"method": "sandbox", "amount": typed} | button)
    assert answer.status_code == 422
    assert text in words(answer)
    assert not Payment.objects.exists()


def test_a_top_up_pays_the_debt_first(browser, alice, now):
    with books.open(alice, "RUB", now=now) as book:
        book.lose_dispute(150_00, key="dispute:1")
    page = words(browser.get("/topup/?currency=RUB&amount=500"))
    assert "Pays what you owe us −₽150.00 Balance after ₽350.00" in page
    page = words(browser.get("/topup/?currency=RUB&amount=100"))
    assert "Pays what you owe us −₽100.00 Balance after ₽0.00" in page
    assert "You will still owe us ₽50.00." in page


def test_an_amount_between_two_steps_is_raised_and_shown_before_it_is_paid(browser, alice, settings):
    """The gateway takes dinars in steps of 0.010."""
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"dinars": DINARS}
    settings.PAYMENT_GATEWAYS = ["dinars"]
    address = "/topup/?currency=KWD&amount=12.345"
    page = browser.get(address)
    assert hidden(page)["shown"] == "12350"
    answer = browser.post(address, hidden(page) | {"method": "dinars"})
    assert (answer.status_code, Payment.objects.get(customer=alice).amount) == (303, 12_350)
    assert hidden(browser.get("/topup/?currency=KWD&need=1.234"))["shown"] == "1240"


def test_each_amount_says_how_long_the_balance_lasts_with_it(browser, alice, clock, on_sale):
    """150.00 on 1 March, noon, at 1.50 an hour; 500.00 more make it 433 h 20 min, to 19 March, 13:20.

    A kopeck is taken at once: a started one is paid.
    """
    bought(alice, "hourly", paid_in=150_00)
    page = words(browser.get("/topup/?currency=RUB"))
    assert (
        f"₽500.00 until 19{NBSP}Mar{NBSP}2026 ₽1,000.00 until 2{NBSP}Apr{NBSP}2026 "
        f"₽3,000.00 until 28{NBSP}May{NBSP}2026 ₽10,000.00 until 8{NBSP}Dec{NBSP}2026"
    ) in page
    assert f"Balance after ₽1,149.99 Lasts until 2{NBSP}Apr{NBSP}2026" in page
    page = words(browser.get("/topup/?currency=RUB&amount=20000"))
    assert "Balance after ₽20,149.99 Lasts more than a year" in page
    assert f"500,00{NBSP}₽ до 19{NBSP}мар.{NBSP}2026" in words(browser.get("/ru/topup/?currency=RUB"))


def test_what_a_top_up_starts_again_is_counted(browser, alice, clock, on_sale):
    """1.50 last an hour. Two hours later 500.00 start it again, for 333 h 20 min: to 15 March, 11:20."""
    bought(alice, "hourly", paid_in=1_50)
    clock.move_to(at(hours=2))
    assert f"₽500.00 until 15{NBSP}Mar{NBSP}2026" in words(browser.get("/topup/?currency=RUB"))


def test_an_amount_that_leaves_a_plan_unpaid_has_no_end_of_its_own(browser, alice, clock, on_sale):
    """690.00 were due on 1 April, and nothing is there: 500.00 do not pay them, 1000.00 do, until 1 May."""
    bought(alice, "standard", paid_in=690_00)
    clock.move_to(at(days=32))
    page = words(browser.get("/topup/?currency=RUB"))
    assert f"₽500.00 ₽1,000.00 until 1{NBSP}May{NBSP}2026" in page


def test_where_nothing_is_paid_from_the_balance_nothing_is_said_of_its_end(browser, alice):
    page = words(browser.get("/topup/?currency=RUB"))
    assert "Lasts" not in page
    assert "until" not in page
