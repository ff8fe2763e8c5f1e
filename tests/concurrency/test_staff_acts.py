"""One person's double click, and two people who act on one customer at the same moment: each act happens once."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from billing_site.demo import plans
from events.models import Event, Mail, StaffAct
from ledger.models import Account
from payments import checkout
from payments.gateways.manual.models import ManualReceipt, ManualTransfer
from payments.models import Adjustment, Collection, Refund
from subscriptions import books, catalogue, orders
from subscriptions.models import Plan, Price
from tests.concurrency.sessions import at_once
from tests.payments.staff_rows import pay
from tests.staff import member
from tests.subscriptions.desk import filled
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db(transaction=True)

Made = tuple[str, Mapping[str, object], Callable[[], int]]


@pytest.fixture
def now(settings: Any) -> datetime:
    settings.MANUAL_DETAILS = json.dumps({"beneficiary": "Acme Ltd", "account": "40702810900000000001"})
    settings.STAFF_CREDIT_LIMIT = {"RUB": 5000}
    at = datetime.now(UTC)
    plans.put_on_sale(now=at)
    return at


def balance(customer: User) -> int:
    return Account.objects.get(owner=customer, kind=Account.Kind.WALLET, currency="RUB").balance or 0


def refund(customer: User, now: datetime) -> Made:
    payment = pay(customer, 1000_00, now=now)
    return (
        f"payments/payment/{payment.pk}/refund/", {"amount": "400", "destination": "card"},
        lambda: Refund.objects.count() * (balance(customer) == 600_00),
    )  # fmt: skip


def decide(customer: User, now: datetime) -> Made:
    parked = pay(customer, 700_00, "wrong_amount", now=now)

    def times() -> int:
        # The gateway took half of it.
        wallet = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).first()
        return (wallet.balance or 0) // 350_00 if wallet else 0

    return f"payments/payment/{parked.pk}/accept/", {}, times


def credit(customer: User, now: datetime) -> Made:
    pay_in(customer, 100_00, at=now)
    sent = {"amount": "500", "currency": "RUB"}
    return (
        f"accounts/user/{customer.pk}/credit/", sent,
        lambda: Adjustment.objects.count() * (balance(customer) == 600_00),
    )  # fmt: skip


def cancel(customer: User, now: datetime) -> Made:
    pay_in(customer, 5000_00, at=now)
    row = orders.subscribe(customer, catalogue.current("basic", "RUB"), now=now)

    def times() -> int:
        row.refresh_from_db()
        return int(row.status == "cancelled" and balance(customer) <= 5000_00)

    return f"subscriptions/subscription/{row.pk}/cancel/", {"when": "refund"}, times


def extend(customer: User, now: datetime) -> Made:
    pay_in(customer, 5000_00, at=now)
    row = orders.subscribe(customer, catalogue.current("basic", "RUB"), now=now)
    before = row.period_end
    assert before is not None

    def times() -> int:
        row.refresh_from_db()
        assert row.period_end is not None
        return (row.period_end - before) // timedelta(days=5)

    return f"subscriptions/subscription/{row.pk}/extend/", {"days": 5}, times


def change(customer: User, now: datetime) -> Made:
    pay_in(customer, 5000_00, at=now)
    row = orders.subscribe(customer, catalogue.current("basic", "RUB"), now=now)

    def times() -> int:
        row.refresh_from_db()
        return int(row.price.plan.code == "standard")

    return f"subscriptions/subscription/{row.pk}/change-plan/", {"plan": "standard", "when": "now"}, times


def start(customer: User, now: datetime) -> Made:
    pay_in(customer, 5000_00, at=now)
    price = catalogue.current("basic", "RUB")
    return (
        f"accounts/user/{customer.pk}/subscribe/", {"price": price.pk, "quantity": 1, "periods": 1},
        lambda: (5000_00 - balance(customer)) // 299_00,
    )  # fmt: skip


def record(customer: User, now: datetime) -> Made:
    payment = checkout.start(customer, now=now, amount=1342_00, currency="RUB", gateway="manual")
    transfer = ManualTransfer.objects.get(transfer_id=payment.gateway_id)
    sent = {
        "amount": "1342", "currency": "RUB", "received_on": now.date(), "bank_reference": "B-7", "difference": "later",
    }  # fmt: skip
    return (
        f"manual/manualtransfer/{transfer.pk}/record/", sent,
        lambda: ManualReceipt.objects.count() and balance(customer) // 1342_00,
    )  # fmt: skip


def block(customer: User, now: datetime) -> Made:
    def times() -> int:
        customer.refresh_from_db()
        return int(not customer.is_active)

    return f"accounts/user/{customer.pk}/block/", {}, times


def send_again(customer: User, now: datetime) -> Made:
    mail = Mail.objects.create(
        customer=customer, kind="receipt", cause="1", created_at=now, park_at=now, sent_at=now, state=Mail.State.SENT
    )

    def times() -> int:
        mail.refresh_from_db()
        return mail.resends

    return f"events/mail/{mail.pk}/send-again/", {}, times


def publish(customer: User, now: datetime) -> Made:
    price = catalogue.current("basic", "RUB")
    sent = {
        "amount": "399", "interval": "month", "interval_count": "1", "trial_days": "0", "grace_days": "0",
        "keep_days": "30", "trial_quantity_max": "10",
    }  # fmt: skip
    own = Price.objects.filter(plan=price.plan, currency="RUB")
    return f"subscriptions/price/{price.pk}/new-version/", sent, lambda: own.count() - 1


def add_price(customer: User, now: datetime) -> Made:
    plan = Plan.objects.get(code="basic")
    sent = {
        "currency": "KZT", "amount": "1990", "interval": "month", "interval_count": "1", "trial_days": "0",
        "grace_days": "0", "keep_days": "30", "trial_quantity_max": "10",
    }  # fmt: skip
    own = Price.objects.filter(plan=plan, currency="KZT")
    return f"subscriptions/plan/{plan.pk}/add-price/", sent, own.count


def texts(customer: User, now: datetime) -> Made:
    plan = Plan.objects.get(code="basic")
    sent = {"code": "basic", "name": "Start"}
    return f"subscriptions/plan/{plan.pk}/texts/", sent, Plan.objects.filter(name="Start").count


def hide(customer: User, now: datetime) -> Made:
    plan = Plan.objects.get(code="basic")
    return f"subscriptions/plan/{plan.pk}/hide/", {}, lambda: Plan.objects.filter(code="basic", is_public=False).count()


def debit(customer: User, now: datetime) -> Made:
    pay_in(customer, 1000_00, at=now)
    sent = {"amount": "300", "currency": "RUB"}
    return f"accounts/user/{customer.pk}/debit/", sent, lambda: (1000_00 - balance(customer)) // 300_00


def write_off(customer: User, now: datetime) -> Made:
    with books.open(customer, "RUB", now=now) as book:
        book.take_back(900_00, key="test:owe", to="disputes", reason="chargeback")
    debt = Account.objects.filter(owner=customer, kind=Account.Kind.DEBT)
    sent = {"amount": "300", "currency": "RUB"}
    return f"accounts/user/{customer.pk}/write-off/", sent, lambda: (900_00 + (debt.get().balance or 0)) // 300_00


def stop(customer: User, now: datetime) -> Made:
    pay_in(customer, 100_00, at=now)
    row = Collection.objects.create(
        customer=customer, wallet=Account.objects.get(owner=customer, kind=Account.Kind.WALLET), currency="RUB",
        kind=Collection.Kind.RENEWAL, cause="renewal:1", due_at=now, next_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    stopped = Event.objects.filter(type="collection.stopped", subject=row.public_id)
    return f"payments/collection/{row.pk}/stop/", {}, stopped.count


ACTS: dict[str, Callable[[User, datetime], Made]] = {
    "refund": refund, "decide": decide, "cancel": cancel, "credit": credit, "extend": extend, "change": change,
    "start": start, "record": record, "block": block, "send_again": send_again, "publish": publish, "hide": hide,
    "add_price": add_price, "texts": texts, "debit": debit, "write_off": write_off, "stop": stop,
}  # fmt: skip
ROLES = {
    "decide": "finance",
    "record": "finance",
    "publish": "catalogue",
    "hide": "catalogue",
    "add_price": "catalogue",
    "texts": "catalogue",
    "write_off": "finance",
    "stop": "finance",
}


@pytest.mark.parametrize("name", ACTS)
def test_two_people_who_act_at_the_same_moment_act_once(alice: User, now: datetime, settings: Any, name: str) -> None:
    if name == "record":
        settings.PAYMENT_GATEWAYS = ["manual"]
    address, fields, times = ACTS[name](alice, now)
    before, role = times(), ROLES.get(name, "support")
    people = [Client(), Client()]
    for number, client in enumerate(people):
        client.force_login(member(role, f"{role}{number}"))
    sent = [filled(client, f"/admin/{address}", **fields) | {"confirmed": "1"} for client in people]
    # The first one presses the button twice, too.
    jobs = [(people[0], sent[0]), (people[0], sent[0]), (people[1], sent[1])]
    answers = at_once([lambda job=job: job[0].post(f"/admin/{address}", job[1]) for job in jobs])  # type: ignore[misc]
    assert {answer.status_code for answer in answers} <= {200, 303}
    assert (before, times()) == (0, 1)
    assert StaffAct.objects.count() == 1


def test_a_gateway_that_is_asked_several_times_at_once_credits_once(alice: User, now: datetime) -> None:
    payment = pay(alice, 1000_00, "webhook_lost", now=now)
    address, people = f"/admin/payments/payment/{payment.pk}/ask/", [Client(), Client()]
    for number, client in enumerate(people):
        client.force_login(member("finance", f"finance{number}"))
    sent = [filled(client, address) | {"confirmed": "1"} for client in people]
    jobs = [(people[0], sent[0])] * 3 + [(people[1], sent[1])]
    answers = at_once([lambda job=job: job[0].post(address, job[1]) for job in jobs])  # type: ignore[misc]
    assert {answer.status_code for answer in answers} == {303}
    assert balance(alice) == 1000_00
    # Each of the two is recorded once: that they ask, and what came of it.
    kinds = sorted(StaffAct.objects.values_list("author__username", "kind"))
    assert kinds == [(f"finance{number}", kind) for number in (0, 1) for kind in ("gateway.ask", "view.gateway")]
