"""What somebody at the desk tries with collections and debts: made-up rows, sums that are not owed, one act twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from ledger.models import Account
from payments.models import Adjustment, Collection, CollectionPlan
from subscriptions import books
from tests.chosen import choose
from tests.payments.staff_rows import make
from tests.staff import member
from tests.subscriptions.desk import ask, desk, filled
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db
NUL = "\0"
PLANS = "/admin/payments/collectionplan/"


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.STAFF_CREDIT_LIMIT = {"RUB": 5000, "EUR": 5000}


def account(customer: User, kind: Account.Kind, currency: str = "RUB") -> int:
    rows = Account.objects.filter(owner=customer, kind=kind, currency=currency)
    return sum(row.balance or 0 for row in rows)


def debt(customer: User) -> int:
    return -account(customer, Account.Kind.DEBT)


def owe(customer: User, amount: int) -> None:
    """Let a customer without money owe so much."""
    with books.open(customer, "RUB", now=timezone.now()) as book:
        book.take_back(amount, key=f"test:owe:{customer.pk}", to="disputes", reason="chargeback")


def plan_of(customer: User) -> CollectionPlan:
    """Return the plan of a customer's wallet, which waits for staff."""
    wallet = Account.objects.get(owner=customer, kind=Account.Kind.WALLET, currency="RUB")
    fields = {"check_at": None, "failures": 8, "parked_reason": "Failed 8 times"}
    return CollectionPlan.objects.update_or_create(wallet=wallet, defaults={"customer": customer, **fields})[0]


def write_off(customer: User) -> str:
    return f"/admin/accounts/user/{customer.pk}/write-off/"


def refused(client: Client, address: str, sent: dict[str, str]) -> None:
    """Send a page for its review and for good: both times it answers with the form and says why."""
    for more in ({}, {"confirmed": "1"}):
        answer = client.post(address, sent | more)
        assert answer.status_code == 200, sent
        assert answer.context["form"].errors, sent


@pytest.mark.parametrize(
    "amount", ["-1", "0", "300.01", "1e2", "NaN", "9" * 39, "92233720368547758.08", "1.005", "٣", "", NUL]
)
def test_only_what_is_owed_can_be_written_off(alice: User, amount: str) -> None:
    owe(alice, 300_00)
    finance = desk("finance")
    refused(finance, write_off(alice), filled(finance, write_off(alice), amount=amount, currency="RUB"))
    assert (debt(alice), Adjustment.objects.count(), StaffAct.objects.count()) == (300_00, 0, 0)


@pytest.mark.parametrize("currency", ["EUR", "rub", "XXX", "", NUL])
def test_a_debt_is_written_off_in_its_own_currency_only(alice: User, currency: str) -> None:
    owe(alice, 300_00)
    pay_in(alice, 1000_00, currency="EUR")
    finance = desk("finance")
    sent = filled(finance, write_off(alice), amount="10", currency="RUB") | {"currency": currency}
    refused(finance, write_off(alice), sent)
    assert (debt(alice), account(alice, Account.Kind.WALLET, "EUR")) == (300_00, 1000_00)


def test_two_people_write_off_the_same_debt_once(alice: User) -> None:
    owe(alice, 300_00)
    first, second = desk("finance", "fin1"), desk("finance", "fin2")
    fields = {"amount": "300", "currency": "RUB"}
    sent = [filled(each, write_off(alice), **fields) | {"confirmed": "1"} for each in (first, second)]
    assert first.post(write_off(alice), sent[0]).status_code == 303
    late = second.post(write_off(alice), sent[1])
    assert late.status_code == 200
    # Whoever insists on it, with what the page says now, is told that nothing is owed.
    again = {each.html_name: each.value() for each in late.context["form"]} | {"confirmed": "1"}
    assert second.post(write_off(alice), again).status_code == 200
    assert (debt(alice), Adjustment.objects.count(), StaffAct.objects.count()) == (0, 1, 1)


def test_a_page_about_one_debt_does_nothing_to_another(alice: User, mallory: User) -> None:
    for customer in (alice, mallory):
        owe(customer, 300_00)
    finance = desk("finance")
    sent = filled(finance, write_off(alice), amount="100", currency="RUB") | {"confirmed": "1"}
    assert finance.post(write_off(alice), sent).status_code == 303
    answer = finance.post(write_off(mallory), sent, follow=True)
    assert "This was done before." in answer.content.decode()
    assert (debt(alice), debt(mallory)) == (200_00, 300_00)


def test_a_decision_about_one_adjustment_decides_no_other(alice: User, settings: Any) -> None:
    settings.STAFF_CREDIT_LIMIT = {}
    owe(alice, 300_00)
    support, finance = desk("support"), desk("finance")
    for amount in ("100", "200"):
        sent = filled(support, write_off(alice), amount=amount, currency="RUB") | {"confirmed": "1"}
        assert support.post(write_off(alice), sent).status_code == 303
    first, second = Adjustment.objects.order_by("id")
    pages = [f"/admin/payments/adjustment/{each.pk}/approve/" for each in (first, second)]
    sent = filled(finance, pages[0]) | {"confirmed": "1"}
    assert finance.post(pages[0], sent).status_code == 303
    finance.post(pages[1], sent)
    second.refresh_from_db()
    assert (second.status, debt(alice)) == ("waiting", 200_00)


@pytest.fixture
def waiting(alice: User, superuser: User) -> Collection:
    """A collection of Alice's that waits for its next try."""
    found: Collection = make(alice, superuser, now=timezone.now())["collection"]
    return found


def stop(pk: object) -> str:
    return f"/admin/payments/collection/{pk}/stop/"


@pytest.mark.parametrize("pk", ["0", "9" * 18, "9" * 30, "-1", "x", "1e3", "%00"])
def test_a_collection_that_there_is_not_cannot_be_stopped(waiting: Collection, superuser: User, pk: str) -> None:
    client = Client()
    client.force_login(superuser)
    for page in (stop(pk), f"{PLANS}{pk}/look-again/", f"/admin/payments/adjustment/{pk}/approve/"):
        for answer in (client.get(page), client.post(page, {"reason": "x", "confirmed": "1"})):
            # The admin leads whoever names no row to the first page.
            assert answer.status_code in (302, 404), page
    waiting.refresh_from_db()
    assert waiting.status == "waiting"


@pytest.mark.parametrize("status", ["collected", "covered", "given_up"])
def test_a_collection_that_ended_meanwhile_is_not_stopped(waiting: Collection, superuser: User, status: str) -> None:
    client = Client()
    client.force_login(superuser)
    sent = filled(client, stop(waiting.pk)) | {"confirmed": "1"}
    Collection.objects.filter(pk=waiting.pk).update(status="charging", next_at=None)
    Collection.objects.filter(pk=waiting.pk).update(status=status, ended_at=timezone.now())
    answer = client.post(stop(waiting.pk), sent)
    assert answer.status_code == 200
    assert "This collection has ended" in answer.content.decode()
    waiting.refresh_from_db()
    assert (waiting.status, StaffAct.objects.count()) == (status, 0)


@pytest.mark.parametrize("role", ["support", "finance", "catalogue", "developer", "auditor"])
def test_a_role_does_what_it_may_with_collections_and_no_more(waiting: Collection, role: str) -> None:
    plan = plan_of(waiting.customer)
    client, sent = desk(role), {"reason": "x", "confirmed": "1"}
    may = member(role, f"{role}2").has_perm
    pages = {
        stop(waiting.pk): "change_collection", f"{PLANS}{plan.pk}/look-again/": "change_collectionplan",
        f"{PLANS}chosen/look-again/": "change_collectionplan",
    }  # fmt: skip
    for page, permission in pages.items():
        expected = 303 if may(f"payments.{permission}") else 403
        made_up = {"form_key": "k", "seen": f"{plan.pk}:0"} if "chosen" in page else {}
        assert client.post(page, sent | made_up).status_code == expected, (role, page)
    waiting.refresh_from_db()
    assert (waiting.status == "stopped") is may("payments.change_collection")


def test_nobody_acts_on_their_own_collections(superuser: User) -> None:
    pay_in(superuser, 100_00)
    plan, now = plan_of(superuser), timezone.now()
    own = Collection.objects.create(
        customer=superuser, wallet=plan.wallet, currency="RUB", kind=Collection.Kind.RENEWAL, cause="renewal:own",
        due_at=now, next_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    client = Client()
    client.force_login(superuser)
    for page in (stop(own.pk), f"{PLANS}{plan.pk}/look-again/"):
        assert client.post(page, {"reason": "x", "confirmed": "1"}).status_code == 403
    review = choose(client, PLANS, "look-again", plan)
    assert "Nobody acts on what is their own." in review.content.decode()
    sent = {"form_key": "k", "seen": f"{plan.pk}:0", "reason": "x", "confirmed": "1"}
    client.post(f"{PLANS}chosen/look-again/", sent)
    plan.refresh_from_db()
    own.refresh_from_db()
    assert (plan.parked_reason, own.status, StaffAct.objects.count()) == ("Failed 8 times", "waiting", 0)


@pytest.mark.parametrize("seen", ["", "x", "1", "0:0", ":", "9" * 30 + ":0", "1:" + "9" * 30, "1:0," * 60, NUL, "-1:0"])
def test_chosen_rows_that_were_made_up_change_nothing(alice: User, superuser: User, seen: str) -> None:
    pay_in(alice, 100_00)
    plan = plan_of(alice)
    client = Client()
    client.force_login(superuser)
    for rows in ("", "0", "9" * 30, "x", f"{plan.pk}"):
        sent = {"form_key": "k", "seen": seen, "reason": "x", "confirmed": "1"}
        assert client.post(f"{PLANS}chosen/look-again/?rows={rows}", sent).status_code in (200, 303, 404), (seen, rows)
    plan.refresh_from_db()
    assert (plan.parked_reason, plan.check_at) == ("Failed 8 times", None)


def test_a_review_shows_what_is_so_now_not_what_was(waiting: Collection, superuser: User) -> None:
    client = Client()
    client.force_login(superuser)
    Collection.objects.filter(pk=waiting.pk).update(next_at=timezone.now() + timedelta(days=3))
    names = {each.name: each.after for each in ask(client, stop(waiting.pk)).context["changes"]}
    assert (names["Collection"], names["Next try"]) == ("stopped", "–")
