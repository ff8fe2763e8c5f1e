"""Changing the plan on the pages: at most the amounts shown are charged, and the change takes effect at once."""

from datetime import timedelta

import pytest

from subscriptions import catalogue, quotes
from subscriptions.models import Price, Quote, Subscription
from tests.subscriptions.bank import balance
from tests.subscriptions.picture import lines
from tests.subscriptions.web.plan_change import choose, quote_page
from tests.web import HALF, act, address, bought, heading, words

NBSP = "\u00a0"


@pytest.fixture
def on_sale(on_sale) -> None:
    """The demo's plans; Standard can be paused."""
    Price.objects.filter(plan__code="standard").update(can_pause=True)


@pytest.fixture
def standard(clock, alice, on_sale) -> Subscription:
    """Standard for 690.00 a month since noon on 1 March, 1310.00 left. Half of the period is over."""
    row = bought(alice, "standard", paid_in=2000_00)
    clock.move_to(HALF)
    return row


def schedule_basic(row) -> None:
    """Schedule a change to Basic for the end of the period."""
    act(row, HALF, lambda book: book.change_plan(row, catalogue.current("basic", "RUB"), when="period_end"))


def test_the_other_plans_in_its_currency_are_offered(browser, standard):
    page = browser.get(address(standard, "change/"))
    assert "Basic ₽299.00 a month" in words(page)
    assert "Standard Your plan ₽690.00 a month" in words(page)
    assert "Pay as you go ₽1.50 an hour" in words(page)
    assert "€" not in words(page)
    html = page.content.decode()
    assert 'value="standard" disabled' in html
    assert html.count(" disabled") == 1
    assert browser.get(address(standard, "change/?plan=standard")).status_code == 422


def test_each_time_shows_its_effect(browser, standard):
    page = words(browser.get(address(standard, "change/")))
    assert "We refund the unused time of Standard to your balance: ₽345.00 right now." in page
    assert "On 1 April 2026 You keep Standard until then. Nothing is charged before that." in page


def test_metered_use_cannot_wait_for_an_end_of_period(browser, clock, alice):
    row = bought(alice, "hourly", paid_in=10_00)
    assert "When?" not in words(browser.get(address(row, "change/")))


@pytest.mark.parametrize("ends", ["cancelled", "not renewed"])
def test_a_subscription_that_will_end_offers_no_change_at_that_end(browser, standard, ends):
    act(
        standard,
        HALF,
        lambda book: book.cancel(standard) if ends == "cancelled" else book.set_auto_renew(standard, False),
    )
    assert "When?" not in words(browser.get(address(standard, "change/")))
    assert browser.get(address(standard, "change/?plan=basic&when=period_end")).status_code == 422


def test_missing_and_invalid_choices_are_errors_and_make_no_quote(browser, standard):
    page = browser.get(address(standard, "change/?when=now"))
    assert (page.status_code, "Choose a plan" in words(page)) == (422, True)
    assert browser.get(address(standard, "change/?plan=nonsense")).status_code == 422
    assert browser.get(address(standard, "change/?plan=basic&when=yesterday")).status_code == 422
    assert not Quote.objects.exists()


def test_the_quote_shows_each_line_with_its_formula_and_both_balances(browser, standard):
    page = words(choose(browser, standard))
    # 15 minutes later 690.00 x 22305 / 44640 = 344.768... is refunded, and a month of Premium is paid: 1310 + 344.76 -
    # 1490 = 164.76.
    assert "Balance now ₽1,310.00" in page
    assert "Refund for unused time of Standard ₽690.00 × 15 days 11 h 45 min of 31 days +₽344.76" in page
    assert "Premium ₽1,490.00 a month × 1 month −₽1,490.00" in page
    assert "Balance after, at least ₽164.76" in page


def test_the_quote_shows_the_effect_its_time_and_the_next_payment(browser, standard):
    page = words(choose(browser, standard))
    assert "Standard ends when you confirm, and Premium starts." in page
    assert "Takes effect when you confirm" in page
    assert "Next charge ₽1,490.00 17 April 2026" in page
    assert "You pay at most these amounts and get back at least these." in page
    assert f"These amounts are valid until 17 March 2026, 00:15:00{NBSP}UTC." in page
    # 1490 - 344.76
    assert "Pay at most ₽1,145.24 and change to Premium" in page


def test_amounts_that_cannot_change_are_not_called_the_most(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=0)
    page = words(choose(browser, row, "basic"))
    assert "at most" not in page
    assert "at least" not in page


def test_metered_use_until_the_quote_ends_is_a_line(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=1000_00)
    page = words(choose(browser, row, "basic"))
    # A quarter of an hour at 1.50 is 0.375, and the kopeck begun is paid: 1000 - 299 - 0.38.
    assert "Metered use until then, at most −₽0.38 Balance after, at least ₽700.62" in page
    assert "Pay at most ₽299.00 and change to Basic" in page


def test_a_quote_changes_nothing(browser, standard, alice):
    choose(browser, standard)
    browser.get(quote_page(standard))
    assert balance(alice) == 1310_00
    standard.refresh_from_db()
    assert (standard.scheduled_price, standard.price.plan.code) == (None, "standard")


def test_confirming_changes_the_plan_at_once_for_the_amounts_of_that_moment(browser, clock, standard, alice):
    choose(browser, standard)
    clock.shift(timedelta(minutes=5))
    answer = browser.post(quote_page(standard), follow=True)
    assert answer.redirect_chain == [(address(standard), 303)]
    # 690.00 x 22315 / 44640 = 344.922...
    assert [amount for _, amount, _, _ in lines(alice)[-2:]] == [344_92, -1490_00]
    assert balance(alice) == 164_92
    assert heading(answer) == "Premium"
    assert "Renews on 17 April 2026 for ₽1,490.00" in words(answer)


def test_confirming_twice_changes_the_plan_once(browser, standard, alice):
    choose(browser, standard)
    for _ in range(2):
        answer = browser.post(quote_page(standard))
        assert (answer.status_code, answer["location"]) == (303, address(standard))
    assert balance(alice) == 165_00
    assert browser.get(quote_page(standard))["location"] == address(standard)


def test_an_outdated_quote_charges_nothing_and_shows_the_new_amounts(browser, clock, standard, alice):
    choose(browser, standard)
    first = quote_page(standard)
    clock.shift(timedelta(minutes=15, seconds=1))
    answer = browser.post(first, follow=True)
    page = words(answer)
    assert "The amounts have changed. You have not been charged." in page
    assert balance(alice) == 1310_00
    # Half an hour and a second after HALF: 690.00 x 1337399 / 2678400 s = 344.535...
    assert "+₽344.53" in page
    assert "Pay at most ₽1,145.47 and change to Premium" in page
    assert answer.redirect_chain == [(quote_page(standard), 303)] != [(first, 303)]
    browser.post(quote_page(standard))
    # 15 minutes and a second after HALF: 344.767...
    assert balance(alice) == 164_76


def test_an_old_quote_with_the_same_amounts_is_not_called_changed(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=1000_00)
    choose(browser, row, "basic")
    clock.shift(timedelta(minutes=16))
    page = words(browser.post(quote_page(row), follow=True))
    assert "The amounts were out of date, so we calculated them again. You have not been charged." in page
    assert "amounts have changed" not in page


def test_opening_an_old_quote_redirects_to_a_new_one(browser, clock, standard):
    choose(browser, standard)
    old = quote_page(standard)
    clock.shift(timedelta(hours=1))
    answer = browser.get(old, follow=True)
    assert answer.redirect_chain[-1] == (quote_page(standard), 303)
    assert quote_page(standard) != old


def test_money_spent_since_the_quote_is_shown_as_missing(browser, standard, alice):
    choose(browser, standard)
    # 1490 - (1310 - 1000) in the wallet - 343.60 refunded in an hour and a half = 836.40.
    act(standard, HALF, lambda book: book.withdraw(1000_00, key="t:1", to="gateway_clearing:sandbox"))
    page = browser.post(quote_page(standard), follow=True)
    assert "You pay now +₽836.40" in words(page)
    assert balance(alice) == 310_00


def test_a_change_at_the_end_of_the_period_is_scheduled_and_moves_nothing(browser, standard, alice):
    page = words(choose(browser, standard, "basic", "period_end"))
    assert f"You keep Standard until 1 April 2026, 12:00{NBSP}UTC. Then Basic starts." in page
    assert "Balance now ₽1,310.00 Balance after ₽1,310.00" in page
    assert "Next charge ₽299.00 1 April 2026" in page
    page = words(browser.post(quote_page(standard), follow=True))
    assert "Changes to Basic on 1 April 2026 for ₽299.00 from your balance." in page
    assert "Planned change Basic" in page
    assert balance(alice) == 1310_00
    assert "Basic planned" in words(browser.get(address(standard, "change/")))


def test_another_change_replaces_the_scheduled_one(browser, standard):
    schedule_basic(standard)
    assert "This replaces the planned change to Basic" in words(choose(browser, standard, "premium", "period_end"))
    assert "The planned change to Basic will not happen." in words(choose(browser, standard, "premium", "now"))


def test_a_scheduled_change_is_conditional_without_renewal(browser, standard):
    schedule_basic(standard)
    act(standard, HALF, lambda book: book.set_auto_renew(standard, False))
    page = words(browser.get(address(standard)))
    assert "The planned change to Basic happens only if you turn on renewal." in page
    assert "Planned change" not in page


def test_a_change_now_undoes_a_cancellation(browser, standard):
    act(standard, HALF, lambda book: book.cancel(standard))
    assert "Your cancellation no longer applies" in words(choose(browser, standard))
    browser.post(quote_page(standard))
    standard.refresh_from_db()
    assert not standard.cancel_requested


def test_a_change_to_a_metered_plan_shows_the_rate(browser, standard):
    page = words(choose(browser, standard, "hourly"))
    assert "While it runs ₽1.50 an hour" in page
    assert "Change to Pay as you go" in page


def test_a_subscription_without_renewal_shows_no_next_payment(browser, standard):
    act(standard, HALF, lambda book: book.set_auto_renew(standard, False))
    assert "Next charge none: automatic renewal is off" in words(choose(browser, standard))


def test_every_amount_includes_quantity_and_periods(browser, clock, alice, on_sale):
    row = bought(alice, "basic", paid_in=10_000_00, quantity=2, periods=3)
    page = words(browser.get(address(row, "change/")))
    # 690 x 2 x 3
    assert "Standard ₽4,140.00 every 3 months" in page
    assert "₽690.00 a month × 2 × 3 months" in words(choose(browser, row, "standard"))


@pytest.mark.parametrize("state", ["paused", "cancelled"])
def test_an_impossible_change_redirects_to_the_subscription(browser, standard, state):
    made = quotes.make(standard, catalogue.current("premium", "RUB"), now=HALF)
    act(standard, HALF, lambda book: book.pause(standard) if state == "paused" else book.cancel(standard, when="now"))
    before = balance(standard.customer)
    for part in ("change/", "change/?plan=premium", f"change/{made.public_id}/"):
        assert browser.get(address(standard, part))["location"] == address(standard)
    answer = browser.post(address(standard, f"change/{made.public_id}/"), follow=True)
    assert "This is no longer possible." in words(answer)
    assert balance(standard.customer) == before


def test_another_customers_subscription_and_quote_are_not_found(client, browser, mallory, standard, alice):
    choose(browser, standard)
    quote = quote_page(standard)
    other = bought(mallory, "basic", paid_in=2000_00, when=HALF)
    client.force_login(mallory)
    mixed = address(other, "change/") + quote.split("/")[-2] + "/"
    for url in (address(standard, "change/"), quote, mixed):
        assert client.get(url).status_code == 404
        assert client.post(url).status_code in (404, 405)
    assert balance(alice) == 1310_00


def test_the_pages_need_log_in(client, browser, standard):
    choose(browser, standard)
    for url in (address(standard, "change/"), quote_page(standard)):
        assert client.get(url)["location"].startswith("/login/")


def test_the_quote_page_is_in_russian_too(browser, standard):
    browser.get(address(standard, "change/"))
    page = browser.get("/ru" + address(standard, "change/?plan=premium&when=now"), follow=True)
    assert "Оплатить не больше 1\u00a0145,24\u00a0₽ и перейти на «Премиум»" in words(page)
    assert "Баланс после, не меньше" in words(page)


def test_a_scheduled_change_can_be_dropped(browser, standard):
    schedule_basic(standard)
    assert "Changes to Basic on 1 April 2026" in words(browser.get(address(standard)))
    page = words(browser.post(address(standard, "keep-plan/"), follow=True))
    assert "The planned change is cancelled. " in page
    assert "What happens next Renews on 1 April 2026 for ₽690.00 from your balance." in page
    standard.refresh_from_db()
    assert (standard.scheduled_price, balance(standard.customer)) == (None, 1310_00)
