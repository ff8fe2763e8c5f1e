"""Fields and tables are named in words, not by their names in the code."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.utils.translation import override

from billing_site.desk import names
from events.names import NAMES, event_name
from ledger.models import Account
from payments.models import CollectionPlan, Discrepancy
from subscriptions.models import BillingClock, Plan, Price
from tests.staff import member

# What the admin shows of others: their own business.
OTHERS = ("django_celery_beat", "auth", "mfa", "account")


def models():
    return [model for model in admin.site._registry if model._meta.app_label not in OTHERS]


def test_every_field_of_a_table_of_the_desk_has_a_name():
    raw = {
        f"{model._meta.label_lower}.{field.name}"
        for model in models()
        for field in model._meta.concrete_fields
        if names.has_no_name(field) and not field.primary_key and field.name not in names.FIELDS
    }
    assert raw == set()


def test_no_name_is_left_of_a_removed_field_or_table():
    ours = [model for label in names.APPS for model in apps.get_app_config(label).get_models()]
    fields = {field.name for model in ours for field in model._meta.concrete_fields}
    assert set(names.FIELDS) - fields == set()
    assert set(names.TABLES) - {model._meta.label_lower for model in ours} == set()


def test_an_event_without_a_name_is_said_by_its_parts():
    assert "wallet.moved_on" not in NAMES
    assert event_name("wallet.moved_on") == "Wallet moved on"
    assert event_name("subscription.past_due") == "Payment overdue"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Basic", "Basic: ₽299.00, version 1", "book of alice, RUB", "automatic payments of alice, RUB",
                "wallet RUB", "missing at the gateway pay_1"]),
        ("ru", ["Базовый", "Базовый: 299,00 ₽, версия 1", "книга клиента alice, RUB", "автоплатежи клиента alice, RUB",
                "баланс RUB", "нет у шлюза pay_1"]),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_a_row_is_called_in_the_readers_language(alice, language, said):
    plan = Plan(code="basic", name="Basic", name_ru="Базовый")
    wallet = Account(kind="wallet", owner=alice, currency="RUB")
    rows = [
        plan, Price(plan=plan, amount=299_00, currency="RUB", version=1), BillingClock(wallet=wallet),
        CollectionPlan(wallet=wallet, customer=alice), wallet, Discrepancy(kind="missing_there", gateway_id="pay_1"),
    ]  # fmt: skip
    with override(language):
        assert [str(row).replace("\xa0", " ") for row in rows] == said


@pytest.mark.django_db
def test_the_list_of_customers_is_called_as_the_link_to_it(client):
    client.force_login(member("support"))
    page = client.get("/admin/accounts/user/").content.decode()
    assert ">Customers</a>" in page
    assert "Users" not in page


@pytest.mark.django_db
def test_a_page_of_a_row_is_headed_by_what_it_is_and_its_name(client, alice):
    """Django's own "View %s" bends no Russian word."""
    client.force_login(member("support"))
    page = client.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    assert "<h1>Customer</h1>" in page
    assert "<h2>alice</h2>" in page
    assert "<title>alice | Customer | " in page.replace("\n", "")
