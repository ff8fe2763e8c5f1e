"""Registration: valid and invalid data, taken names and addresses, and simultaneous requests."""

from functools import partial

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from accounts.models import User
from tests.concurrency.sessions import at_once

REGISTER = "/api/auth/register"
GOOD = {"username": "bob", "email": "bob@example.com", "password": "correct horse battery"}


def register(client, **changes):
    return client.post(REGISTER, GOOD | changes)


def errors(answer) -> dict:
    assert answer.status_code == 400, answer.content
    return {error["param"]: error for error in answer.json()["errors"]}


def test_registration_creates_a_customer(db, client):
    answer = register(client)
    assert answer.status_code == 201
    user = User.objects.get()
    assert answer.json() == {
        "id": user.pk,
        "username": "bob",
        "email": "bob@example.com",
        "email_confirmed": False,
        "first_name": "",
        "last_name": "",
        "company": "",
        "address": "",
        "tax_id": "",
        "language": "en",
        "time_zone": "",
        "mails": ["reminders", "changes"],
        "date_joined": user.date_joined.isoformat().replace("+00:00", "Z"),
    }
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password(GOOD["password"])
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_a_new_customer_can_log_in_at_once(db, client):
    register(client)
    answer = client.post("/api/auth/token", {"username": "bob", "password": GOOD["password"]})
    assert answer.status_code == 200
    assert answer.json().keys() == {"access", "refresh"}


@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_each_field_is_required_and_not_blank(db, client, field):
    assert errors(client.post(REGISTER, {k: v for k, v in GOOD.items() if k != field}))[field]["code"] == "required"
    assert field in errors(register(client, **{field: ""}))
    assert field in errors(register(client, **{field: None}))
    assert field in errors(register(client, **{field: ["a"]}))


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_too_short"),
        ("password123", "password_too_common"),
        ("bob@example.com", "password_too_similar"),
        ("x" * 1001, "max_length"),
    ],
)
def test_a_weak_password_is_a_field_error_without_the_password(db, client, password, code):
    answer = register(client, password=password)
    details = [error for error in answer.json()["errors"] if error["param"] == "password"]
    assert code in [error["code"] for error in details]
    if password not in ("bob@example.com", "short"):
        assert password not in answer.content.decode()
    assert not User.objects.exists()


def test_all_errors_are_reported_at_once(db, client):
    """Errors of the password, of other fields and of taken names come in one answer."""
    assert set(errors(register(client, username="a b", email="x", password="short"))) == {
        "username", "email", "password",
    }  # fmt: skip
    sent = {name: value for name, value in GOOD.items() if name != "email"} | {"password": "short"}
    assert set(errors(client.post(REGISTER, sent))) == {"email", "password"}
    register(client)
    assert set(errors(register(client, password="short"))) == {"username", "email", "password"}


def test_spaces_around_a_password_are_kept(db, client):
    password = " " + "four unrelated words and more " * 3
    assert register(client, password=password).status_code == 201
    assert User.objects.get().check_password(password)
    assert not User.objects.get().check_password(password.strip())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "bob"),
        ("username", "BOB"),
        ("username", "ｂｏｂ"),  # full-width: NFKC makes it bob
        ("email", "bob@example.com"),
        ("email", "Bob@Example.COM"),
        ("email", "ｂob@example.com"),
    ],
)
def test_a_taken_name_or_address_gets_one_neutral_answer(db, client, field, value):
    register(client)
    other = {"username": "carol", "email": "carol@example.com"}
    found = errors(register(client, **(other | {field: value})))
    assert set(found) == {field}
    assert found[field]["code"] == "taken"
    assert value not in found[field]["detail"]
    assert "exist" not in found[field]["detail"].lower()
    assert User.objects.count() == 1


def test_a_taken_name_and_a_taken_address_are_both_reported(db, client):
    register(client)
    assert set(errors(register(client))) == {"username", "email"}


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "bob\u202e", "bo\u200bb", "b\nob", "a" * 151, "bob@example.com", "<script>", "a/b", "😀", "a\x07"],
)
def test_an_invalid_user_name_is_refused(db, client, name):
    assert "username" in errors(register(client, username=name))


@pytest.mark.parametrize(
    "address",
    ["", "bob", "bob@", "@example.com", "bob@example", "a b@example.com", "bob@example.com\nBcc: x@y.zz",
     "bob\u202e@example.com", "a" * 250 + "@example.com", "bob@exa mple.com", "<bob@example.com>"],
)  # fmt: skip
def test_an_invalid_address_is_refused(db, client, address):
    assert "email" in errors(register(client, email=address))


FORBIDDEN = {
    "is_staff": True, "is_superuser": True, "is_active": True, "id": 1, "pk": 1, "token_version": 7, "balance": "1000",
    "date_joined": "2020-01-01T00:00:00Z", "last_login": None, "groups": [1], "user_permissions": [1], "wallet": 1,
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), FORBIDDEN.items(), ids=FORBIDDEN)
def test_registration_cannot_grant_permissions_or_money(db, client, field, value):
    found = errors(register(client, **{field: value}))
    assert set(found) == {field}
    assert found[field]["code"] == "unknown_field"
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_only_one_of_twenty_simultaneous_registrations_gets_the_address():
    def sign_up(number: int):
        caller = APIClient(raise_request_exception=False)
        return register(caller, username=f"racer{number}", email="Same@example.com")

    answers = at_once([partial(sign_up, number) for number in range(20)])
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 19
    refused = [answer.json()["errors"] for answer in answers if answer.status_code == 400]
    assert all(each == refused[0] for each in refused)
    assert refused[0][0]["param"] == "email"
    assert refused[0][0]["code"] == "taken"
    assert User.objects.count() == 1


@pytest.mark.parametrize("field", ["username", "email"])
def test_the_database_refuses_a_duplicate_in_another_case(alice, mallory, field):
    with pytest.raises(IntegrityError, match=f"{field}_is_unique_whatever_its_case"), transaction.atomic():
        User.objects.filter(pk=mallory.pk).update(**{field: getattr(alice, field).upper()})
