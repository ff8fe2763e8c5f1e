"""Changing the plan of a trial, of an order, of a suspended subscription and of an unpaid one."""

from tests.subscriptions.bank import at, balance
from tests.subscriptions.shop import pay_in, sell
from tests.subscriptions.web.plan_change import choose, quote_page
from tests.web import act, address, bought, words


def test_a_trial_keeps_its_end_if_the_new_plan_has_one_too(browser, clock, alice, on_sale):
    sell("another", RUB=500_00, trial_days=30)
    row = bought(alice, "premium", paid_in=0)
    page = words(choose(browser, row, "another"))
    assert "Your free trial still ends on 15 March 2026." in page
    assert "Next charge ₽500.00 15 March 2026" in page


def test_a_trial_ends_with_a_change_to_a_plan_without_one(browser, clock, alice, on_sale):
    row = bought(alice, "premium", paid_in=0)
    assert "You pay now +₽299.00" in words(browser.get(address(row, "change/?plan=basic"), follow=True))
    pay_in(alice, 300_00, at=at())
    page = words(choose(browser, row, "basic"))
    assert "Your free trial ends when you confirm, and Basic starts." in page
    browser.post(quote_page(row))
    row.refresh_from_db()
    assert (row.price.plan.code, row.status, balance(alice)) == ("basic", "active", 1_00)


def test_a_change_of_a_pending_subscription_keeps_it_pending(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=100_00)
    page = words(choose(browser, row, "basic"))
    assert "Basic replaces Standard. It starts when you pay ₽299.00." in page
    browser.post(quote_page(row))
    row.refresh_from_db()
    assert (row.price.plan.code, row.status) == ("basic", "pending")


def test_a_change_of_an_order_counts_the_debt(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=0)
    act(row, at(), lambda book: book.lose_dispute(30_00, key="dispute:1"))
    assert "Basic replaces Standard. It starts when you pay ₽329.00." in words(choose(browser, row, "basic"))
    page = words(browser.post(quote_page(row), follow=True))
    assert "Not paid yet. It starts when you pay ₽329.00." in page


def test_a_suspended_subscription_is_paid_for_whatever_else_is_suspended(browser, clock, alice, on_sale):
    """Basic for 299.00 is older: a plain top-up would start it first. A payment for Premium starts Premium."""
    older, row = bought(alice, "basic", paid_in=299_00), bought(alice, "premium", paid_in=0)
    clock.move_to(at(days=32))
    page = browser.get(address(row))
    assert "Your balance was too low. Pay ₽1,490.00 and it starts again." in words(page)
    assert f'href="{address(row, "pay/")}"' in page.content.decode()
    assert "/topup/" not in words(choose(browser, row, "standard"))
    assert "Standard replaces Premium. It starts when you pay ₽690.00." in words(browser.get(quote_page(row)))
    browser.post(quote_page(row))
    act(row, at(days=32), lambda book: book.top_up(690_00, key="test:in", source="gateway_clearing:sandbox", first=row))
    for each, status in ((row, "active"), (older, "suspended")):
        each.refresh_from_db()
        assert each.status == status


def test_a_change_of_a_suspended_subscription_says_what_starts_it(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(at(days=36))
    page = words(choose(browser, row, "basic"))
    # Three days of grace cost 69.00, which the 10.00 did not pay: a debt of 59.00, and 299.00.
    assert "Basic replaces Standard. It starts when you pay ₽358.00." in page
    browser.post(quote_page(row))
    row.refresh_from_db()
    assert (row.price.plan.code, row.status, row.wait_end) == ("basic", "suspended", at(days=66))


def test_a_change_in_the_grace_period_waits_until_it_can_be_paid(browser, clock, alice, on_sale):
    row = bought(alice, "standard", paid_in=700_00)
    clock.move_to(at(days=32))  # The renewal of 1 April found only 10.00; grace until the 4th.
    page = browser.get(address(row, "change/?plan=basic&when=now"), follow=True)
    # 299.00 - 10.00, and 25.5 hours of 720 of 690.00: 24.4375, rounded up.
    assert "You pay now +₽313.44" in words(page)
    pay_in(alice, 400_00, at=at(days=32))
    page = words(choose(browser, row, "basic"))
    # A day and 15 minutes: 23.239...
    assert "Standard since the unpaid period ended ₽690.00 × 1 day 15 min of 30 days −₽23.24" in page
    assert "Pay at most ₽322.24 and change to Basic" in page
