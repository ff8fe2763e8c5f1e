"""Changing the plan with too little money: what is missing, and a top-up of it that is enough for an hour."""

from datetime import timedelta

from tests.subscriptions.bank import balance
from tests.subscriptions.shop import pay_in
from tests.subscriptions.web.plan_change import choose, quote_page
from tests.web import HALF, address, bought, words


def test_the_missing_amount_is_shown_with_a_link_to_top_up_and_return(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(HALF)
    page = browser.get(address(row, "change/?plan=premium&when=now"))
    # In an hour 371 of 744 hours are left, 344.0725: 1490 - 10 in the wallet - 344.07 = 1135.93.
    assert page.status_code == 422
    assert "You need ₽1,135.93 more" in words(page)
    assert "Nothing was changed, and you have not been charged." in words(page)
    assert "This amount is enough if you pay within an hour." in words(page)
    there = address(row, "change/").replace("/", "%2F") + "%3Fplan%3Dpremium%26when%3Dnow"
    link = f"/topup/?currency=RUB&amp;need=1135.93&amp;next={there}"
    assert f'href="{link}"' in page.content.decode()
    assert "Pay ₽1,135.93" in words(browser.get(link.replace("&amp;", "&")))


def test_the_suggested_top_up_is_enough_for_an_hour(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(HALF)
    pay_in(alice, 1135_93, at=HALF)
    clock.shift(timedelta(hours=1))
    page = choose(browser, row)
    assert page.status_code == 200
    browser.post(quote_page(row))
    assert balance(alice) == 0


def test_the_suggested_top_up_covers_an_hour_of_metered_use(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=100_00)
    page = words(browser.get(address(row, "change/?plan=basic")))
    # 299.00 - 100.00 in the wallet, and 1.50 for an hour of use.
    assert "You need ₽200.50 more" in page


def test_a_change_at_the_end_shows_what_the_balance_lacks(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    # 1490 - 10 in the wallet
    assert "You need ₽1,480.00 more on your balance for this." in words(choose(browser, row, "premium", "period_end"))
