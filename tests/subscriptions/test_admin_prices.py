"""The admin of prices and subscriptions: what a seller decides for each version of a price."""

from typing import Any

import pytest
from django.urls import reverse

from events.models import StaffAct
from subscriptions.models import Plan, Price
from tests.subscriptions.shop import pay_in, row, sell

pytestmark = pytest.mark.django_db
TERMS = {
    "currency": "RUB", "amount": "99.00", "interval": "month", "interval_count": "1", "trial_days": "0",
    "grace_days": "3", "keep_days": "45", "trial_quantity_max": "5", "can_refund_unused": "on",
    "reason": "Costs have risen",
}  # fmt: skip


@pytest.fixture
def admin(client, superuser):
    client.force_login(superuser)
    return client


def add(admin: Any, **terms: str) -> Price:
    plan = Plan.objects.create(code=f"plan-{Plan.objects.count()}", name="Plan")
    address = reverse("admin:subscriptions_plan_add_price", args=[plan.pk])
    answer = admin.post(address, {**TERMS, **terms, "confirmed": "1"})
    assert answer.status_code == 303, answer.context["form"].errors
    return Price.objects.get(plan=plan)


def test_a_new_price_has_all_that_the_seller_decided(admin):
    price = add(admin, can_pause="True")
    assert (price.amount, price.grace_days, price.keep_days, price.trial_quantity_max) == (99_00, 3, 45, 5)
    assert (price.can_pause, price.can_refund_unused) == (True, True)


@pytest.mark.parametrize(
    ("terms", "can_pause"),
    [({}, False), ({"can_pause": ""}, False), ({"can_pause": "False"}, False),
     ({"metered": "on", "interval": "hour", "grace_days": "0"}, True),
     ({"metered": "on", "interval": "hour", "grace_days": "0", "can_pause": "False"}, False)],
)  # fmt: skip
def test_as_usual_a_meter_can_be_paused_and_a_paid_period_cannot(admin, terms, can_pause):
    assert add(admin, **terms).can_pause is can_pause


def test_an_unused_price_can_be_changed_and_a_used_one_cannot(admin, alice):
    price = add(admin)
    page = reverse("admin:subscriptions_price_change_terms", args=[price.pk])
    assert page in admin.get(reverse("admin:subscriptions_price_change", args=[price.pk])).content.decode()
    assert "As usual" not in admin.get(page).content.decode()
    sent = {**TERMS, "can_pause": "on", "keep_days": "10"}
    assert ("Days kept unpaid", "45", "10") in admin.post(page, sent).context["changes"]
    price.refresh_from_db()
    assert price.keep_days == 45
    assert admin.post(page, sent | {"confirmed": "1"}).status_code == 303
    price.refresh_from_db()
    assert (price.can_pause, price.keep_days, price.version) == (True, 10, 1)
    act = StaffAct.objects.get(kind="price.change")
    assert ["Days kept unpaid", "45", "10"] in act.changes
    row(alice, price)
    late = admin.post(page, {**TERMS, "keep_days": "9", "confirmed": "1"})
    assert "Make a new version." in late.content.decode()
    price.refresh_from_db()
    assert price.keep_days == 10


def test_a_new_version_starts_from_the_terms_it_replaces(admin):
    price = add(admin, can_pause="True")
    page = reverse("admin:subscriptions_price_new_version", args=[price.pk])
    html = admin.get(page).content.decode()
    assert 'name="keep_days" value="45"' in html
    assert 'name="can_pause" id="id_can_pause" checked' in html or "checked" in html
    answer = admin.post(page, {**TERMS, "amount": "120", "keep_days": "60", "confirmed": "1"})
    assert answer.status_code == 303
    newest = Price.objects.get(plan=price.plan, version=2)
    assert (newest.amount, newest.keep_days, newest.can_pause, newest.can_refund_unused) == (120_00, 60, False, True)


def test_the_page_of_a_plan_lists_what_each_version_allows(admin):
    price = sell("team", RUB=100_00, keep_days=17)["RUB"]
    html = admin.get(reverse("admin:subscriptions_plan_change", args=[price.plan_id])).content.decode()
    assert "17" in html
    assert "Days kept unpaid" in html


def test_the_page_of_a_subscription_shows_its_quantity_and_end_of_waiting(admin, alice):
    pay_in(alice, 1_00)
    made = row(alice, sell("team", RUB=100_00)["RUB"], quantity=3, scheduled_quantity=5)
    html = admin.get(reverse("admin:subscriptions_subscription_change", args=[made.pk])).content.decode()
    assert "Planned quantity" in html
    assert "Waits until" in html
