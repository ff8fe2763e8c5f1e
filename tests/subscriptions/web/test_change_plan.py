"""Changing the plan on the pages: what is shown is what is posted, and nothing is taken that was not shown."""

from datetime import timedelta

import pytest

from subscriptions import catalogue, quotes
from subscriptions.models import Quote, Subscription
from tests.subscriptions.bank import SECOND, at, balance
from tests.subscriptions.picture import lines
from tests.subscriptions.shop import pay_in
from tests.web import HALF, NEAR_HALF, act, address, bought, heading, words

NBSP = "\u00a0"


@pytest.fixture
def standard(clock, alice, on_sale) -> Subscription:
    """690.00 a month since noon of 1 March, 1310.00 left; it is two minutes to the half of March."""
    row = bought(alice, "standard", paid_in=2000_00)
    clock.move_to(NEAR_HALF)
    return row


def asked(browser, row, plan="premium", when="now"):
    """Choose a plan, and follow to the page of amounts."""
    return browser.get(address(row, f"change/?plan={plan}&when={when}"), follow=True)


def quote_page(row) -> str:
    return address(row, f"change/{Quote.objects.latest('pk').public_id}/")


def test_the_plans_of_its_currency_are_offered_and_its_own_cannot_be_chosen(browser, standard):
    page = browser.get(address(standard, "change/"))
    assert "Basic RUB\u00a0299.00 a month" in words(page)
    assert "Standard Your plan RUB\u00a0690.00 a month" in words(page)
    assert "Pay as you go RUB\u00a01.50 an hour" in words(page)
    assert "€" not in words(page)
    html = page.content.decode()
    assert 'value="standard" disabled' in html
    assert html.count(" disabled") == 1
    assert browser.get(address(standard, "change/?plan=standard")).status_code == 422


def test_now_says_what_comes_back_and_the_end_that_nothing_is_charged_before(browser, standard):
    page = words(browser.get(address(standard, "change/")))
    # 15 d 12 h 2 min of 31 days of 690.00: 345.0309
    assert "The unused part of Standard, RUB\u00a0345.03 at this moment, comes back" in page
    assert "On 1 April 2026 You keep Standard until then. Nothing is charged before." in page


def test_metered_use_has_no_end_to_wait_for(browser, clock, alice):
    row = bought(alice, "hourly", paid_in=10_00)
    assert "When?" not in words(browser.get(address(row, "change/")))


@pytest.mark.parametrize("ends", ["cancelled", "not renewed"])
def test_what_ends_with_its_period_offers_no_change_at_that_end(browser, standard, ends):
    act(
        standard,
        NEAR_HALF,
        lambda book: book.cancel(standard) if ends == "cancelled" else book.set_auto_renew(standard, False),
    )
    assert "When?" not in words(browser.get(address(standard, "change/")))
    assert browser.get(address(standard, "change/?plan=basic&when=period_end")).status_code == 422


def test_nothing_chosen_or_nonsense_is_said_and_nothing_is_quoted(browser, standard):
    page = browser.get(address(standard, "change/?when=now"))
    assert (page.status_code, "Choose a plan" in words(page)) == (422, True)
    assert browser.get(address(standard, "change/?plan=nonsense")).status_code == 422
    assert browser.get(address(standard, "change/?plan=basic&when=yesterday")).status_code == 422
    assert not Quote.objects.exists()


def test_each_line_is_shown_with_its_arithmetic_and_both_balances(browser, standard):
    page = words(asked(browser, standard))
    # Half of March comes back, a month of Premium is paid: 1310 + 345 - 1490 = 165.00.
    assert f"Balance now RUB{NBSP}1,310.00" in page
    assert f"Unused part of Standard RUB{NBSP}690.00 × 15 days 12 h of 31 days +RUB{NBSP}345.00" in page
    assert f"Premium RUB{NBSP}1,490.00 a month × 1 month −RUB{NBSP}1,490.00" in page
    assert f"Balance after RUB{NBSP}165.00" in page


def test_it_says_what_happens_to_the_plan_and_when_and_what_comes_next(browser, standard):
    page = words(asked(browser, standard))
    moment = f"17 March 2026, 00:00:00{NBSP}UTC"
    assert f"You keep Standard until {moment}. Then Premium starts. The money moves when you confirm." in page
    assert f"Takes effect {moment}" in page
    assert f"Next payment RUB{NBSP}1,490.00 17 April 2026, 00:00{NBSP}UTC" in page
    assert f"These amounts hold until {moment}." in page
    # 1490 - 345
    assert f"Pay RUB{NBSP}1,145.00 and change to Premium" in page


def test_looking_moves_nothing(browser, standard, alice):
    asked(browser, standard)
    browser.get(quote_page(standard))
    assert balance(alice) == 1310_00
    standard.refresh_from_db()
    assert (standard.scheduled_price, standard.next_period_end) == (None, None)


def test_confirming_posts_exactly_what_was_shown(browser, standard, alice):
    asked(browser, standard)
    answer = browser.post(quote_page(standard), follow=True)
    assert answer.redirect_chain == [(address(standard), 303)]
    assert [amount for _, amount, _, _ in lines(alice)[-2:]] == [345_00, -1490_00]
    assert balance(alice) == 165_00
    assert f"Changes to Premium on 17 March 2026, 00:00:00{NBSP}UTC" in words(answer)


def test_when_the_instant_has_come_the_new_plan_is_there(browser, clock, standard):
    asked(browser, standard)
    browser.post(quote_page(standard))
    clock.move_to(HALF)
    page = browser.get(address(standard))
    assert heading(page) == "Premium"
    assert f"Next payment on 17 April 2026: RUB{NBSP}1,490.00" in words(page)


def test_sent_twice_it_is_done_once(browser, standard, alice):
    asked(browser, standard)
    for _ in range(2):
        answer = browser.post(quote_page(standard))
        assert (answer.status_code, answer["location"]) == (303, address(standard))
    assert balance(alice) == 165_00
    assert browser.get(quote_page(standard))["location"] == address(standard)


def test_a_quote_that_no_longer_holds_charges_nothing_and_shows_the_new_amounts(browser, clock, standard, alice):
    asked(browser, standard)
    first = quote_page(standard)
    clock.move_to(HALF + SECOND)
    answer = browser.post(first, follow=True)
    page = words(answer)
    assert "The amounts have changed. You have not been charged." in page
    assert balance(alice) == 1310_00
    # The next whole minute after two: 00:03. 15 d 11 h 57 min of 31 days of 690.00 are 344.953...
    assert f"+RUB{NBSP}344.95" in page
    assert f"Pay RUB{NBSP}1,145.05 and change to Premium" in page
    assert answer.redirect_chain == [(quote_page(standard), 303)] != [(first, 303)]
    browser.post(quote_page(standard))
    assert balance(alice) == 164_95


def test_one_that_is_only_too_old_is_not_said_to_have_changed(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=1000_00)
    asked(browser, row, "basic")
    clock.shift(timedelta(minutes=16))
    page = words(browser.post(quote_page(row), follow=True))
    assert "The calculation was too old, so it was made again. You have not been charged." in page
    assert "amounts have changed" not in page


def test_coming_back_to_an_old_quote_shows_a_fresh_one(browser, clock, standard):
    asked(browser, standard)
    old = quote_page(standard)
    clock.shift(timedelta(hours=1))
    answer = browser.get(old, follow=True)
    assert answer.redirect_chain[-1] == (quote_page(standard), 303)
    assert quote_page(standard) != old


def test_what_is_missing_is_said_to_the_unit_with_the_way_to_pay_it_and_back(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(NEAR_HALF)
    page = browser.get(address(row, "change/?plan=premium&when=now"))
    # 10 left + 345 come back; 1490 are needed.
    assert page.status_code == 422
    assert f"RUB{NBSP}1,135.00 is missing on your balance" in words(page)
    assert "Nothing was changed, and you have not been charged." in words(page)
    there = address(row, "change/").replace("/", "%2F") + "%3Fplan%3Dpremium%26when%3Dnow"
    # With what the 345.03 that come back now lose in an hour: 690.00 over the 744 hours of March, 0.93.
    assert f"The top-up has RUB{NBSP}0.93 added" in words(page)
    link = f"/topup/?currency=RUB&amp;need=1135.93&amp;next={there}"
    assert f'href="{link}"' in page.content.decode()
    assert f"Pay RUB{NBSP}1,135.93" in words(browser.get(link.replace("&amp;", "&")))


def test_what_was_paid_in_is_enough_when_the_customer_comes_back_within_the_hour(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(NEAR_HALF)
    pay_in(alice, 1135_93, at=NEAR_HALF)
    clock.shift(timedelta(minutes=57))
    page = asked(browser, row)
    assert page.status_code == 200
    browser.post(quote_page(row))
    # 10 + 1135.93 less what the hour after NEAR_HALF took off 1135.00, rounded.
    assert 0 <= balance(alice) <= 5


def test_metered_use_that_goes_on_while_the_customer_pays_is_allowed_for(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=100_00)
    page = words(browser.get(address(row, "change/?plan=basic")))
    # 100.00 there, 299.00 needed; an hour of use takes 1.50 more.
    assert f"RUB{NBSP}199.00 is missing" in page
    assert f"Top up RUB{NBSP}200.50" in page


def test_money_that_went_meanwhile_is_said_and_nothing_is_charged(browser, standard, alice):
    asked(browser, standard)
    # 1310 less 1000 leaves 310: with the 345 that come back 835 are missing.
    act(standard, NEAR_HALF, lambda book: book.withdraw(1000_00, key="t:1", to="gateway_clearing:sandbox"))
    page = browser.post(quote_page(standard), follow=True)
    assert f"RUB{NBSP}835.00 is missing on your balance" in words(page)
    assert balance(alice) == 310_00


def test_at_the_end_nothing_moves_now_and_the_plan_waits(browser, standard, alice):
    page = words(asked(browser, standard, "basic", "period_end"))
    assert f"You keep Standard until 1 April 2026, 12:00{NBSP}UTC. Then Basic starts." in page
    assert f"Balance now RUB{NBSP}1,310.00 Balance after RUB{NBSP}1,310.00" in page
    assert f"Next payment RUB{NBSP}299.00 1 April 2026, 12:00{NBSP}UTC" in page
    page = words(browser.post(quote_page(standard), follow=True))
    assert f"Changes to Basic on 1 April 2026: RUB{NBSP}299.00, from your balance." in page
    assert "Planned change Basic" in page
    assert balance(alice) == 1310_00
    assert "Basic planned" in words(browser.get(address(standard, "change/")))


def test_a_change_at_the_end_warns_of_what_the_balance_lacks_for_it(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    # 1490 less the 10.00 there are
    assert f"For this RUB{NBSP}1,480.00 is still missing" in words(asked(browser, row, "premium", "period_end"))


def test_another_plan_takes_the_place_of_the_planned_one(browser, standard):
    act(
        standard,
        NEAR_HALF,
        lambda book: book.change_plan(standard, catalogue.current("basic", "RUB"), when="period_end"),
    )
    assert "This takes the place of the change to Basic" in words(asked(browser, standard, "premium", "period_end"))
    assert "The change to Basic that was planned does not happen." in words(asked(browser, standard, "premium", "now"))


def test_a_plan_that_will_not_renew_does_not_promise_the_planned_change(browser, standard):
    act(
        standard,
        NEAR_HALF,
        lambda book: book.change_plan(standard, catalogue.current("basic", "RUB"), when="period_end"),
    )
    act(standard, NEAR_HALF, lambda book: book.set_auto_renew(standard, False))
    page = words(browser.get(address(standard)))
    assert "The planned change to Basic comes only if it renews." in page
    assert "Planned change" not in page


def test_a_change_now_takes_a_cancellation_back_and_says_so(browser, standard):
    act(standard, NEAR_HALF, lambda book: book.cancel(standard))
    assert "Your cancellation is taken back" in words(asked(browser, standard))
    browser.post(quote_page(standard))
    standard.refresh_from_db()
    assert not standard.cancel_requested


def test_a_trial_keeps_its_end(browser, clock, alice, on_sale):
    row = bought(alice, "premium", paid_in=0)
    page = words(asked(browser, row, "basic"))
    assert "Your free trial still ends on 15 March 2026." in page
    assert f"Next payment RUB{NBSP}299.00 15 March 2026, 12:00{NBSP}UTC" in page


def test_what_waits_for_money_says_that_it_goes_on_waiting(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=100_00)
    page = words(asked(browser, row, "basic"))
    assert f"Basic takes the place of Standard. It starts when you top up RUB{NBSP}199.00." in page
    browser.post(quote_page(row))
    row.refresh_from_db()
    assert (row.price.plan.code, row.status) == ("basic", "pending")


def test_grace_that_would_be_lost_is_said(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(at(days=32))  # renewal of 1 April found 10.00; grace until the 4th
    assert f"Standard and your access end when you confirm. Basic starts when you top up RUB{NBSP}289.00." in words(
        asked(browser, row, "basic")
    )


def test_to_metered_it_says_the_rate(browser, standard):
    page = words(asked(browser, standard, "hourly"))
    assert f"As you use it RUB{NBSP}1.50 an hour" in page
    assert "Change to Pay as you go" in page


def test_without_renewal_there_is_no_next_payment(browser, standard):
    act(standard, NEAR_HALF, lambda book: book.set_auto_renew(standard, False))
    assert "Next payment none: it does not renew by itself" in words(asked(browser, standard))


def test_quantity_and_periods_are_in_every_amount(browser, clock, alice, on_sale):
    row = bought(alice, "basic", paid_in=10_000_00, quantity=2, periods=3)
    page = words(browser.get(address(row, "change/")))
    # 690 x 2 x 3
    assert f"Standard RUB{NBSP}4,140.00 every 3 months" in page
    assert f"RUB{NBSP}690.00 a month × 2 × 3 months" in words(asked(browser, row, "standard"))


@pytest.mark.parametrize("state", ["paused", "cancelled", "under way"])
def test_where_no_change_is_possible_the_page_leads_back(browser, standard, state):
    made = quotes.make(standard, catalogue.current("premium", "RUB"), now=NEAR_HALF)
    if state == "under way":
        quotes.accept(quotes.make(standard, catalogue.current("basic", "RUB"), now=NEAR_HALF), now=NEAR_HALF)
    else:
        act(
            standard,
            NEAR_HALF,
            lambda book: book.pause(standard) if state == "paused" else book.cancel(standard, when="now"),
        )
    before = balance(standard.customer)
    for part in ("change/", "change/?plan=premium", f"change/{made.public_id}/"):
        assert browser.get(address(standard, part))["location"] == address(standard)
    answer = browser.post(address(standard, f"change/{made.public_id}/"), follow=True)
    assert "This cannot be done any more." in words(answer)
    assert balance(standard.customer) == before


def test_anothers_subscription_and_quote_are_not_there(client, browser, mallory, standard, alice):
    asked(browser, standard)
    quote = quote_page(standard)
    other = bought(mallory, "basic", paid_in=2000_00, when=NEAR_HALF)
    client.force_login(mallory)
    mixed = address(other, "change/") + quote.split("/")[-2] + "/"
    for place in (address(standard, "change/"), quote, mixed):
        assert client.get(place).status_code == 404
        assert client.post(place).status_code in (404, 405)
    assert balance(alice) == 1310_00


def test_strangers_are_sent_to_log_in(client, browser, standard):
    asked(browser, standard)
    for place in (address(standard, "change/"), quote_page(standard)):
        assert client.get(place)["location"].startswith("/login/")


def test_it_reads_in_russian(browser, standard):
    browser.get(address(standard, "change/"))
    page = browser.get("/ru" + address(standard, "change/?plan=premium&when=now"), follow=True)
    assert "Заплатить" in words(page)
    assert "и перейти на «Премиум»" in words(page)


def test_a_planned_change_can_be_dropped_again(browser, standard):
    act(
        standard,
        NEAR_HALF,
        lambda book: book.change_plan(standard, catalogue.current("basic", "RUB"), when="period_end"),
    )
    assert "Changes to Basic on 1 April 2026" in words(browser.get(address(standard)))
    page = words(browser.post(address(standard, "keep-plan/"), follow=True))
    assert "The planned change is dropped." in page
    assert "Next payment on 1 April 2026: RUB\u00a0690.00" in page
    standard.refresh_from_db()
    assert (standard.scheduled_price, balance(standard.customer)) == (None, 1310_00)
