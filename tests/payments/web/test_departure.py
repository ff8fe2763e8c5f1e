"""A customer takes their data along and closes the account, unless money is left, owed or on its way."""

import json

import pytest
from django.test import Client

from accounts.models import User
from events.models import Mail
from payments import checkout
from payments.collection import consents
from payments.models import PaymentMethod
from subscriptions import books
from tests.conftest import PASSWORD
from tests.subscriptions.bank import NOON, at, basic
from tests.subscriptions.shop import pay_in
from tests.web import words


@pytest.fixture
def browser(alice: User) -> Client:
    """Alice's browser, which has just asked for her password."""
    client = Client()
    client.force_login(alice)
    client.post("/reauthenticate/", {"password": PASSWORD})
    return client


def is_open() -> bool:
    return User.objects.get(username="alice").is_active


def test_an_account_without_money_is_closed_and_its_rows_are_kept(alice, browser):
    assert "Close account" in words(browser.get("/account/settings/close/"))
    answer = browser.post("/account/settings/close/")
    assert (answer.status_code, answer["Location"]) == (303, "/")
    assert not is_open()
    # The first thing on the page, above the heading.
    home = words(browser.get("/"))
    assert home.count("Your account is closed.") == 1
    assert home.strip().startswith("Your account is closed.")
    assert browser.get("/account/").status_code == 302
    Client().post("/login/", {"login": "alice", "password": PASSWORD})
    assert User.objects.filter(username="alice", email="alice@example.com").exists()


def test_money_that_is_left_is_spent_or_refunded_first(alice, browser):
    pay_in(alice, 100_00, at=NOON)
    page = browser.post("/account/settings/close/")
    assert page.status_code == 409
    assert "You still have ₽100.00 on your balance. Spend it first, or ask us to refund it." in words(page)
    assert is_open()


def test_what_runs_is_settled_first_and_ends(alice, browser):
    pay_in(alice, 990_00, at=NOON)
    with books.open(alice, "RUB", now=at()) as book:
        book.subscribe(basic())
    assert browser.post("/account/settings/close/").status_code == 303
    assert not is_open()


def test_a_payment_that_is_not_finished_is_finished_first(alice, browser, now):
    checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="sandbox")
    page = browser.post("/account/settings/close/")
    assert page.status_code == 409
    assert "A payment is not finished." in words(page)
    assert is_open()


def test_the_password_is_asked_for(alice):
    client = Client()
    client.force_login(alice)
    for path in ("/account/settings/close/", "/account/settings/data.json"):
        assert client.get(path)["Location"].startswith("/reauthenticate/")
    assert client.post("/account/settings/close/").status_code == 302
    assert is_open()


def test_the_data_have_consents_events_mails_and_sessions_of_this_customer_only(alice, mallory, browser):
    for person in (alice, mallory):
        method = PaymentMethod.objects.create(
            customer=person, gateway="sandbox", gateway_id=f"card_{person.pk}", created_at=NOON
        )
        consents.agree_to_renewals(method, address="192.0.2.7", now=NOON)
        Mail.objects.create(
            customer=person, kind="receipt", cause=f"event:{person.pk}", address=person.email, subject="Paid",
            text=f"Hello {person.username}", created_at=NOON, due_at=NOON, park_at=NOON,
        )  # fmt: skip
    found = json.loads(browser.get("/account/settings/data.json").getvalue())
    [consent], [mail], [session] = found["consents"], found["mails"], found["sessions"]
    assert (consent["address"], consent["purpose"], bool(consent["words"])) == ("192.0.2.7", "renewals", True)
    assert (mail["subject"], mail["text"]) == ("Paid", "Hello alice")
    assert session["address"] == "127.0.0.1"
    assert "consent.given" in [event["type"] for event in found["events"]]
    assert "mallory" not in json.dumps(found)


def test_the_data_are_one_json_object_of_this_customer(alice, mallory, browser):
    pay_in(alice, 100_00, at=NOON)
    pay_in(mallory, 700_00, at=NOON)
    answer = browser.get("/account/settings/data.json")
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    found = json.loads(answer.getvalue())
    assert [row["email"] for row in found["profile"]] == ["alice@example.com"]
    assert [(row["amount"], row["balance_after"]) for row in found["transactions"]] == [(100_00, 100_00)]
    assert found["subscriptions"] == found["refunds"] == []
    text = json.dumps(found)
    assert "password" not in text
    assert "70000" not in text
