"""The groups of staff, and the second factor that staff need."""

import re
from importlib import import_module
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from accounts.models import User
from events.models import StaffAct
from tests.billing_site.desk import rows
from tests.staff import GROUPS, member

pytestmark = pytest.mark.django_db

# What changes money, or lets somebody change what others may do.
POWERS = (
    "refund_payment", "decide_payment", "add_adjustment", "approve_adjustment", "change_manualtransfer", "add_price",
    "change_price", "change_user",
)  # fmt: skip


def test_the_migration_creates_the_groups_with_just_their_permissions():
    Group.objects.all().delete()
    apps = MigrationLoader(connection).project_state().apps
    import_module("billing_site.migrations.0001_staff_groups").create(apps, None)
    made = {
        group.name: {f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.all()}
        for group in Group.objects.prefetch_related("permissions__content_type")
    }
    assert made == {name: set(wanted) for name, wanted in GROUPS.items()}


def test_a_group_that_was_changed_by_hand_is_left_as_it_is():
    Group.objects.all().delete()
    Group.objects.create(name="support")
    import_module("billing_site.migrations.0001_staff_groups").create(
        MigrationLoader(connection).project_state().apps, None
    )
    assert Group.objects.get(name="support").permissions.count() == 0


def test_auditors_change_nothing_and_nobody_may_change_permissions():
    changing = {role: [each for each in wanted if ".view_" not in each] for role, wanted in GROUPS.items()}
    assert changing["auditor"] == ["ledger.export_transaction"]
    assert not [each for wanted in GROUPS.values() for each in wanted if each.startswith("auth.")]
    assert {role for role, wanted in GROUPS.items() if any(each.endswith(POWERS) for each in wanted)} == {
        "support", "finance", "catalogue",
    }  # fmt: skip


def test_staff_without_a_second_factor_are_led_to_set_one_up(client: Client, settings):
    settings.STAFF_SECOND_FACTOR = True
    support = member("support")
    client.force_login(support)
    for page in ("/admin/", "/admin/payments/payment/"):
        answer = client.get(page)
        assert (answer.status_code, answer["location"]) == (302, "/2fa/totp/activate/")
    Authenticator.objects.create(user=support, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert client.get("/admin/payments/payment/").status_code == 200


def test_a_customer_is_not_let_in_whatever_second_factor_they_have(client: Client, alice, settings):
    settings.STAFF_SECOND_FACTOR = True
    client.force_login(alice)
    assert client.get("/admin/")["location"].startswith("/admin/login/")


@pytest.mark.parametrize("role", GROUPS)
def test_no_page_offers_a_link_that_its_reader_may_not_open(role: str, alice: User, staff: User, settings: Any):
    settings.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    rows.seed(alice, staff)
    client, links = Client(), {"/admin/": "", f"/admin/customers/{alice.pk}/": ""}
    client.force_login(member(role))
    for model in admin.site._registry:
        row = alice if model is User else model._default_manager.order_by("pk").last()
        table = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for page in (table, f"{table}{row.pk}/change/") if row else (table,):
            answer = client.get(page)
            if answer.status_code == 200:
                found = re.findall(r'href="(/admin/[^"#?]*)', answer.content.decode())
                links |= {href: page for href in found if "logout" not in href}
    closed = {href: page for href, page in links.items() if client.get(href).status_code in (403, 404) and page}
    assert closed == {}


def acts() -> list[tuple[Any, str, str]]:
    """Return the model, the name and the permission of each act of the desk."""
    return [
        (model, name, form.permission or f"{model._meta.app_label}.change_{model._meta.model_name}")
        for model, shown in admin.site._registry.items()
        for name, form in getattr(shown, "acts", {}).items()
    ]


@pytest.mark.parametrize("role", GROUPS)
def test_a_role_reaches_the_acts_of_its_permissions_and_no_other(role: str, alice: User, staff: User, settings: Any):
    settings.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    rows.seed(alice, staff)
    client = Client()
    client.force_login(member(role))
    assert len(acts()) > 30
    before = StaffAct.objects.count()
    for model, name, permission in acts():
        row = alice if model is User else model.objects.order_by("pk").last()
        assert row is not None, model
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/{name}/"
        allowed = permission in GROUPS[role]
        assert client.get(address).status_code == (200 if allowed else 403), address
        if not allowed:
            assert client.post(address, {"reason": "x", "confirmed": "1"}).status_code == 403, address
    assert StaffAct.objects.count() == before
