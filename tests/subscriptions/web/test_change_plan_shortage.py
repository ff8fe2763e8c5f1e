"""Changing the plan with too little money: one payment of what is missing, and the change is made with it."""

from datetime import timedelta

from payments import confirmation
from payments.models import Payment
from subscriptions.models import Charge
from tests.subscriptions.bank import balance
from tests.subscriptions.shop import pay_in
from tests.subscriptions.web.plan_change import choose, quote_page
from tests.web import HALF, act, address, bought, hidden, words


def test_the_page_shows_what_is_missing_and_what_becomes_of_it(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(HALF)
    answer = browser.get(address(row, "change/?plan=premium&when=now"))
    assert (answer.status_code, answer["location"]) == (303, address(row, "pay-change/?plan=premium&when=now"))
    page = browser.get(answer["location"])
    # In an hour and a half 370.5 of 744 hours are left, 343.6088: 1490 - 10 in the wallet - 343.60 = 1136.40. If the
    # payment comes at once, 345.00 come back.
    assert page.status_code == 200
    assert (
        "Balance now ₽10.00 You pay now +₽1,136.40 Refund for unused time of Standard ₽690.00 × 15 days 12 h of 31 days"
        " +₽345.00 Premium ₽1,490.00 a month × 1 month −₽1,490.00 Balance after ₽1.40"
    ) in words(page)
    assert "Pay ₽1,136.40 and change to Premium" in words(page)
    assert "This amount is enough if you pay within an hour." in words(page)


def test_pages_show_the_time_left_in_whole_minutes(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(HALF + timedelta(seconds=12, microseconds=345678))
    page = words(browser.get(address(row, "pay-change/?plan=premium")))
    assert "₽690.00 × 15 days 11 h 59 min of 31 days +₽344.99" in page
    pay_in(alice, 5000_00, at=HALF)
    assert "₽690.00 × 15 days 11 h 44 min of 31 days +₽344.76" in words(choose(browser, row))


def test_one_button_pays_and_the_change_is_made_when_the_payment_arrives(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(HALF)
    here = address(row, "pay-change/?plan=premium")
    form = hidden(browser.get(here)) | {"method": "sandbox"}
    clock.shift(timedelta(minutes=29))
    answer = browser.post(here, form)
    payment = Payment.objects.get()
    assert (answer.status_code, answer["location"]) == (303, payment.confirmation_url)
    assert browser.post(here, form)["location"] == payment.confirmation_url
    shown = words(browser.get(f"/pay/{payment.public_id}/"))
    assert "Change to Premium ₽1,136.40" in shown
    assert "Change of the plan" in shown
    browser.post(f"/sandbox/pay/{payment.gateway_id}/", {"outcome": "succeeds"})
    clock.shift(timedelta(minutes=31))
    page = words(browser.get(f"/pay/{payment.public_id}/"))
    assert "Premium is active." in page
    assert "Plan changed" in page
    row.refresh_from_db()
    assert (row.price.plan.code, row.status) == ("premium", "active")
    assert 0 <= balance(alice) <= 1_40
    # Sent again it leads to the payment, and makes no other.
    assert browser.post(here, form)["location"] == f"/pay/{payment.public_id}/"
    assert Charge.objects.filter(subscription=row).count() == 2


def test_an_amount_that_is_not_enough_any_more_is_shown_again(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(HALF)
    here = address(row, "pay-change/?plan=premium")
    form = hidden(browser.get(here)) | {"method": "sandbox"}
    clock.shift(timedelta(hours=2))
    page = browser.post(here, form)
    assert page.status_code == 422
    assert "You have not been charged. Check it and confirm again." in words(page)
    assert not Payment.objects.exists()


def test_a_change_that_was_not_possible_any_more_says_so_and_offers_it_again(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(HALF)
    here = address(row, "pay-change/?plan=premium")
    browser.post(here, hidden(browser.get(here)) | {"method": "sandbox"})
    payment = Payment.objects.get()
    act(row, HALF, lambda book: book.cancel(row))
    browser.post(f"/sandbox/pay/{payment.gateway_id}/", {"outcome": "succeeds"})
    confirmation.confirm(payment.pk, now=HALF + timedelta(minutes=1))
    page = browser.get(f"/pay/{payment.public_id}/")
    assert (
        "The plan was not changed, and the money is on your balance. "
        "The subscription was changed in another way in the meantime."
    ) in words(page)
    assert f'href="{address(row, "change/")}"' in page.content.decode()
    row.refresh_from_db()
    assert (row.price.plan.code, balance(alice)) == ("standard", 10_00 + 1136_40)


def test_who_would_rather_top_up_comes_back_to_the_quote(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(HALF)
    page = browser.get(address(row, "pay-change/?plan=premium"))
    there = address(row, "pay-change/").replace("/", "%2F") + "%3Fplan%3Dpremium"
    link = f"/topup/?currency=RUB&amp;need=1136.40&amp;next={there}"
    assert f'href="{link}"' in page.content.decode()
    assert "Pay ₽1,136.40" in words(browser.get(link.replace("&amp;", "&")))
    pay_in(alice, 1136_40, at=HALF)
    clock.shift(timedelta(hours=1))
    answer = browser.get(address(row, "pay-change/?plan=premium"))
    assert (answer.status_code, answer["location"]) == (303, address(row, "change/?plan=premium"))
    page = choose(browser, row)
    assert page.status_code == 200
    browser.post(quote_page(row))
    assert balance(alice) == 47


def test_the_payment_covers_the_time_to_pay_of_metered_use(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=100_00)
    page = words(browser.get(address(row, "pay-change/?plan=basic")))
    # 299.00 - 100.00 in the wallet, and 2.25 for an hour and a half of use.
    assert "Pay ₽201.25 and change to Basic" in page


def test_a_query_that_makes_no_sense_leads_to_the_choice(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    for query in ("", "?plan=", "?quantity=0", "?quantity=x", "?quantity=99999999999999999999", "?plan=gold"):
        answer = browser.get(address(row, f"pay-change/{query}"))
        assert answer.status_code == 303
        assert answer["location"].startswith(address(row, ""))


def test_a_change_at_the_end_shows_what_the_balance_lacks(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    # 1490 - 10 in the wallet
    assert "You need ₽1,480.00 more on your balance for this." in words(choose(browser, row, "premium", "period_end"))
