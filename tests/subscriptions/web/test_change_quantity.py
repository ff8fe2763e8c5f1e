"""Changing the quantity on the pages, and what waits for money. The amounts are worked out by hand."""

import pytest

from payments.models import Payment
from subscriptions.models import Plan, Quote, Subscription
from tests.subscriptions.bank import MINUTE, at, balance
from tests.subscriptions.shop import sell
from tests.web import HALF, act, address, bought, heading, hidden, words

NBSP = "\u00a0"


@pytest.fixture
def seats(clock, alice, on_sale) -> Subscription:
    """Two of Standard for 1380.00 since noon of 1 March; 620.00 and half of the month are left."""
    row = bought(alice, "standard", paid_in=2000_00, quantity=2)
    clock.move_to(HALF)
    return row


def choose(browser, row, quantity, when="now"):
    """Choose a quantity and follow the redirect to the quote."""
    return browser.get(address(row, f"quantity/?quantity={quantity}&when={when}"), follow=True)


def quote_page(row) -> str:
    return address(row, f"change/{Quote.objects.latest('pk').public_id}/")


def confirm(browser, row) -> str:
    return words(browser.post(quote_page(row), follow=True))


def test_the_page_shows_the_quantity_and_both_times(browser, seats):
    page = words(browser.get(address(seats, "quantity/")))
    assert "Plan Standard, ₽690.00 a month Quantity now 2" in page
    assert "You pay or get back only the difference for the time left. The period still ends on 1 April 2026." in page
    assert "On 1 April 2026 The quantity stays 2 until then. Nothing is charged before that." in page
    assert f'href="{address(seats, "quantity/")}"' in browser.get(address(seats)).content.decode()


@pytest.mark.parametrize("query", ["quantity=0", "quantity=", "quantity=x", "quantity=2", "quantity=3&when=never"])
def test_a_wrong_number_is_an_error_and_makes_no_quote(browser, seats, query):
    assert browser.get(address(seats, f"quantity/?{query}")).status_code == 422
    assert not Quote.objects.exists()


def test_an_amount_beyond_the_limits_is_an_error(browser, seats):
    # 690.00 x 1,000,000 is within them.
    assert browser.get(address(seats, "quantity/?quantity=1000001")).status_code == 422


def test_more_seats_now(browser, clock, seats, alice):
    page = choose(browser, seats, 3)
    assert heading(page) == "Change the quantity to 3?"
    text = words(page)
    assert "The quantity changes from 2 to 3 when you confirm. The period still ends on 1 April 2026." in text
    assert "Standard: 3 instead of 2 ₽690.00 × 15 days 12 h of 31 days −₽345.00" in text
    assert "Balance after, at least ₽275.00" in text
    assert "Next charge ₽2,070.00 1 April 2026" in text
    assert "Pay at most ₽345.00" in text
    clock.shift(10 * MINUTE)
    page = confirm(browser, seats)
    assert "Renews on 1 April 2026 for ₽2,070.00 from your balance." in page
    assert "Quantity 3" in page
    # 690.00 x 22310 / 44640 = 344.845..., rounded up.
    assert balance(alice) == 620_00 - 344_85


def test_fewer_seats_now(browser, seats, alice):
    text = words(choose(browser, seats, 1))
    # 690.00 x 22305 / 44640 = 344.768...
    assert "Standard: 1 instead of 2 ₽690.00 × 15 days 11 h 45 min of 31 days +₽344.76" in text
    confirm(browser, seats)
    assert balance(alice) == 620_00 + 345_00


def test_seats_that_the_balance_cannot_pay_are_paid_and_added(browser, seats):
    answer = browser.get(address(seats, "quantity/?quantity=4&when=now"))
    assert (answer.status_code, answer["location"]) == (303, address(seats, "pay-change/?quantity=4&when=now"))
    page = browser.get(answer["location"])
    # 2 x 345.00 - 620.00 are 70.00; gateways take 100.00 at least.
    text = words(page)
    assert "Change the quantity to 4" in text
    assert "Balance now ₽620.00 You pay now +₽100.00 Standard: 4 instead of 2" in text
    assert "−₽690.00 Balance after ₽30.00" in text
    browser.post(answer["location"], hidden(page) | {"method": "sandbox"})
    payment = Payment.objects.get()
    assert "4 × Standard" in words(browser.get(f"/pay/{payment.public_id}/"))
    browser.post(f"/sandbox/pay/{payment.gateway_id}/", {"outcome": "succeeds"})
    assert "Quantity changed" in words(browser.get(f"/pay/{payment.public_id}/"))
    seats.refresh_from_db()
    assert seats.quantity == 4


def test_a_quantity_for_the_next_period_can_be_planned_replaced_and_dropped(browser, seats, alice):
    text = words(choose(browser, seats, 5, "period_end"))
    assert f"The quantity stays 2 until 1 April 2026, 12:00{NBSP}UTC. Then it is 5." in text
    # 5 x 690.00 - 620.00
    assert "You need ₽2,830.00 more on your balance for this." in text
    page = confirm(browser, seats)
    assert "Renews on 1 April 2026 with the quantity 5 for ₽3,450.00 from your balance." in page
    assert "Quantity 2 Planned quantity 5" in page
    assert "This replaces the planned change of the quantity to 5." in words(choose(browser, seats, 1, "period_end"))
    assert "The planned change of the quantity to 5 will not happen." in words(choose(browser, seats, 1, "now"))
    assert "The quantity stays 2. Nothing is charged." in words(choose(browser, seats, 2))
    page = words(browser.post(address(seats, "keep-plan/"), follow=True))
    assert "Renews on 1 April 2026 for ₽1,380.00" in page
    assert "Planned quantity" not in page
    assert balance(alice) == 620_00


def test_a_planned_plan_and_quantity_are_charged_together(browser, seats):
    act(seats, HALF, lambda book: book.change_quantity(seats, 3, when="period_end"))
    text = words(browser.get(address(seats, "change/?plan=basic&when=period_end"), follow=True))
    # 3 x 299.00
    assert "Next charge ₽897.00 1 April 2026" in text
    assert "replaces" not in text
    assert "Changes to Basic on 1 April 2026 for ₽897.00 from your balance." in confirm(browser, seats)


def test_metered_seats_change_the_rate(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=100_00)
    page = words(browser.get(address(row, "quantity/")))
    assert "When?" not in page
    text = words(choose(browser, row, 4))
    assert "The quantity changes from 1 to 4 when you confirm. Your balance" in text
    assert "While it runs ₽6.00 an hour" in text
    assert "Change the quantity" in text
    assert "₽6.00 an hour" in confirm(browser, row)


def test_a_trial_takes_no_more_seats_than_it_is_given_for(browser, clock, alice, on_sale):
    row = bought(alice, "premium", paid_in=0)
    assert "A trial is not given for this quantity." in words(browser.get(address(row, "quantity/?quantity=11")))
    assert "Your free trial still ends on 15 March 2026." in words(choose(browser, row, 10))


def test_an_order_takes_another_quantity_and_waits(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=0)
    clock.move_to(at(days=1))
    assert "It starts when you pay ₽1,380.00." in words(choose(browser, row, 2))
    page = confirm(browser, row)
    assert "Not paid yet. It starts when you pay ₽1,380.00. It waits for payment until 16 March 2026." in page


def test_what_is_suspended_says_how_long_it_is_kept(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(at(days=36))
    # Suspended when the grace ended, on 4 April.
    assert "It is kept for 30 days, until 4 May 2026." in words(browser.get(address(row)))


def test_a_grace_period_says_that_its_days_are_charged(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(at(days=32))
    assert "If no money comes, these days are charged and it stops." in words(browser.get(address(row)))


def test_the_button_starts_it_from_the_balance(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=0)
    act(row, at(), lambda book: book.top_up(700_00, key="test:in", source="gateway_clearing:sandbox"))
    page = browser.get(address(row))
    assert f'action="{address(row, "start/")}"' in page.content.decode()
    browser.post(address(row, "start/"))
    row.refresh_from_db()
    assert (row.status, balance(alice)) == ("active", 10_00)


def test_a_start_that_is_not_funded_names_the_missing_amount(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=100_00)
    page = browser.post(address(row, "start/"), follow=True)
    assert page.redirect_chain[0][0] == address(row)
    assert "You need ₽590.00 more on your balance for this." in words(page)
    row.refresh_from_db()
    assert (row.status, balance(alice)) == ("pending", 100_00)


def test_the_page_says_what_the_seller_allows(browser, clock, alice, on_sale):
    sell("free-hand", RUB=100_00)
    sell("strict", RUB=100_00, can_pause=False, can_refund_unused=False)
    easy, strict = (bought(alice, code, paid_in=100_00) for code in ("free-hand", "strict"))
    assert "You can pause it." in words(browser.get(address(easy)))
    page = browser.get(address(strict))
    assert "If you cancel, unused time is not refunded." in words(page)
    assert "pause" not in words(page).lower()
    assert browser.get(address(strict, "pause/"))["location"] == address(strict)


def test_an_old_quote_is_replaced_by_a_new_one_for_the_same_quantity(browser, clock, seats, alice):
    choose(browser, seats, 3)
    old = quote_page(seats)
    clock.shift(16 * MINUTE)
    answer = browser.get(old, follow=True)
    assert answer.redirect_chain[-1] == (quote_page(seats), 303)
    clock.shift(16 * MINUTE)
    page = words(browser.post(quote_page(seats), follow=True))
    assert "The amounts have changed. You have not been charged." in page
    assert balance(alice) == 620_00


def test_a_hidden_plan_cannot_be_chosen_with_an_old_quote(browser, seats, alice):
    browser.get(address(seats, "change/?plan=basic&when=now"))
    Plan.objects.filter(code="basic").update(is_public=False)
    assert "This is no longer possible." in confirm(browser, seats)
    assert balance(alice) == 620_00


def test_the_pages_need_log_in_and_an_own_subscription(client, browser, mallory, seats):
    assert client.get(address(seats, "quantity/"))["location"].startswith("/login/")
    client.force_login(mallory)
    assert client.get(address(seats, "quantity/")).status_code == 404


def test_the_pages_are_in_russian_too(browser, seats):
    page = words(browser.get("/ru" + address(seats, "quantity/")))
    assert "Изменить количество" in page
    page = words(browser.get("/ru" + address(seats, "quantity/?quantity=3"), follow=True))
    assert "Оплатить не больше 345,00\u00a0₽" in page
