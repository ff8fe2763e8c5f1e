"""/api/auth/me: what users can see and change about themselves, and what they cannot."""

from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from tests.accounts.conftest import me, refreshed
from tests.accounts.test_registration import FORBIDDEN
from tests.conftest import PASSWORD

ME = "/api/auth/me"
NEW = "four unrelated new words"


@pytest.fixture
def as_alice(pair) -> APIClient:
    caller = APIClient(raise_request_exception=False)
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    return caller


def fields(answer) -> dict:
    assert answer.status_code == 400, answer.content
    return {error["param"]: error["code"] for error in answer.json()["errors"]}


def test_a_user_sees_their_own_profile_without_secrets(as_alice, alice):
    shown = as_alice.get(ME).json()
    assert shown.keys() == {
        "id", "username", "email", "email_confirmed", "first_name", "last_name", "company", "address", "tax_id",
        "language", "time_zone", "mails", "date_joined",
    }  # fmt: skip
    assert (shown["id"], shown["time_zone"], shown["mails"]) == (alice.pk, "", ["reminders", "changes"])


def test_a_user_changes_names_and_language(as_alice, alice):
    answer = as_alice.patch(ME, {"first_name": "Alice", "last_name": "Ångström", "language": "ru"})
    assert answer.status_code == 200
    alice.refresh_from_db()
    assert (alice.first_name, alice.last_name, alice.language) == ("Alice", "Ångström", "ru")
    assert as_alice.patch(ME, {}).status_code == 200
    assert as_alice.patch(ME, {"first_name": ""}).json()["first_name"] == ""


@pytest.mark.parametrize("sent", [{}, {"changes": True}, "changes", None, 1])
def test_the_mails_are_a_list(as_alice, alice, sent):
    assert fields(as_alice.patch(ME, {"mails": sent})).keys() == {"mails"}
    alice.refresh_from_db()
    assert alice.mails_off == []


def test_a_user_says_what_receipts_name(as_alice, alice):
    said = {"company": "Acme GmbH", "address": "Hauptstr. 1, 10115 Berlin", "tax_id": "DE123456789"}
    assert as_alice.patch(ME, said).json().items() >= said.items()
    assert as_alice.patch(ME, {"company": ""}).json()["company"] == ""
    alice.refresh_from_db()
    assert (alice.company, alice.address, alice.tax_id) == ("", said["address"], said["tax_id"])
    for name, longest in {"company": 200, "address": 300, "tax_id": 50}.items():
        assert as_alice.patch(ME, {name: "x" * longest}).status_code == 200
        assert fields(as_alice.patch(ME, {name: "x" * (longest + 1)})) == {name: "max_length"}
        assert fields(as_alice.patch(ME, {name: "two\nlines"})) == {name: "unseen"}


def test_a_user_chooses_the_time_zone_and_the_mails(as_alice, alice):
    answer = as_alice.patch(ME, {"time_zone": "Europe/Moscow", "mails": ["changes"]})
    assert (answer.json()["time_zone"], answer.json()["mails"]) == ("Europe/Moscow", ["changes"])
    alice.refresh_from_db()
    assert (alice.zone.key, alice.mails_off) == ("Europe/Moscow", ["reminders"])
    # What is not sent stays, nothing switches all off, and without a choice the zone is the site's.
    assert as_alice.patch(ME, {"first_name": "Al"}).json()["mails"] == ["changes"]
    assert as_alice.patch(ME, {"mails": []}).json()["mails"] == []
    assert as_alice.patch(ME, {"time_zone": "", "mails": ["changes", "reminders"]}).json()["time_zone"] == ""
    alice.refresh_from_db()
    assert (alice.zone.key, alice.mails_off) == ("UTC", [])


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"time_zone": "Mars/Olympus"}, "Choose a time zone from the list, such as Europe/Moscow."),
        ({"time_zone": "europe/moscow"}, "Choose a time zone from the list, such as Europe/Moscow."),
        ({"mails": ["money"]}, "reminders, changes"),
        ({"mails": "reminders"}, "list"),
        ({"mails": None}, "null"),
    ],
)
def test_zones_and_mails_that_the_settings_page_does_not_offer_are_refused(as_alice, alice, change, detail):
    answer = as_alice.patch(ME, change)
    assert set(fields(answer)) == set(change)
    assert detail in answer.json()["errors"][0]["detail"]
    alice.refresh_from_db()
    assert (alice.time_zone, alice.mails_off) == ("", [])


@pytest.mark.parametrize(
    "change", [{"language": "xx"}, {"first_name": "a" * 151}, {"first_name": "a\u202eb"}, {"last_name": None}]
)
def test_invalid_values_are_refused(as_alice, change):
    assert set(fields(as_alice.patch(ME, change))) == set(change)


@pytest.mark.parametrize(("field", "value"), (FORBIDDEN | {"username": "root", "password_hash": "x"}).items())
def test_users_cannot_give_themselves_permissions_or_money(as_alice, alice, field, value):
    before = User.objects.values().get(pk=alice.pk)
    assert fields(as_alice.patch(ME, {"first_name": "Al", field: value})) == {field: "unknown_field"}
    assert User.objects.values().get(pk=alice.pk) == before


@pytest.mark.parametrize("change", [{"email": "new@example.com"}, {"password": NEW}])
def test_a_new_email_or_password_requires_the_current_password(as_alice, alice, change):
    before = User.objects.values().get(pk=alice.pk)
    assert fields(as_alice.patch(ME, change)) == {"current_password": "required"}
    assert fields(as_alice.patch(ME, change | {"current_password": "wrong"})) == {"current_password": "wrong"}
    assert User.objects.values().get(pk=alice.pk) == before


def test_a_new_password_ends_every_session(as_alice, alice, pair):
    other = tokens.issue(alice, now=datetime.now(UTC))
    assert as_alice.patch(ME, {"password": NEW, "current_password": PASSWORD}).status_code == 200
    for each in (pair, other):
        assert me(each.access).status_code == refreshed(each.refresh).status_code == 401
    log_in = APIClient().post("/api/auth/token", {"username": "alice", "password": NEW})
    assert me(log_in.json()["access"]).status_code == 200
    assert APIClient().post("/api/auth/token", {"username": "alice", "password": PASSWORD}).status_code == 401


def test_the_current_password_is_ignored_when_not_required(as_alice):
    assert as_alice.patch(ME, {"first_name": "Al", "current_password": "wrong"}).json()["first_name"] == "Al"
    assert as_alice.patch(ME, {"current_password": PASSWORD}).status_code == 200


def test_a_weak_new_password_is_refused(as_alice):
    assert "password" in fields(as_alice.patch(ME, {"password": "alice", "current_password": PASSWORD}))
    assert me(as_alice._credentials["HTTP_AUTHORIZATION"].split()[1]).status_code == 200


def test_guesses_of_the_current_password_are_limited(as_alice, settings):
    answers = [as_alice.patch(ME, {"password": NEW, "current_password": f"wrong{n}"}).status_code for n in range(6)]
    assert answers[:4] == [400] * 4
    assert answers[-1] == 429
    assert as_alice.patch(ME, {"password": NEW, "current_password": PASSWORD}).status_code == 429


def test_a_new_address_replaces_the_old_one(as_alice, alice, client):
    answer = as_alice.patch(ME, {"email": "New@Example.com", "current_password": PASSWORD})
    assert answer.json()["email"] == "new@example.com"
    assert [row.email for row in EmailAddress.objects.filter(user=alice)] == ["new@example.com"]
    assert client.post("/api/auth/token", {"email": "new@example.com", "password": PASSWORD}).status_code == 200
    assert client.post("/api/auth/token", {"email": "alice@example.com", "password": PASSWORD}).status_code == 401


def test_a_taken_address_is_refused_and_nothing_changes(as_alice, alice, mallory):
    sent = {"email": "MALLORY@example.com", "first_name": "Al", "password": NEW, "current_password": PASSWORD}
    assert fields(as_alice.patch(ME, sent)) == {"email": "taken"}
    alice.refresh_from_db()
    assert (alice.email, alice.first_name) == ("alice@example.com", "")
    assert alice.check_password(PASSWORD)


def test_your_own_address_in_another_case_is_allowed(as_alice):
    assert as_alice.patch(ME, {"email": "ALICE@example.com", "current_password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("method", ["put", "post", "delete"])
def test_other_methods_are_not_allowed(as_alice, method):
    assert getattr(as_alice, method)(ME, {}).status_code == 405


def test_an_unknown_query_parameter_is_an_error(as_alice):
    assert fields(as_alice.get(ME + "?expand=wallet")) == {"expand": "unknown_field"}
