"""The admin of users and events: only superusers grant permissions, and nobody edits the event log."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts import tokens
from accounts.models import User
from events import outbox
from events.models import Event, StaffAct
from tests.accounts.conftest import me
from tests.subscriptions.desk import send

CHANGE = "/admin/accounts/user/{}/change/"


@pytest.fixture
def helper(staff: User) -> Client:
    """The browser of a member of staff who may edit users and view events."""
    staff.user_permissions.set(
        Permission.objects.filter(codename__in=["view_user", "change_user", "add_user", "delete_user", "view_event"])
    )
    browser = Client()
    browser.force_login(staff)
    return browser


@pytest.fixture
def root(superuser: User) -> Client:
    browser = Client()
    browser.force_login(superuser)
    return browser


def form_of(user: User, **changes) -> dict:
    """Return the data of the user's change form, with a reason and changes."""
    data = {name: getattr(user, name) for name in ("username", "email", "first_name", "last_name", "language")}
    active = {"is_active": "on"} if user.is_active else {}
    return data | active | {"reason": "A new job"} | changes


def test_staff_change_a_customers_name(helper, alice):
    assert helper.post(CHANGE.format(alice.pk), form_of(alice, first_name="Al")).status_code == 302
    alice.refresh_from_db()
    assert alice.first_name == "Al"


def test_staff_cannot_grant_permissions(helper, alice):
    powerful = Group.objects.create(name="powerful")
    powers = {"is_staff": "on", "is_superuser": "on", "groups": [powerful.pk],
              "user_permissions": [Permission.objects.earliest("pk").pk], "token_version": 9}  # fmt: skip
    helper.post(CHANGE.format(alice.pk), form_of(alice, **powers))
    alice.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser, alice.token_version) == (False, False, 0)
    assert not alice.groups.exists()
    assert not alice.user_permissions.exists()


@pytest.mark.parametrize("whose", ["staff", "superuser"])
def test_staff_cannot_change_staff_or_their_passwords(helper, request, whose):
    other = request.getfixturevalue(whose)
    assert helper.post(CHANGE.format(other.pk), form_of(other, first_name="X")).status_code == 403
    answer = helper.post(f"/admin/accounts/user/{other.pk}/password/", {"password1": "n" * 20, "password2": "n" * 20})
    assert answer.status_code == 403
    other.refresh_from_db()
    assert other.first_name == ""


def test_a_superuser_grants_and_revokes_permissions(root, alice):
    root.post(CHANGE.format(alice.pk), form_of(alice, is_staff="on"))
    alice.refresh_from_db()
    assert alice.is_staff
    root.post(CHANGE.format(alice.pk), form_of(alice))
    alice.refresh_from_db()
    assert not alice.is_staff


def test_permissions_and_passwords_change_with_a_reason_that_is_recorded(root, superuser, alice):
    powers = {"is_staff": "on", "groups": [Group.objects.create(name="powerful").pk]}
    refused = root.post(CHANGE.format(alice.pk), form_of(alice, **powers, reason=""))
    assert refused.context["adminform"].form.errors["reason"]
    assert not User.objects.get(pk=alice.pk).is_staff
    root.post(CHANGE.format(alice.pk), form_of(alice, **powers))
    act = StaffAct.objects.get()
    assert (act.kind, act.author, act.customer, act.reason) == ("user.change", superuser, alice, "A new job")
    assert ["Groups", "–", "powerful"] in act.changes
    page, new = f"/admin/accounts/user/{alice.pk}/password/", "four unrelated new words"
    assert 'name="reason"' in root.get(page).content.decode()
    sent = {"password1": new, "password2": new, "usable_password": "true", "set-password": "1"}
    assert root.post(page, sent).status_code == 200
    root.post(page, sent | {"reason": "Lost the phone"})
    act = StaffAct.objects.latest("id")
    assert (act.reason, act.changes) == ("Lost the phone", [["Password", "–", "changed"]])


def test_groups_change_and_go_with_a_reason_that_is_recorded(root, superuser, alice):
    add, wanted = "/admin/auth/group/add/", Permission.objects.get(codename="view_user")
    assert root.post(add, {"name": "helpers", "permissions": [wanted.pk]}).status_code == 200
    root.post(add, {"name": "helpers", "permissions": [wanted.pk], "reason": "New team"})
    group = Group.objects.get(name="helpers")
    page = f"/admin/auth/group/{group.pk}/"
    assert root.post(f"{page}change/", {"name": "helpers"}).status_code == 200
    assert list(group.permissions.all()) == [wanted]
    root.post(f"{page}change/", {"name": "helpers", "reason": "Less is enough"})
    assert not group.permissions.exists()
    alice.groups.add(group)
    assert f'href="{page}delete/"' in root.get(f"{page}change/").content.decode()
    review = send(root, f"{page}delete/")
    assert (review.status_code, review["location"]) == (303, "/admin/auth/group/")
    assert not Group.objects.filter(name="helpers").exists()
    assert list(StaffAct.objects.order_by("id").values_list("kind", "reason")) == [
        ("group.add", "New team"), ("group.change", "Less is enough"), ("group.delete", "Asked by phone"),
    ]  # fmt: skip
    assert ["People in it", "1", "0"] in StaffAct.objects.get(kind="group.delete").changes


@pytest.mark.parametrize("path", ["add/", "{}/change/", "{}/delete/"])
def test_a_permission_of_groups_is_not_enough_to_change_them(helper, staff, path):
    group = Group.objects.create(name="helpers")
    staff.user_permissions.add(*Permission.objects.filter(content_type__app_label="auth"))
    for sent in ({"name": "x", "reason": "x"}, {"reason": "x", "confirmed": "1"}):
        assert helper.post("/admin/auth/group/" + path.format(group.pk), sent).status_code == 403
    assert Group.objects.filter(name="helpers").exists()


def test_users_cannot_be_deleted(root, helper, alice):
    for browser in (root, helper):
        assert browser.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"}).status_code == 403
        browser.post(
            "/admin/accounts/user/", {"action": "delete_selected", "_selected_action": [alice.pk], "post": "yes"}
        )
    assert User.objects.filter(pk=alice.pk).exists()


def test_a_password_set_by_staff_ends_the_sessions(root, alice):
    pair = tokens.issue(alice, now=datetime.now(UTC))
    sent = {"password1": "four unrelated new words", "password2": "four unrelated new words", "usable_password": "true",
            "reason": "Lost the phone"}  # fmt: skip
    assert root.post(f"/admin/accounts/user/{alice.pk}/password/", sent).status_code == 302
    assert User.objects.get(pk=alice.pk).check_password("four unrelated new words")
    assert me(pair.access).status_code == 401


def test_the_address_is_changed_on_its_own_page_only(root, alice):
    root.post(CHANGE.format(alice.pk), form_of(alice, email="new@example.com"))
    assert User.objects.get(pk=alice.pk).email == alice.email


def test_staff_add_a_customer_without_permissions(helper):
    sent = {"username": "carol", "email": "carol@example.com", "usable_password": "true", "is_staff": "on",
            "password1": "four unrelated new words", "password2": "four unrelated new words",
            "reason": "By phone"}  # fmt: skip
    assert helper.post("/admin/accounts/user/add/", sent).status_code == 302
    assert not User.objects.get(username="carol").is_staff


def test_the_hash_and_the_token_version_are_not_shown(helper, alice):
    page = helper.get(CHANGE.format(alice.pk)).content.decode()
    assert alice.password not in page
    assert "token_version" not in page


@pytest.mark.parametrize("path", ["add/", "{}/change/", "{}/delete/"])
def test_the_event_log_is_read_only(root, helper, alice, path):
    (number,) = outbox.record([(alice.pk, "payment.confirmed", "pay_1", datetime.now(UTC), {"amount": 5})])
    for browser in (root, helper):
        assert browser.get("/admin/events/event/").status_code == 200
        assert browser.get("/admin/events/event/?q=pay_1").status_code == 200
        assert browser.get(f"/admin/events/event/{number}/change/").status_code == 200
        assert (
            browser.post("/admin/events/event/" + path.format(number), {"type": "x", "post": "yes"}).status_code == 403
        )
    assert Event.objects.get().type == "payment.confirmed"


def test_customers_have_no_access_to_the_admin(alice):
    browser = Client()
    browser.force_login(alice)
    assert browser.get("/admin/accounts/user/").status_code in (302, 403)
