from typing import Any

import pytest
from django.test import Client

from billing_site.demo import plans
from subscriptions import catalogue, orders
from subscriptions.models import Plan, Price
from tests.subscriptions.shop import pay_in
from tests.web import heading, put_on_sale, words


def rows() -> list[list[dict[str, object]]]:
    """Return the plans and the prices without their ids."""
    prices = [
        {**price, "plan_id": Plan.objects.get(pk=price["plan_id"]).code}
        for price in Price.objects.order_by("id").values()
    ]
    return [[{**row, "id": None} for row in table] for table in (Plan.objects.order_by("position").values(), prices)]


def test_the_plans_of_these_tests_are_those_of_the_demo(db, now):
    put_on_sale(now=now)
    ours = rows()
    Price.objects.all().delete()
    Plan.objects.all().delete()
    plans.put_on_sale(now=now)
    assert ours == rows()
    assert [len(table) for table in ours] == [4, 8]


@pytest.mark.parametrize("address", ["/", "/pricing/"])
def test_anyone_can_see_plans_and_prices(client, on_sale, address):
    page = words(client.get(address + "?currency=RUB"))
    assert "₽690.00 a month" in page
    assert "₽1.50 an hour" in page


def test_trial_terms_are_shown_in_full(client, on_sale):
    page = words(client.get("/pricing/?currency=EUR"))
    assert "Free for 14 days, then €15.90 a month. Nothing to pay now." in page


def test_plans_are_in_the_order_set_by_staff(client, on_sale):
    page = words(client.get("/pricing/"))
    assert page.index("Basic") < page.index("Standard") < page.index("Premium") < page.index("Pay as you go")


def test_an_unknown_currency_is_never_replaced_by_another(client, on_sale):
    page = client.get("/pricing/?currency=XXX")
    assert page.status_code == 404
    assert "There are no plans in XXX." in words(page)
    assert 'href="?currency=RUB"' in page.content.decode()
    assert "€" not in words(page)


def test_the_default_currency_follows_the_language(client, on_sale):
    assert "€7.90" in words(client.get("/pricing/?currency=EUR"))
    assert "₽690.00" in words(client.get("/pricing/?currency=RUB"))
    assert "€7.90" in words(client.get("/pricing/"))
    assert "690,00\u00a0₽" in words(client.get("/ru/pricing/"))


def test_an_anonymous_visitor_signs_up_and_returns_to_the_checkout(client: Client, on_sale, alice):
    page = client.get("/pricing/?currency=RUB")
    assert 'href="/signup/?next=/checkout/standard/%3Fcurrency=RUB"' in page.content.decode()


def test_the_current_plan_is_marked_and_links_to_the_subscription(browser, alice, now):
    held = orders.subscribe(alice, catalogue.current("premium", "EUR"), now=now)
    page = browser.get("/pricing/?currency=EUR")
    assert f'href="/account/subscriptions/{held.public_id}/"' in page.content.decode()
    assert words(page).count("Manage your plan") == 1


def test_hidden_plans_and_old_versions_are_not_shown(client, on_sale, now):
    catalogue.new_version(Price.objects.get(plan__code="basic", currency="RUB"), now=now, amount=349_00)
    Plan.objects.filter(code="premium").update(is_public=False)
    page = words(client.get("/pricing/?currency=RUB"))
    assert "349.00" in page
    assert "299.00" not in page
    assert "Premium" not in page


def test_an_empty_price_list_says_so(client, db):
    page = client.get("/pricing/")
    assert heading(page) == "Plans and prices"
    assert "No plans yet" in words(page)


def test_the_page_takes_few_queries(client, on_sale, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        client.get("/pricing/")


def test_the_default_currency_is_that_of_the_customers_money(browser, alice, now):
    """Euros by default in English; roubles for a customer with roubles; euros again after subscribing in euros."""
    assert "€7.90" in words(browser.get("/pricing/"))
    pay_in(alice, 5000_00, "RUB")
    for page, text in {"/pricing/": "₽690.00", "/topup/": "Pay ₽", "/checkout/standard/": "Pay ₽"}.items():
        assert text in words(browser.get(page))
        assert "€" in words(browser.get(page + "?currency=EUR"))
    pay_in(alice, 100_00, "EUR")
    orders.subscribe(alice, Price.objects.get(plan__code="basic", currency="EUR"), now=now)
    for page, text in {"/pricing/": "€7.90", "/topup/": "Pay €", "/checkout/standard/": "Pay €"}.items():
        assert text in words(browser.get(page))


def card_of(page: Any, code: str) -> str:
    """Return the HTML of a plan's card."""
    html = page.content.decode()
    return html[html.index(f'aria-labelledby="plan-{code}"') :].partition("</section>")[0]


def test_who_holds_a_plan_is_offered_the_change_to_the_others(browser, alice, now):
    """The link asks for a quote, so the amounts are shown before anything is charged."""
    pay_in(alice, 100_00, "EUR")
    held = orders.subscribe(alice, catalogue.current("basic", "EUR"), now=now)
    page = browser.get("/pricing/?currency=EUR")
    link = f"/account/subscriptions/{held.public_id}/change/?plan=standard"
    assert f'href="{link}"' in card_of(page, "standard")
    assert "Change to Standard" in card_of(page, "standard")
    assert heading(browser.get(link, follow=True)) == "Change to Standard?"
    assert "Your plan" in card_of(page, "basic")
    assert "Change to Basic" not in words(page)


def test_a_second_one_of_the_same_plan_has_its_own_words(browser, alice, now):
    pay_in(alice, 100_00, "EUR")
    orders.subscribe(alice, catalogue.current("basic", "EUR"), now=now)
    card = card_of(browser.get("/pricing/?currency=EUR"), "basic")
    assert "Add another Basic" in card
    assert 'href="/checkout/basic/?currency=EUR"' in card


def test_metered_plans_are_added_beside_the_held_one(browser, alice, now):
    pay_in(alice, 100_00, "EUR")
    orders.subscribe(alice, catalogue.current("basic", "EUR"), now=now)
    card = card_of(browser.get("/pricing/?currency=EUR"), "hourly")
    assert 'href="/checkout/hourly/?currency=EUR"' in card
    assert "Change to" not in card
    orders.subscribe(alice, catalogue.current("hourly", "EUR"), now=now)
    assert "Add another Pay as you go" in card_of(browser.get("/pricing/?currency=EUR"), "hourly")


def test_of_several_plans_the_newest_that_can_be_changed_is_offered_for_the_change(browser, alice, now):
    """Neither metered use nor an order that nobody paid is a plan that the customer would change."""
    pay_in(alice, 100_00, "EUR")
    orders.subscribe(alice, catalogue.current("basic", "EUR"), now=now)
    newest = orders.subscribe(alice, catalogue.current("basic", "EUR"), now=now)
    orders.subscribe(alice, catalogue.current("hourly", "EUR"), now=now)
    orders.subscribe(alice, catalogue.current("standard", "EUR"), quantity=100, now=now)
    page = browser.get("/pricing/?currency=EUR")
    assert f"/account/subscriptions/{newest.public_id}/change/?plan=premium" in card_of(page, "premium")
    assert "Waiting for payment" in card_of(page, "standard")
    assert "Your plan" not in card_of(page, "standard")


def test_a_plan_in_another_currency_cannot_be_changed_to(browser, alice, now):
    pay_in(alice, 100_00, "EUR")
    orders.subscribe(alice, catalogue.current("basic", "EUR"), now=now)
    page = browser.get("/pricing/?currency=RUB")
    assert "Change to" not in words(page)
    assert 'href="/checkout/standard/?currency=RUB"' in card_of(page, "standard")


def test_the_trial_is_offered_only_to_who_can_still_have_it(browser, alice, now):
    assert "Try for free" in card_of(browser.get("/pricing/?currency=EUR"), "premium")
    row = orders.subscribe(alice, catalogue.current("premium", "EUR"), now=now)
    orders.change(row, now=now, act=lambda book: book.cancel(row, when="now"))
    page = browser.get("/pricing/?currency=EUR")
    assert "Choose" in card_of(page, "premium")
    assert "Try for free" not in card_of(page, "premium")
    assert "Free for 14 days" not in card_of(page, "premium")
    assert "free trial" not in card_of(page, "premium")


def test_the_page_of_who_holds_plans_takes_few_queries(browser, alice, now, django_assert_max_num_queries):
    orders.subscribe(alice, catalogue.current("premium", "EUR"), now=now)
    with django_assert_max_num_queries(8):
        browser.get("/pricing/?currency=EUR")
