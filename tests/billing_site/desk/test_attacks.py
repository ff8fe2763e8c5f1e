"""What somebody at the desk tries beyond their role: their own account, made-up values, pages that are out of date."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from ledger.models import Account
from payments import checkout
from payments.gateways.manual.models import ManualTransfer
from payments.models import Adjustment, Refund
from subscriptions import catalogue, orders
from subscriptions.models import Subscription
from tests.payments.staff_rows import pay
from tests.staff import member
from tests.subscriptions.desk import ask, desk, filled, send
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db
NUL = "\0"


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.STAFF_CREDIT_LIMIT = {"RUB": 5000}


def login(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def balance(customer: User) -> int:
    return Account.objects.get(owner=customer, kind=Account.Kind.WALLET, currency="RUB").balance or 0


def subscribed(customer: User) -> Subscription:
    sell("basic", RUB=299_00)
    pay_in(customer, 5000_00)
    return orders.subscribe(customer, catalogue.current("basic", "RUB"), now=timezone.now())


@pytest.mark.parametrize("role", ["support", "finance"])
def test_nobody_acts_on_what_is_their_own(role: str) -> None:
    own = member(role)
    client, now = login(own), timezone.now()
    payment, row = pay(own, 1000_00, now=now), subscribed(own)
    parked = pay(own, 700_00, "wrong_amount", now=now)
    before = balance(own)
    for page in (
        f"payments/payment/{payment.pk}/refund/", f"payments/payment/{parked.pk}/accept/",
        f"subscriptions/subscription/{row.pk}/extend/", f"subscriptions/subscription/{row.pk}/cancel/",
        f"accounts/user/{own.pk}/credit/", f"accounts/user/{own.pk}/subscribe/",
    ):  # fmt: skip
        sent = {"amount": "500", "destination": "wallet", "reason": "Why not", "confirmed": "1", "days": "5"}
        assert client.post(f"/admin/{page}", sent).status_code == 403, page
        assert client.get(f"/admin/{page}").status_code == 403, page
    assert (balance(own), Refund.objects.count(), StaffAct.objects.count()) == (before, 0, 0)
    text = client.get(f"/admin/customers/{own.pk}/").content.decode()
    for name in ("/refund/", "/accept/", "/extend/", "/cancel/", "/credit/"):
        assert name not in text


@pytest.mark.parametrize(
    "amount",
    ["-1", "0", "1e3", "NaN", "Infinity", "9" * 39, "92233720368547758.08", "1.005", "٣", "0x10", NUL, "1 000,5,5"],
)
def test_an_amount_that_cannot_be_moves_nothing(alice: User, amount: str, settings: Any) -> None:
    settings.MANUAL_DETAILS = json.dumps({"beneficiary": "Acme Ltd", "account": "40702810900000000001"})
    payment, now = pay(alice, 1000_00, now=timezone.now()), timezone.now()
    finance = desk("finance")
    pages = [f"payments/payment/{payment.pk}/refund/", f"accounts/user/{alice.pk}/credit/",
             f"accounts/user/{alice.pk}/debit/"]  # fmt: skip
    settings.PAYMENT_GATEWAYS = ["manual"]
    waits = checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="manual")
    pages.append(f"manual/manualtransfer/{ManualTransfer.objects.get(transfer_id=waits.gateway_id).pk}/record/")
    for page in pages:
        sent = filled(finance, f"/admin/{page}", amount=amount, currency="RUB", destination="wallet",
                      received_on="2026-01-02", bank_reference="B-1", difference="later")  # fmt: skip
        for more in ({}, {"confirmed": "1"}):
            answer = finance.post(f"/admin/{page}", sent | more)
            assert answer.status_code == 200, (page, amount)
            assert answer.context["form"].errors, (page, amount)
    assert balance(alice) == 1000_00
    assert not Adjustment.objects.exists()


@pytest.mark.parametrize("value", [NUL, "x" * 5000, "<script>", "9" * 400, "-1", "'"])
def test_made_up_hidden_values_break_nothing(alice: User, value: str) -> None:
    row = subscribed(alice)
    support = desk("support")
    page = f"/admin/subscriptions/subscription/{row.pk}/extend/"
    for name in ("form_key", "seen", "seen_act"):
        for more in ({}, {"confirmed": "1"}):
            answer = support.post(page, filled(support, page, days=1) | {name: value} | more)
            assert answer.status_code in (200, 303, 400), (name, value)
            assert "<script>" not in answer.content.decode().replace("<script src", "")
    for address in (f"/admin/events/staffact/?object={value}", f"/admin/payments/payment/?q={value}",
                    f"/admin/search/?q={value}", f"/admin/figures/?currency={value}",
                    f"/admin/customers/{alice.pk}/?kind={value}&before={value}"):  # fmt: skip
        assert desk("auditor", f"a{abs(hash(address))}").get(address).status_code in (200, 302, 400), address


def test_a_price_that_changed_after_the_review_is_shown_first(alice: User) -> None:
    row = subscribed(alice)
    price = sell("standard", RUB=690_00)["RUB"]
    support = desk("support")
    page = f"/admin/subscriptions/subscription/{row.pk}/change-plan/"
    review = ask(support, page, plan="standard", when="now")
    assert review.context["changes"]
    sent = {each.html_name: each.value() for each in review.context["form"]} | {"confirmed": "1"}
    catalogue.new_version(price, now=timezone.now(), amount=1690_00)
    late = support.post(page, sent)
    assert late.status_code == 200
    assert "The price has changed meanwhile" in late.content.decode()
    row.refresh_from_db()
    assert row.price.plan.code == "basic"
    again = {each.html_name: each.value() for each in late.context["form"]} | {"confirmed": "1"}
    assert support.post(page, again).status_code == 303
    row.refresh_from_db()
    assert row.price.amount == 1690_00


def test_names_and_reasons_are_shown_as_text(alice: User) -> None:
    bad = "<img src=x onerror=alert(1)>"
    User.objects.filter(pk=alice.pk).update(first_name=bad, last_name="=cmd|' /C calc'!A0")
    pay_in(alice, 100_00)
    support = desk("support")
    page = f"/admin/accounts/user/{alice.pk}/credit/"
    review = support.post(page, filled(support, page, amount="5", currency="RUB") | {"reason": bad})
    assert bad not in review.content.decode()
    send(support, page, amount="5", currency="RUB")
    support.post(page, filled(support, page, amount="6", currency="RUB") | {"reason": bad, "confirmed": "1"})
    act = StaffAct.objects.latest("id")
    assert act.reason == bad
    for address in (f"/admin/customers/{alice.pk}/", "/admin/events/staffact/",
                    f"/admin/events/staffact/{act.pk}/change/", f"/admin/accounts/user/{alice.pk}/change/",
                    "/admin/payments/adjustment/", "/admin/ledger/transaction/",
                    "/admin/search/?q=alice@example.com"):  # fmt: skip
        assert bad not in support.get(address, follow=True).content.decode(), address


def test_a_reload_of_a_confirmation_does_nothing_more(alice: User) -> None:
    payment = pay(alice, 1000_00, now=timezone.now())
    support = desk("support")
    page = f"/admin/payments/payment/{payment.pk}/refund/"
    sent = filled(support, page, amount="100", destination="card") | {"confirmed": "1"}
    for _ in range(3):
        assert support.post(page, sent).status_code == 303
    assert Refund.objects.count() == StaffAct.objects.count() == 1
