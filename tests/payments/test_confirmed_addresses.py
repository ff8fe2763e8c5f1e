"""A plan may be for confirmed addresses only: on pages, in the API, for a new order and for a change."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import confirmed_address, registration
from accounts.models import User
from payments import checkout
from payments.models import Payment
from subscriptions import books, orders, quotes
from subscriptions.confirmed_addresses import AddressNotConfirmed
from subscriptions.models import Plan, Price, Subscription
from tests.payments.api.calls import CHECKOUT, problem
from tests.subscriptions.shop import pay_in, sell
from tests.web import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict(db: None) -> Price:
    """A plan with a free trial of a week, for confirmed addresses only."""
    price = sell("strict", RUB=500_00, trial_days=7)["RUB"]
    Plan.objects.filter(pk=price.plan_id).update(needs_confirmed_email=True)
    price.plan.refresh_from_db()
    return price


def confirm(user: User) -> None:
    registration.set_address(user)
    EmailAddress.objects.filter(user=user).update(verified=True)


def test_neither_a_trial_nor_a_paid_order_before_the_address_is_confirmed(alice: User, strict: Price) -> None:
    now = timezone.now()
    with pytest.raises(AddressNotConfirmed):
        orders.subscribe(alice, strict, now=now)
    with pytest.raises(AddressNotConfirmed):
        checkout.start(alice, now=now, plan="strict", currency="RUB")
    assert not Subscription.objects.exists()
    confirm(alice)
    assert orders.subscribe(alice, strict, now=now).status == "trialing"


def test_neither_a_change_to_it(alice: User, strict: Price) -> None:
    now = timezone.now()
    basic = sell("basic", RUB=100_00)["RUB"]
    pay_in(alice, 2000_00, at=now)
    row = orders.subscribe(alice, basic, now=now)
    with pytest.raises(AddressNotConfirmed):
        quotes.make(row, strict, now=now)
    with pytest.raises(AddressNotConfirmed), books.open(alice, "RUB", now=now) as book:
        book.change(row, plan="strict")
    confirm(alice)
    quotes.accept(quotes.make(row, strict, now=now), now=now)
    row.refresh_from_db()
    assert row.price == strict


def test_who_has_it_keeps_it_and_may_change_the_quantity(alice: User, strict: Price) -> None:
    now = timezone.now()
    confirm(alice)
    row = orders.subscribe(alice, strict, now=now)
    registration.change(alice, now=now, email="other@example.com")
    assert not confirmed_address.is_confirmed(alice)
    with books.open(alice, "RUB", now=now) as book:
        book.change(row, quantity=2)
        book.change(row, plan="strict")


def test_staff_may_start_it_for_a_customer(alice: User, superuser: User, strict: Price) -> None:
    row = orders.sell(alice, strict, author=superuser, now=timezone.now(), quantity=1, periods=1)
    assert row.status == "trialing"


def test_the_api_says_what_to_do_and_sends_the_link(alice: User, api: APIClient, strict: Price) -> None:
    registration.set_address(alice)
    assert api.get("/api/auth/me").json()["email_confirmed"] is False
    assert api.get("/api/plans/").json()["results"][0]["needs_confirmed_email"] is True
    for url in ("/api/subscriptions/", CHECKOUT):
        answer = api.post(url, {"plan": "strict", "currency": "RUB"})
        assert problem(answer)[:2] == (409, "email_not_confirmed")
    assert api.post("/api/auth/confirm-email").status_code == 204
    [letter] = mail.outbox
    assert letter.to == [alice.email]
    [path] = re.findall(r"https?://[^/]+(/confirm-email/\S+)", str(letter.body))
    assert Client().post(path).status_code == 302
    assert api.get("/api/auth/me").json()["email_confirmed"] is True
    assert api.post("/api/auth/confirm-email").status_code == 204
    assert len(mail.outbox) == 1
    assert api.post("/api/subscriptions/", {"plan": "strict", "currency": "RUB"}).json()["status"] == "trialing"


def test_the_checkout_asks_for_it_first(alice: User, client: Client, strict: Price) -> None:
    client.force_login(alice)
    registration.set_address(alice)
    here = "/checkout/strict/?currency=RUB"
    assert "Strict is for customers with a confirmed address." in words(client.get(here))
    assert client.post(here, {"shown": "0", "total": "50000", "form_key": "x"}).status_code == 200
    assert not Payment.objects.exists()
    assert not Subscription.objects.exists()
    answer = client.post("/email/confirm/", headers={"referer": f"http://testserver{here}"})
    assert (answer.status_code, answer["location"]) == (303, here)
    assert f"We sent a link to {alice.email}." in words(client.get(here))
    assert len(mail.outbox) == 1
    confirm(alice)
    assert "Start free trial" in words(client.get(here))
    assert "For customers with a confirmed email address." in words(client.get("/pricing/?currency=RUB"))
