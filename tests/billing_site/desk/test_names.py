"""Fields and tables are named in words, not by their names in the code."""

from django.apps import apps
from django.contrib import admin

from billing_site.desk import names
from events.names import NAMES, event_name

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
