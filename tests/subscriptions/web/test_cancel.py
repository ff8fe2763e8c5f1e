"""Cancelling on the pages: at the end or now, with what comes back in numbers, and nothing but what was shown."""

import pytest

from subscriptions import catalogue, quotes
from tests.subscriptions.bank import DAY, HOUR, MINUTE, SECOND, at, balance
from tests.web import HALF, act, address, bought, hidden, words

NBSP = "\u00a0"


def sent(browser, row, when, page=None):
    """Send the form as the page (by default as it is now) gave it."""
    page = page or browser.get(address(row, "cancel/"))
    return browser.post(address(row, "cancel/"), {**hidden(page), "when": when})


def test_each_way_says_what_it_does_in_numbers(browser, standard):
    page = words(browser.get(address(standard, "cancel/")))
    assert f"Cancel on 1 April 2026 You keep it until 1 April 2026, 12:00{NBSP}UTC. Nothing more is charged" in page
    # Half of 690.00; 690.00 over the 744 hours of March are 0.927 an hour, rounded up.
    assert f"The unused part goes back to your balance: RUB{NBSP}345.00 at this moment." in page
    assert f"The exact amount is worked out when you confirm; it gets less by about RUB{NBSP}0.93 an hour." in page


def test_at_the_end_keeps_it_until_then(browser, standard, alice):
    answer = browser.get(sent(browser, standard, "period_end")["location"])
    assert "You cancelled it. It stays until 1 April 2026" in words(answer)
    standard.refresh_from_db()
    assert (standard.status, standard.cancel_requested) == ("active", True)
    assert balance(alice) == 310_00


def test_now_gives_back_what_was_shown_and_says_how_much_it_was(browser, standard, alice):
    answer = browser.get(sent(browser, standard, "now")["location"])
    assert f"Cancelled. RUB{NBSP}345.00 came back to your balance." in words(answer)
    standard.refresh_from_db()
    assert (standard.status, balance(alice)) == ("cancelled", 655_00)
    assert "given back" in words(browser.get(address(standard)))


def test_a_page_that_was_read_for_some_minutes_gives_what_is_left_and_says_so(browser, clock, standard, alice):
    page = browser.get(address(standard, "cancel/"))
    clock.shift(10 * MINUTE)
    answer = browser.get(sent(browser, standard, "now", page)["location"])
    # 10 minutes of 690.00 over 44640 are 0.1545...: 344.845, rounded down.
    assert f"Cancelled. RUB{NBSP}344.84 came back to your balance." in words(answer)
    assert balance(alice) == 654_84


@pytest.mark.parametrize("later", [15 * MINUTE + 40 * SECOND, DAY])
def test_a_page_that_lay_longer_is_shown_again_and_nothing_is_done(browser, clock, standard, alice, later):
    page = browser.get(address(standard, "cancel/"))
    clock.shift(later)
    again = sent(browser, standard, "now", page)
    assert again.status_code == 422
    assert "Nothing was done; look at it again." in words(again)
    assert f"RUB{NBSP}345.00" not in words(again)
    standard.refresh_from_db()
    assert (standard.status, balance(alice)) == ("active", 310_00)
    assert sent(browser, standard, "now", again).status_code == 303


def test_another_plan_since_the_page_was_shown_is_not_cancelled_by_it(browser, clock, standard, alice):
    page = browser.get(address(standard, "cancel/"))
    quotes.accept(quotes.make(standard, catalogue.current("basic", "RUB"), now=HALF), now=HALF)
    clock.shift(HOUR)
    assert sent(browser, standard, "now", page).status_code == 422
    assert sent(browser, standard, "period_end", page).status_code == 422
    standard.refresh_from_db()
    assert not standard.cancel_requested


def test_an_end_that_has_passed_is_not_taken_for_the_next(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=2000_00)
    page = browser.get(address(row, "cancel/"))
    clock.move_to(at(days=40))
    again = sent(browser, row, "period_end", page)
    assert again.status_code == 422
    assert "Cancel on 1 May 2026" in words(again)


@pytest.mark.parametrize("when", ["now", "period_end"])
def test_sent_twice_it_is_done_once(browser, standard, alice, when):
    page = browser.get(address(standard, "cancel/"))
    for _ in range(2):
        answer = sent(browser, standard, when, page)
        assert (answer.status_code, answer["location"]) == (303, address(standard))
    assert balance(alice) == (655_00 if when == "now" else 310_00)


def test_a_way_that_is_not_offered_is_an_error(browser, standard):
    answer = sent(browser, standard, "yesterday")
    assert answer.status_code == 422
    assert "There is a problem" in words(answer)


def test_what_was_cancelled_for_the_end_can_be_ended_now(browser, standard, alice):
    act(standard, HALF, lambda book: book.cancel(standard))
    page = browser.get(address(standard, "cancel/"))
    assert "Cancel on" not in words(page)
    sent(browser, standard, "now", page)
    assert balance(alice) == 655_00


def test_a_pause_gives_back_what_it_kept_however_long_it_lasts(browser, clock, standard, alice):
    act(standard, HALF, lambda book: book.pause(standard))
    page = browser.get(address(standard, "cancel/"))
    assert f"The unused part, RUB{NBSP}345.00, goes back to your balance." in words(page)
    clock.shift(100 * DAY)
    sent(browser, standard, "now", page)
    assert balance(alice) == 655_00


def test_metered_use_stops_at_once_and_only_what_was_used_is_charged(browser, clock, alice, on_sale):
    """2 hours at 1.50: 3.00 of 10.00."""
    row = bought(alice, "hourly", paid_in=10_00)
    clock.shift(2 * HOUR)
    assert "What was used up to this second is charged, nothing after it." in words(
        browser.get(address(row, "cancel/"))
    )
    sent(browser, row, "now")
    assert balance(alice) == 7_00


def test_a_trial_can_end_now_or_at_its_end_and_costs_nothing(browser, clock, alice, on_sale):
    row = bought(alice, "premium", paid_in=0)
    page = words(browser.get(address(row, "cancel/")))
    assert "Cancel on 15 March 2026" in page
    assert "Access ends at once. Nothing is charged." in page


def test_it_is_nobody_elses(client, browser, mallory, standard):
    form = {**hidden(browser.get(address(standard, "cancel/"))), "when": "now"}
    assert client.get(address(standard, "cancel/"))["location"].startswith("/login/")
    client.force_login(mallory)
    assert client.get(address(standard, "cancel/")).status_code == 404
    assert client.post(address(standard, "cancel/"), form).status_code == 404
    standard.refresh_from_db()
    assert standard.status == "active"
