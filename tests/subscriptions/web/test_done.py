"""After each act on a subscription the page says what was done, and what happens next."""

import pytest

from tests.subscriptions.bank import HOUR, at
from tests.subscriptions.shop import pay_in
from tests.subscriptions.web.plan_change import choose, quote_page
from tests.web import HALF, act, address, bought, hidden, words

NBSP = "\u00a0"
NEXT = "What happens next"


def confirmed(browser, row, plan="premium", when="now", prefix=""):
    """Change the plan; return the page after it."""
    choose(browser, row, plan, when)
    return words(browser.post(prefix + quote_page(row), follow=True))


def with_quantity(browser, row, quantity, when="now"):
    browser.get(address(row, f"quantity/?quantity={quantity}&when={when}"), follow=True)
    return words(browser.post(quote_page(row), follow=True))


def cancelled(browser, row, prefix=""):
    """Cancel at the end of the period or trial; return the page after it."""
    page = browser.get(address(row, "cancel/"))
    data = {"when": "period_end", "shown_until": hidden(page)["shown_until"]}
    return words(browser.post(prefix + address(row, "cancel/"), data, follow=True))


@pytest.fixture
def rich(standard, alice):
    """Standard, of which half of the month is left, and 2310.00 on the balance."""
    pay_in(alice, 2000_00, at=HALF)
    return standard


def test_a_cancellation_says_when_it_ends(browser, standard):
    assert "Standard ends on 1 April 2026. Nothing more is charged." in cancelled(browser, standard)


def test_the_cancellation_of_a_trial_says_when_it_ends(browser, clock, alice, on_sale):
    row = bought(alice, "premium", paid_in=0)
    assert "Premium ends on 15 March 2026. Nothing more is charged." in cancelled(browser, row)


def test_it_is_in_russian_too(browser, standard):
    page = cancelled(browser, standard, prefix="/ru")
    assert f"Тариф «Стандартный» действует до 1 апреля 2026{NBSP}г. Больше ничего не спишется." in page


def test_a_change_of_plan_says_the_balance_and_the_next_payment(browser, rich):
    """2310.00 and 345.00 for half of Standard, less 1490.00. Premium's month begins at midnight of 17 March."""
    page = confirmed(browser, rich)
    assert "You now have Premium. Your balance is now ₽1,165.00. " in page
    renews = f"{NEXT} Renews on 17 April 2026 for ₽1,490.00 from your balance."
    assert f"{renews} Your balance of ₽1,165.00 is not enough for that." in page


def test_a_change_to_metered_use_says_what_it_costs(browser, rich):
    page = confirmed(browser, rich, "hourly")
    assert "You now have Pay as you go. Your balance is now ₽2,654.99. " in page
    assert f"{NEXT} ₽1.50 an hour. Your balance lasts until" in page


def test_a_planned_change_says_when_it_happens(browser, rich):
    page = confirmed(browser, rich, when="period_end")
    assert "The change is planned for 1 April 2026. " in page
    assert f"{NEXT} Changes to Premium on 1 April 2026 for ₽1,490.00 from your balance." in page
    page = confirmed(browser, rich, "hourly", when="period_end")
    assert "The change is planned for 1 April 2026. " in page
    changes = f"{NEXT} Changes to Pay as you go on 1 April 2026. From then on it costs ₽1.50 an hour from your balance."
    assert changes in page


def test_choosing_what_it_has_again_says_that_it_is_kept(browser, rich):
    with_quantity(browser, rich, 3, when="period_end")
    page = with_quantity(browser, rich, 1)
    assert "You keep Standard. " in page
    assert f"{NEXT} Renews on 1 April 2026 for ₽690.00 from your balance." in page


def test_a_second_click_says_the_same(browser, rich):
    page = confirmed(browser, rich)
    assert words(browser.post(quote_page(rich), follow=True)) == page


def test_a_change_of_the_quantity_says_what_is_due_then(browser, rich):
    """One more for half of the month costs 345.00."""
    page = with_quantity(browser, rich, 2)
    assert "The quantity is now 2. Your balance is now ₽1,965.00. " in page
    assert f"{NEXT} Renews on 1 April 2026 for ₽1,380.00 from your balance." in page
    page = with_quantity(browser, rich, 3, when="period_end")
    assert "The change is planned for 1 April 2026. " in page
    assert f"{NEXT} Renews on 1 April 2026 with the quantity 3 for ₽2,070.00 from your balance." in page


def test_a_change_of_what_waits_for_money_says_what_to_pay(browser, alice, clock, on_sale):
    row = bought(alice, "standard", paid_in=0)
    page = confirmed(browser, row, "basic")
    assert "You now have Basic. " in page
    assert f"{NEXT} Not paid yet. It starts when you pay ₽299.00." in page


def test_a_pause_and_its_end_say_what_is_charged(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=10_00)
    clock.shift(2 * HOUR)
    page = words(browser.post(address(row, "pause/"), follow=True))
    assert "Pay as you go is paused. Nothing is charged." in page
    page = words(browser.post(address(row, "resume/"), follow=True))
    assert "Pay as you go is running again. " in page
    assert f"{NEXT} ₽1.50 an hour. Your balance lasts until" in page


def test_without_money_it_is_said_not_to_have_started(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=10_00)
    act(row, at(), lambda book: book.pause(row))
    act(row, at(), lambda book: book.withdraw(10_00, key="t:1", to="gateway_clearing:sandbox"))
    page = words(browser.post(address(row, "resume/"), follow=True))
    assert "Your balance is empty, so Pay as you go has not started. Top up and it starts." in page


def test_keeping_a_plan_without_renewal_says_until_when_it_is_paid(browser, standard):
    act(standard, HALF, lambda book: book.set_auto_renew(standard, False))
    cancelled(browser, standard)
    page = words(browser.post(address(standard, "undo-cancel/"), follow=True))
    assert "You keep Standard. " in page
    assert f"{NEXT} Paid until 1 April 2026. It does not renew automatically." in page
