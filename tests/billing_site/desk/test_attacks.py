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
from subscriptions.models import Plan, Subscription
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


@pytest.fixture
def transfer(alice: User, settings: Any) -> ManualTransfer:
    """Alice's bank transfer of 500.00, of which nothing has arrived."""
    settings.MANUAL_DETAILS = json.dumps({"beneficiary": "Acme Ltd", "account": "40702810900000000001"})
    settings.PAYMENT_GATEWAYS = ["sandbox", "manual"]
    waits = checkout.start(alice, now=timezone.now(), amount=500_00, currency="RUB", gateway="manual")
    return ManualTransfer.objects.get(transfer_id=waits.gateway_id)


def both(client: Client, address: str, sent: dict[str, str]) -> None:
    """Send a page for its review and for good: it answers with the form, whatever was sent."""
    for more in ({}, {"confirmed": "1"}):
        answer = client.post(address, sent | more)
        assert answer.status_code == 200, sent
        assert answer.context["form"].errors, sent


ARRIVAL = {
    "amount": "500",
    "currency": "RUB",
    "received_on": "2026-01-02",
    "bank_reference": "B-1",
    "difference": "later",
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "9999999999999.99"}, {"currency": "USD"}, {"currency": "rub"}, {"currency": NUL},
        {"received_on": "9999-12-31"}, {"received_on": "0000-00-00"}, {"received_on": NUL},
        {"bank_reference": NUL}, {"bank_reference": "x" * 65}, {"difference": "mine"}, {"note": NUL},
        {"difference": "accept", "reason": " "}, {"seen": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_an_arrival_that_cannot_be_is_refused_on_the_form(transfer: ManualTransfer, wrong: dict[str, str]) -> None:
    finance, address = desk("finance"), f"/admin/manual/manualtransfer/{transfer.pk}/record/"
    both(finance, address, filled(finance, address, **ARRIVAL) | wrong)
    assert not transfer.receipts.exists()
    assert not StaffAct.objects.exists()


def test_a_page_of_one_customer_does_nothing_to_another(alice: User, mallory: User) -> None:
    """The key, the last act and the figures of a page are sent to the same page of somebody else."""
    finance = desk("finance")
    for customer in (alice, mallory):
        pay_in(customer, 1000_00)
    first, second = (f"/admin/accounts/user/{each.pk}/credit/" for each in (alice, mallory))
    sent = filled(finance, first, amount="10", currency="RUB") | {"confirmed": "1"}
    assert finance.post(first, sent).status_code == 303
    answer = finance.post(second, sent, follow=True)
    assert "This was done before." in answer.content.decode()
    assert (balance(alice), balance(mallory)) == (1010_00, 1000_00)


def test_pages_without_a_key_are_acts_of_their_own_and_break_nothing(alice: User, mallory: User) -> None:
    finance = desk("finance")
    for customer in (alice, mallory):
        pay_in(customer, 1000_00)
        address = f"/admin/accounts/user/{customer.pk}/credit/"
        for amount in ("10", "20"):
            sent = {"amount": amount, "currency": "RUB", "reason": "Outage", "confirmed": "1"}
            assert finance.post(address, sent).status_code in (200, 303)
    assert balance(mallory) in (1000_00, 1010_00, 1030_00)


@pytest.mark.parametrize("currency", ["rub", "XXX", "", NUL])
def test_another_currency_than_the_customers_is_refused(alice: User, currency: str) -> None:
    pay_in(alice, 1000_00)
    finance = desk("finance")
    for name in ("credit", "debit"):
        address = f"/admin/accounts/user/{alice.pk}/{name}/"
        both(finance, address, filled(finance, address, amount="10", currency="RUB") | {"currency": currency})
    assert balance(alice) == 1000_00


@pytest.mark.parametrize("plan", ["hidden", "basic", "euro", "nothing", NUL])
def test_only_plans_on_sale_in_the_currency_can_be_chosen(alice: User, plan: str) -> None:
    row, support = subscribed(alice), desk("support")
    sell("euro", EUR=10_00)
    hidden_price = sell("hidden", RUB=10_00)["RUB"]
    Plan.objects.filter(pk=hidden_price.plan_id).update(is_public=False)
    address = f"/admin/subscriptions/subscription/{row.pk}/change-plan/"
    both(support, address, filled(support, address, plan=plan, when="now"))
    address = f"/admin/accounts/user/{alice.pk}/subscribe/"
    for price in (hidden_price.pk, "0", "9" * 30, "-1", NUL):
        both(support, address, filled(support, address, price=price, quantity=1, periods=1))
    assert Subscription.objects.get().price == row.price


@pytest.mark.parametrize("offer", ["0", "9" * 30, "-1", "x"])
def test_an_offer_that_was_made_up_changes_no_plan_unseen(alice: User, offer: str) -> None:
    row, support = subscribed(alice), desk("support")
    sell("other", RUB=10_00)
    address = f"/admin/subscriptions/subscription/{row.pk}/change-plan/"
    sent = filled(support, address, plan="other", when="now") | {"offer": offer}
    assert support.post(address, sent).status_code == 200
    assert support.post(address, sent | {"confirmed": "1"}).status_code in (200, 303)


def test_a_role_without_the_permission_acts_on_no_row(alice: User, transfer: ManualTransfer) -> None:
    payment, row = pay(alice, 1000_00, now=timezone.now()), subscribed(alice)
    before = balance(alice)
    pages = {
        f"manual/manualtransfer/{transfer.pk}/record/": ("support", "catalogue", "developer", "auditor"),
        f"manual/manualtransfer/{transfer.pk}/complete/": ("support", "catalogue", "developer", "auditor"),
        f"payments/payment/{payment.pk}/ask/": ("support", "catalogue", "developer", "auditor"),
        f"accounts/user/{alice.pk}/credit/": ("catalogue", "developer", "auditor"),
        f"subscriptions/subscription/{row.pk}/cancel/": ("finance", "catalogue", "developer", "auditor"),
        f"subscriptions/plan/{row.price.plan_id}/up/": ("support", "finance", "developer", "auditor"),
        f"subscriptions/plan/{row.price.plan_id}/delete/": ("support", "finance", "catalogue", "developer", "auditor"),
    }
    browsers = {name: desk(name) for name in ("support", "finance", "catalogue", "developer", "auditor")}
    for page, roles in pages.items():
        for role in roles:
            sent = ARRIVAL | {"amount": "1", "reason": "x", "confirmed": "1", "when": "now"}
            assert browsers[role].post(f"/admin/{page}", sent).status_code == 403, (page, role)
    assert (balance(alice), StaffAct.objects.count()) == (before, 0)
