from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from billing_site.demo import catalogue
from subscriptions import orders, prices
from subscriptions.models import Plan, Price
from tests.subscriptions.shop import pay_in


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def root(superuser, now) -> Client:
    catalogue.put_on_sale(now=now)
    client = Client()
    client.force_login(superuser)
    return client


TERMS = {"interval": "month", "interval_count": "1", "trial_days": "0", "grace_days": "0"}


def price_of(code: str, currency: str = "RUB") -> Price:
    return Price.objects.get(plan__code=code, currency=currency, archived_at=None)


def test_a_price_in_use_is_only_shown_and_a_post_changes_nothing(root, alice, now):
    pay_in(alice, 1000_00, at=now)
    orders.subscribe(alice, price_of("standard"), now=now)
    address = f"/admin/subscriptions/price/{price_of('standard').pk}/change/"
    assert b'name="amount"' not in root.get(address).content
    root.post(address, TERMS | {"amount": "1"})
    assert price_of("standard").amount == 690_00


def test_a_new_version_takes_the_place_of_the_old_one_and_customers_keep_theirs(root, alice, now):
    pay_in(alice, 1000_00, at=now)
    held = orders.subscribe(alice, price_of("standard"), now=now)
    old = price_of("standard")
    address = f"/admin/subscriptions/price/{old.pk}/new-version/"
    assert b"Put the new version on sale" in root.get(address).content
    terms = TERMS | {"amount": "79000", "grace_days": "3"}
    answer = root.post(address, terms)
    new = price_of("standard")
    assert (answer.status_code, answer["location"]) == (303, f"/admin/subscriptions/price/{new.pk}/change/")
    assert (new.version, new.amount) == (old.version + 1, 790_00)
    held.refresh_from_db()
    assert held.price == old
    assert prices.current("standard", "RUB") == new


def test_terms_that_do_not_go_together_are_refused_in_words(root):
    old = price_of("hourly")
    terms = {
        "amount": "1",
        "interval": "month",
        "interval_count": "1",
        "metered": "on",
        "trial_days": "0",
        "grace_days": "0",
    }
    answer = root.post(f"/admin/subscriptions/price/{old.pk}/new-version/", terms)
    assert answer.status_code == 200
    assert b"There is a problem" in answer.content
    assert price_of("hourly") == old


def test_a_first_price_is_version_1_and_a_second_is_sent_to_the_new_version(root):
    plan = Plan.objects.create(code="extra", name="Extra")
    form = {"plan": plan.pk, "currency": "EUR", "amount": "500", "interval": "month", "interval_count": "1",
            "trial_days": "0", "grace_days": "0"}  # fmt: skip
    assert root.post("/admin/subscriptions/price/add/", form).status_code == 302
    assert price_of("extra", "EUR").version == 1
    again = root.post("/admin/subscriptions/price/add/", form)
    assert b"Open it and make a new version" in again.content
    assert Price.objects.filter(plan=plan).count() == 1


def test_features_of_a_plan_are_edited_as_lines(root):
    plan = Plan.objects.get(code="basic")
    form = {"code": "basic", "name": "Basic", "features": "One\n\n Two \n", "features_ru": "", "position": "1",
            "prices-TOTAL_FORMS": "0", "prices-INITIAL_FORMS": "0"}  # fmt: skip
    assert root.post(f"/admin/subscriptions/plan/{plan.pk}/change/", form).status_code == 302
    plan.refresh_from_db()
    assert (plan.features, plan.features_ru) == (["One", "Two"], [])


def test_a_subscription_is_shown_with_its_charges_and_cannot_be_edited(root, alice, now):
    pay_in(alice, 1000_00, at=now)
    held = orders.subscribe(alice, price_of("standard"), now=now)
    address = f"/admin/subscriptions/subscription/{held.pk}/change/"
    page = root.get(address).content.decode()
    assert "RUB\u00a0690.00" in page
    assert "yes (active)" in page
    assert '<input type="submit"' not in page
    assert root.post(address, {"status": "cancelled"}).status_code == 403
    assert root.get("/admin/subscriptions/subscription/add/").status_code == 403
    assert root.post(f"/admin/subscriptions/subscription/{held.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_scheduler_is_for_superusers_whatever_was_granted(root, staff):
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
