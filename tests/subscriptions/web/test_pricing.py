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
