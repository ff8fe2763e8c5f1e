"""Cancelling on the pages, at the end of the period or now: the page shows the refund, and keeps to it."""

import pytest

from subscriptions import catalogue, quotes
from subscriptions.models import Price
from tests.subscriptions.bank import DAY, HOUR, MINUTE, SECOND, at, balance
from tests.subscriptions.shop import sell
from tests.web import HALF, act, address, bought, hidden, words

NBSP = "\u00a0"


@pytest.fixture
def on_sale(on_sale) -> None:
    """The demo's plans; Standard can be paused."""
    Price.objects.filter(plan__code="standard").update(can_pause=True)


def submit(browser, row, when, page=None):
    """Submit the form of `page`, by default of a freshly opened one."""
    page = page or browser.get(address(row, "cancel/"))
    return browser.post(address(row, "cancel/"), {**hidden(page), "when": when})


def test_each_way_to_cancel_shows_its_effect_with_amounts(browser, standard):
    page = words(browser.get(address(standard, "cancel/")))
    assert f"Cancel on 1 April 2026 You keep it until 1 April 2026, 12:00{NBSP}UTC. Nothing more is charged" in page
    # Half of 690.00; 690.00 over the 744 hours of March are 0.927 an hour, rounded up.
    assert "We refund the unused time to your balance: ₽345.00 right now." in page
    assert "The exact amount is calculated when you confirm. It drops by about ₽0.93 an hour." in page


def test_cancelling_at_the_end_keeps_it_until_then(browser, standard, alice):
    answer = browser.get(submit(browser, standard, "period_end")["location"])
    assert "You cancelled it. You keep it until 1 April 2026" in words(answer)
    standard.refresh_from_db()
    assert (standard.status, standard.cancel_requested) == ("active", True)
    assert balance(alice) == 310_00


def test_cancelling_now_refunds_the_shown_amount(browser, standard, alice):
    answer = browser.get(submit(browser, standard, "now")["location"])
    assert "Cancelled. We refunded ₽345.00 to your balance." in words(answer)
    standard.refresh_from_db()
    assert (standard.status, balance(alice)) == ("cancelled", 655_00)
    assert "refunded" in words(browser.get(address(standard)))


def test_a_page_some_minutes_old_refunds_what_is_left_by_then(browser, clock, standard, alice):
    page = browser.get(address(standard, "cancel/"))
    clock.shift(10 * MINUTE)
    answer = browser.get(submit(browser, standard, "now", page)["location"])
    # 10 minutes of 690.00 over 44640 are 0.1545...: 344.845, rounded down.
    assert "Cancelled. We refunded ₽344.84 to your balance." in words(answer)
    assert balance(alice) == 654_84


@pytest.mark.parametrize("later", [15 * MINUTE + 40 * SECOND, DAY])
def test_an_older_page_is_shown_again_and_nothing_is_done(browser, clock, standard, alice, later):
    page = browser.get(address(standard, "cancel/"))
    clock.shift(later)
    again = submit(browser, standard, "now", page)
    assert again.status_code == 422
    assert "Nothing was done. Check it and try again." in words(again)
    assert "₽345.00" not in words(again)
    standard.refresh_from_db()
    assert (standard.status, balance(alice)) == ("active", 310_00)
    assert submit(browser, standard, "now", again).status_code == 303


def test_an_old_page_does_not_cancel_another_plan(browser, clock, standard, alice):
    page = browser.get(address(standard, "cancel/"))
    quotes.accept(quotes.make(standard, catalogue.current("basic", "RUB"), now=HALF), now=HALF)
    clock.shift(HOUR)
    assert submit(browser, standard, "now", page).status_code == 422
    assert submit(browser, standard, "period_end", page).status_code == 422
    standard.refresh_from_db()
    assert not standard.cancel_requested


def test_a_passed_end_of_period_is_not_taken_for_the_next_one(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=2000_00)
    page = browser.get(address(row, "cancel/"))
    clock.move_to(at(days=40))
    again = submit(browser, row, "period_end", page)
    assert again.status_code == 422
    assert "Cancel on 1 May 2026" in words(again)


@pytest.mark.parametrize("when", ["now", "period_end"])
def test_a_form_sent_twice_cancels_once(browser, standard, alice, when):
    page = browser.get(address(standard, "cancel/"))
    for _ in range(2):
        answer = submit(browser, standard, when, page)
        assert (answer.status_code, answer["location"]) == (303, address(standard))
    assert balance(alice) == (655_00 if when == "now" else 310_00)


def test_an_unknown_way_to_cancel_is_an_error(browser, standard):
    answer = submit(browser, standard, "yesterday")
    assert answer.status_code == 422
    assert "There is a problem" in words(answer)


def test_a_cancellation_at_the_end_can_be_replaced_by_one_now(browser, standard, alice):
    act(standard, HALF, lambda book: book.cancel(standard))
    page = browser.get(address(standard, "cancel/"))
    assert "Cancel on" not in words(page)
    submit(browser, standard, "now", page)
    assert balance(alice) == 655_00


def test_cancelling_a_paused_subscription_refunds_the_kept_time(browser, clock, standard, alice):
    act(standard, HALF, lambda book: book.pause(standard))
    page = browser.get(address(standard, "cancel/"))
    assert "We refund ₽345.00 for unused time to your balance." in words(page)
    clock.shift(100 * DAY)
    submit(browser, standard, "now", page)
    assert balance(alice) == 655_00


def test_cancelling_metered_use_charges_only_the_use_so_far(browser, clock, alice, on_sale):
    """2 hours at 1.50: 3.00 of 10.00."""
    row = bought(alice, "hourly", paid_in=10_00)
    clock.shift(2 * HOUR)
    assert "You pay for what you used up to that second and nothing after it." in words(
        browser.get(address(row, "cancel/"))
    )
    submit(browser, row, "now")
    assert balance(alice) == 7_00


def test_a_trial_can_be_cancelled_now_or_at_its_end_for_free(browser, clock, alice, on_sale):
    row = bought(alice, "premium", paid_in=0)
    page = words(browser.get(address(row, "cancel/")))
    assert "Cancel on 15 March 2026" in page
    assert "Access ends at once. Nothing is charged." in page


def test_another_customers_subscription_is_not_found(client, browser, mallory, standard):
    form = {**hidden(browser.get(address(standard, "cancel/"))), "when": "now"}
    assert client.get(address(standard, "cancel/"))["location"].startswith("/login/")
    client.force_login(mallory)
    assert client.get(address(standard, "cancel/")).status_code == 404
    assert client.post(address(standard, "cancel/"), form).status_code == 404
    standard.refresh_from_db()
    assert standard.status == "active"


def test_a_plan_without_refunds_says_so_and_gives_nothing_back(browser, clock, alice, on_sale):
    sell("strict", RUB=310_00, can_refund_unused=False)
    row = bought(alice, "strict", paid_in=310_00)
    clock.move_to(at(days=1))
    page = browser.get(address(row, "cancel/"))
    assert "It ends at once. This plan does not refund unused time." in words(page)
    assert "Cancelled. The subscription has ended." in words(browser.get(submit(browser, row, "now", page)["location"]))
    assert balance(alice) == 0


def test_a_paused_plan_without_refunds_says_so(browser, clock, alice, on_sale):
    sell("strict", RUB=310_00, can_refund_unused=False)
    row = bought(alice, "strict", paid_in=310_00)
    act(row, at(), lambda book: book.pause(row))
    assert "This plan does not refund unused time." in words(browser.get(address(row, "cancel/")))
    submit(browser, row, "now")
    assert balance(alice) == 0


def test_cancelling_in_the_grace_period_shows_what_its_days_cost(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=720_00)
    clock.move_to(at(days=32))
    # A day of 690.00 for 30.
    assert "The days since the unpaid period ended are charged: ₽23.00 so far." in words(
        browser.get(address(row, "cancel/"))
    )
    submit(browser, row, "now")
    assert balance(alice) == 7_00
