import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from billing_site.demo import plans
from events.models import Mail
from payments import checkout
from payments.models import Adjustment
from subscriptions import catalogue, orders
from subscriptions.models import Plan, Price
from tests.subscriptions.shop import pay_in


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def root(superuser, now) -> Client:
    plans.put_on_sale(now=now)
    client = Client()
    client.force_login(superuser)
    return client


TERMS = {
    "interval": "month", "interval_count": "1", "trial_days": "0", "trial_quantity_max": "10", "grace_days": "0",
    "keep_days": "30", "can_refund_unused": "on", "reason": "Costs have risen",
}  # fmt: skip


def price_of(code: str, currency: str = "RUB") -> Price:
    return Price.objects.get(plan__code=code, currency=currency, archived_at=None)


def test_a_price_in_use_cannot_be_edited(root, alice, now):
    pay_in(alice, 1000_00, at=now)
    orders.subscribe(alice, price_of("standard"), now=now)
    address = f"/admin/subscriptions/price/{price_of('standard').pk}/change/"
    assert b'name="amount"' not in root.get(address).content
    root.post(address, TERMS | {"amount": "1"})
    assert price_of("standard").amount == 690_00


def test_a_new_version_replaces_the_old_one_and_customers_keep_theirs(root, alice, now):
    pay_in(alice, 1000_00, at=now)
    held = orders.subscribe(alice, price_of("standard"), now=now)
    old = price_of("standard")
    address = f"/admin/subscriptions/price/{old.pk}/new-version/"
    terms = TERMS | {"amount": "790.00", "grace_days": "3"}
    assert "Nothing is saved yet." in root.post(address, terms).text
    assert price_of("standard") == old
    answer = root.post(address, terms | {"confirmed": "1"})
    new = price_of("standard")
    assert (answer.status_code, answer["location"]) == (303, f"/admin/subscriptions/price/{new.pk}/change/")
    assert (new.version, new.amount) == (old.version + 1, 790_00)
    held.refresh_from_db()
    assert held.price == old
    assert catalogue.current("standard", "RUB") == new


def test_contradictory_terms_are_refused_with_an_error(root):
    old = price_of("hourly")
    terms = TERMS | {"amount": "1", "metered": "on"}
    answer = root.post(f"/admin/subscriptions/price/{old.pk}/new-version/", terms)
    assert answer.status_code == 200
    assert b"There is a problem" in answer.content
    assert price_of("hourly") == old


def test_a_first_price_is_version_1_and_a_second_is_sent_to_the_new_version(root):
    plan = Plan.objects.create(code="extra", name="Extra")
    form = {**TERMS, "currency": "EUR", "amount": "5.00", "confirmed": "1"}
    assert root.post(f"/admin/subscriptions/plan/{plan.pk}/add-price/", form).status_code == 303
    assert price_of("extra", "EUR").version == 1
    again = root.post(f"/admin/subscriptions/plan/{plan.pk}/add-price/", form)
    assert b"Open it and create a new version" in again.content
    assert Price.objects.filter(plan=plan).count() == 1


@pytest.mark.parametrize(
    ("terms", "field", "complaint"),
    [
        # Ten years of 12 months, of 53 weeks.
        ({"interval": "month", "interval_count": "121"}, "interval_count", "Interval count: at most 120 for"),
        ({"interval": "week", "interval_count": "531"}, "interval_count", "Interval count: at most 530 for"),
        ({"interval": "second"}, "interval", "Interval: a price paid in advance needs one of hour, day, week, month,"),
        ({"interval": "minute"}, "interval", "Interval: a price paid in advance needs one of hour, day, week, month,"),
        ({"interval": "month", "metered": "on"}, "interval", "Interval: a metered price needs one of second, minute,"),
    ],
)
def test_a_price_that_cannot_be_ordered_is_an_error_of_its_field(root, terms, field, complaint):
    plan = Plan.objects.create(code="extra", name="Extra")
    form = {**TERMS, "currency": "EUR", "amount": "5.00", **terms, "confirmed": "1"}
    added = root.post(f"/admin/subscriptions/plan/{plan.pk}/add-price/", form)
    assert added.status_code == 200
    (text,) = added.context["form"].errors[field]
    assert text.startswith(complaint)
    old = price_of("standard")
    versioned = root.post(f"/admin/subscriptions/price/{old.pk}/new-version/", {**TERMS, "amount": "5.00", **terms})
    assert complaint in unescape(versioned.content.decode())
    assert "Constraint" not in versioned.content.decode()
    assert (price_of("standard"), Price.objects.filter(plan=plan).count()) == (old, 0)


def test_the_longest_interval_that_can_be_ordered_is_accepted(root):
    plan = Plan.objects.create(code="extra", name="Extra")
    form = {**TERMS, "currency": "EUR", "amount": "5.00", "interval_count": "120", "confirmed": "1"}
    assert root.post(f"/admin/subscriptions/plan/{plan.pk}/add-price/", form).status_code == 303
    assert price_of("extra", "EUR").interval_count == 120


def test_a_new_version_is_priced_in_major_units_next_to_the_current_price(root):
    old = price_of("standard")
    address = f"/admin/subscriptions/price/{old.pk}/new-version/"
    page = unescape(root.get(address).content.decode())
    assert 'value="690.00"' in page
    assert "In RUB, for example 749.00. Now: ₽690.00 a month." in page
    text = unescape(root.post(address, TERMS | {"amount": "749.00", "confirmed": "1"}, follow=True).content.decode())
    assert f"Version {old.version + 1} is on sale: ₽749.00 a month." in text
    assert price_of("standard").amount == 749_00
    assert "minor units" not in text + page


@pytest.mark.parametrize(
    ("currency", "sent", "kept"),
    [("RUB", "749", 749_00), ("RUB", "749.5", 749_50), ("JPY", "749", 749), ("KWD", "7.495", 7_495), ("EUR", "0", 0)],
)
def test_the_amount_of_a_first_price_is_in_major_units_of_its_currency(root, currency, sent, kept):
    plan = Plan.objects.create(code="extra", name="Extra")
    address = f"/admin/subscriptions/plan/{plan.pk}/add-price/"
    assert b"not in cents" in root.get(address).content
    form = {**TERMS, "currency": currency, "amount": sent, "confirmed": "1"}
    assert root.post(address, form).status_code == 303
    assert price_of("extra", currency).amount == kept


@pytest.mark.parametrize(
    ("currency", "sent", "field", "complaint"),
    [
        ("RUB", "749.005", "amount", "'749.005' has 3 decimal places. RUB allows at most 2"),
        ("JPY", "749.00", "amount", "'749.00' has 2 decimal places. JPY allows at most 0"),
        ("RUB", "749,00", "amount", "'749,00' is not an amount. Use digits with a decimal point, for example 1342.00"),
        ("RUB", "-1", "amount", "The price must be zero or more."),
        ("XXX", "749.00", "currency", "We do not accept 'XXX'."),
    ],
)
def test_an_invalid_amount_for_its_currency_is_refused(root, currency, sent, field, complaint):
    plan = Plan.objects.create(code="extra", name="Extra")
    form = {**TERMS, "currency": currency, "amount": sent, "confirmed": "1"}
    answer = root.post(f"/admin/subscriptions/plan/{plan.pk}/add-price/", form)
    (text,) = answer.context["form"].errors[field]
    assert text.startswith(complaint)
    assert not Price.objects.filter(plan=plan).exists()


def test_the_features_of_a_plan_are_edited_one_per_line(root):
    plan = Plan.objects.get(code="basic")
    form = {"code": "basic", "name": "Basic", "features": "One\n\n Two \n", "features_ru": "", "reason": "Asked for"}
    review = root.post(f"/admin/subscriptions/plan/{plan.pk}/texts/", form)
    assert ("One · Two") in {change.after for change in review.context["changes"]}
    assert root.post(f"/admin/subscriptions/plan/{plan.pk}/texts/", form | {"confirmed": "1"}).status_code == 303
    plan.refresh_from_db()
    assert (plan.features, plan.features_ru) == (["One", "Two"], [])


def test_a_subscription_shows_its_charges_and_cannot_be_edited(root, alice, now):
    pay_in(alice, 1000_00, at=now)
    held = orders.subscribe(alice, price_of("standard"), now=now)
    address = f"/admin/subscriptions/subscription/{held.pk}/change/"
    page = root.get(address).content.decode()
    assert "₽690.00" in page
    assert "yes (Active)" in page
    assert '<input type="submit"' not in page
    assert root.post(address, {"status": "cancelled"}).status_code == 403
    assert root.get("/admin/subscriptions/subscription/add/").status_code == 403
    assert root.post(f"/admin/subscriptions/subscription/{held.pk}/delete/", {"post": "yes"}).status_code == 403


def test_only_superusers_can_edit_the_schedule(root, staff):
    every = IntervalSchedule.objects.create(every=60, period="seconds")
    task = PeriodicTask.objects.create(name="poke", task="subscriptions.tasks.bill_due", interval=every)
    address = f"/admin/django_celery_beat/periodictask/{task.pk}/change/"
    assert root.get(address).status_code == 200
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="django_celery_beat"))
    client = Client()
    client.force_login(staff)
    assert client.get(address).status_code == 403
    assert client.get("/admin/django_celery_beat/periodictask/").status_code == 403
    assert "django_celery_beat" not in client.get("/admin/").content.decode()


def test_a_customers_page_links_to_everything_they_have(root, alice, mallory, staff, now):
    """Each link opens a list of that customer's rows only. The wallet holds 1000.00 - 690.00."""
    for person in (alice, mallory):
        pay_in(person, 1000_00, at=now)
        orders.subscribe(person, price_of("standard"), now=now)
        checkout.start(person, now=now, amount=500_00, currency="RUB", gateway="sandbox")
        Mail.objects.create(customer=person, kind="receipt", cause="1", created_at=now, due_at=now, park_at=now)
        Adjustment.objects.create(
            customer=person, amount=1, currency="RUB", kind="credit", reason="Outage", asked_by=staff, created_at=now,
            needs_approval=True, status="waiting",
        )  # fmt: skip
    page = root.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    links = re.findall(r'<li><a href="([^"]+)">([^<]+)</a>', page.partition('class="module records"')[2])
    assert [name for _href, name in links] == [
        "Payments", "Adjustments", "Subscriptions", "Events", "Emails", "Balance in RUB", "Transactions in RUB",
    ]  # fmt: skip
    assert "₽310.00" in page
    for href, name in links:
        html = root.get(unescape(href)).content.decode()
        if "in RUB" not in name:
            assert alice.username in html
        assert mallory.username not in html, name


def test_staff_see_only_links_they_have_permission_for(client, staff, alice, now):
    pay_in(alice, 1000_00, at=now)
    staff.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "view_payment"]))
    client.force_login(staff)
    page = client.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode().partition("records")[2]
    assert "Payments</a>" in page
    assert "Wallet in" not in page
    assert "Subscriptions</a>" not in page


def test_forms_show_amounts_with_currency_instead_of_minor_units(root, alice, now):
    pay_in(alice, 1000_00, at=now)
    held = orders.subscribe(alice, price_of("standard"), now=now)
    paid = checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="sandbox")
    shown = {
        f"/admin/payments/payment/{paid.pk}/change/": ("₽500.00", "50000"),
        f"/admin/subscriptions/subscription/{held.pk}/change/": ("₽690.00", "69000"),
        f"/admin/subscriptions/price/{price_of('standard').pk}/change/": ("₽690.00 a month", None),
    }
    for address, (money, units) in shown.items():
        html = root.get(address).content.decode()
        assert money in html
        assert units is None or units not in html
