"""Pausing, resuming, undoing a cancellation and switching renewal: pages if something is lost, else buttons."""

import pytest

from subscriptions.models import Price, Subscription
from tests.subscriptions.bank import DAY, HOUR, at, balance
from tests.web import HALF, act, address, bought, words

NBSP = "\u00a0"


@pytest.fixture
def on_sale(on_sale) -> None:
    """The demo's plans; Standard can be paused."""
    Price.objects.filter(plan__code="standard").update(can_pause=True)


@pytest.fixture
def hourly(clock, alice, on_sale) -> Subscription:
    """A metered plan at 1.50 an hour, used for two hours, with 10.00 paid in."""
    row = bought(alice, "hourly", paid_in=10_00)
    clock.shift(2 * HOUR)
    return row


def press(browser, row, part):
    return browser.post(address(row, part), follow=True)


def state(row) -> str:
    row.refresh_from_db()
    return str(row.status)


def test_the_pause_page_shows_the_time_kept_and_the_next_payment(browser, standard):
    page = words(browser.get(address(standard, "pause/")))
    assert "Access ends at once. Nothing is charged while it is paused." in page
    assert "You keep the rest of the period: 15 days 12 h." in page
    assert "The next charge was due on 1 April 2026. The pause moves this date by as long as it lasts." in page
    assert state(standard) == "active"


def test_resuming_continues_the_rest_of_the_period(browser, clock, standard, alice):
    page = words(press(browser, standard, "pause/"))
    assert "Paused with 15 days 12 h left. Nothing is charged." in page
    assert state(standard) == "paused"
    clock.shift(10 * DAY)
    page = words(press(browser, standard, "resume/"))
    # 10 days after noon of 1 April
    assert "Renews on 11 April 2026 for ₽690.00" in page
    assert (state(standard), balance(alice)) == ("active", 310_00)


def test_pausing_metered_use_shows_the_rate_and_the_balance(browser, hourly, alice):
    page = words(browser.get(address(hourly, "pause/")))
    assert "Access and the charge of ₽1.50 an hour stop at once." in page
    # 10.00 - 2 x 1.50, and the kopeck that begins now.
    assert "Your balance is then ₽6.99" in page
    press(browser, hourly, "pause/")
    assert (state(hourly), balance(alice)) == ("paused", 7_00)


def test_resuming_metered_use_shows_the_rate_first(browser, hourly):
    act(hourly, at(hours=2), lambda book: book.pause(hourly))
    page = words(browser.get(address(hourly, "resume/")))
    assert "costs ₽1.50 an hour from your balance, charged by the second. Your balance is ₽7.00." in page
    assert f'href="{address(hourly, "resume/")}"' in browser.get(address(hourly)).content.decode()
    press(browser, hourly, "resume/")
    assert state(hourly) == "active"


def test_resuming_with_an_empty_balance_says_that_it_waits_for_money(browser, hourly):
    act(hourly, at(hours=2), lambda book: book.pause(hourly))
    act(hourly, at(hours=2), lambda book: book.withdraw(7_00, key="t:1", to="gateway_clearing:sandbox"))
    assert "Your balance is empty. Top up and it starts" in words(browser.get(address(hourly, "resume/")))
    assert "Pay and it starts again." in words(press(browser, hourly, "resume/"))


def test_a_cancellation_stays_in_force_during_a_pause(browser, standard):
    act(standard, HALF, lambda book: book.cancel(standard))
    assert "It was due to end on 1 April 2026. The pause moves this date" in words(
        browser.get(address(standard, "pause/"))
    )
    page = words(press(browser, standard, "pause/"))
    assert "You cancelled it, so it ends when that time is used up." in page


def test_a_button_undoes_a_cancellation(browser, standard):
    act(standard, HALF, lambda book: book.cancel(standard))
    assert f'action="{address(standard, "undo-cancel/")}"' in browser.get(address(standard)).content.decode()
    page = words(press(browser, standard, "undo-cancel/"))
    assert "You keep Standard. " in page
    assert "What happens next Renews on 1 April 2026 for ₽690.00 from your balance. Your balance of ₽310.00" in page


def test_a_button_keeps_a_plan_that_would_not_renew(browser, standard):
    act(standard, HALF, lambda book: book.set_auto_renew(standard, False))
    page = words(browser.get(address(standard)))
    assert "Ends 1\xa0Apr" in page
    assert "Paid until 1 April 2026. It does not renew automatically." in page
    page = words(press(browser, standard, "renew/"))
    assert "Automatic renewal is on. " in page
    assert "What happens next Renews on 1 April 2026 for ₽690.00 from your balance. Your balance of ₽310.00" in page


@pytest.mark.parametrize("part", ["pause/", "renew/"])
def test_a_button_pressed_twice_shows_no_error(browser, standard, part):
    for _ in range(2):
        page = press(browser, standard, part)
        assert page.redirect_chain == [(address(standard), 303)]
        assert "cannot be done" not in words(page)


def test_resume_and_undo_pressed_twice_show_no_error(browser, standard):
    act(standard, HALF, lambda book: book.cancel(standard))
    assert ["cannot be done" in words(press(browser, standard, "undo-cancel/")) for _ in range(2)] == [False, False]
    act(standard, HALF, lambda book: book.pause(standard))
    assert ["cannot be done" in words(press(browser, standard, "resume/")) for _ in range(2)] == [False, False]


@pytest.mark.parametrize("part", ["pause/", "resume/", "undo-cancel/", "renew/"])
def test_an_ended_subscription_refuses_every_action(browser, standard, part):
    act(standard, HALF, lambda book: book.cancel(standard, when="now"))
    assert "This is no longer possible." in words(press(browser, standard, part))


@pytest.mark.parametrize("part", ["pause/", "resume/", "undo-cancel/", "renew/"])
def test_another_customers_subscription_is_not_found(client, mallory, standard, part):
    before = Subscription.objects.values().get()
    assert client.post(address(standard, part))["location"].startswith("/login/")
    client.force_login(mallory)
    assert client.post(address(standard, part)).status_code == 404
    assert client.get(address(standard, part)).status_code in (404, 405)
    assert Subscription.objects.values().get() == before


@pytest.mark.parametrize("part", ["undo-cancel/", "renew/"])
def test_actions_need_a_post_request(browser, standard, part):
    assert browser.get(address(standard, part)).status_code == 405
