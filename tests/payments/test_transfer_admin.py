"""Staff record transfers on pages that show before -> after, and confirm. Sent twice, each acts once."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from ledger.display import money
from ledger.money import Money
from payments import bank_transfers, refunds
from payments.bank_transfers import Arrival
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer
from payments.models import Payment
from subscriptions import books
from subscriptions.models import Subscription
from tests.payments.checkouts import start
from tests.payments.gateways.visitors import manual
from tests.payments.rows import balance
from tests.subscriptions.shop import sell

# No transaction is open around a page, as in production.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _transfers_only(settings: Any) -> Iterator[None]:
    settings.PAYMENT_GATEWAYS = ["manual"]
    with manual.visit(settings):
        yield


@pytest.fixture
def order(alice: User) -> Payment:
    """Alice's open payment of 990.00 roubles for the plan Basic."""
    sell("basic", RUB=990_00)
    return start(alice, plan="basic")


@pytest.fixture
def transfer(order: Payment) -> ManualTransfer:
    return ManualTransfer.objects.get(transfer_id=order.gateway_id)


@pytest.fixture
def desk(client: Client, staff: User) -> Client:
    """The browser of a member of staff who may record transfers."""
    names = [
        f"{may}_{row}" for may in ("view", "change") for row in ("manualtransfer", "manualreceipt", "manualrefund")
    ]
    staff.user_permissions.add(*Permission.objects.filter(codename__in=names))
    client.force_login(staff)
    return client


def url(row: Any, page: str) -> str:
    return f"/admin/manual/{row._meta.model_name}/{row.pk}/{page}/"


def filled(amount: str = "990", **changes: str) -> dict[str, str]:
    return {
        "amount": amount, "currency": "RUB", "received_on": "2026-11-02", "bank_reference": "B-1",
        "difference": "later", "seen": "0",
    } | changes  # fmt: skip


def table(answer: Any) -> dict[str, tuple[str, str]]:
    """Return the table before -> after of a page."""
    return {change.name: (change.before, change.after) for change in answer.context["changes"] or []}


def rub(amount: int) -> str:
    return money(Money(amount, "RUB"))


def test_the_whole_sum_is_shown_first_and_recorded_on_confirmation(
    desk: Client, transfer: ManualTransfer, order: Payment, alice: User
):
    shown = desk.post(url(transfer, "record"), filled())
    assert table(shown) == {
        "Expected": (rub(990_00), rub(990_00)),
        "Arrived": (rub(0), rub(990_00)),
        "Transfer": ("waiting for money", "received"),
        "Payment": ("pending", "confirmed"),
        "Balance of the customer": (rub(0), rub(0)),
        "Basic": ("Waiting for payment", "Active"),
    }
    order.refresh_from_db()
    assert (order.status, ManualReceipt.objects.count(), Subscription.objects.get().status) == ("pending", 0, "pending")
    answer = desk.post(url(transfer, "record"), filled(confirmed="1"), follow=True)
    order.refresh_from_db()
    assert (order.status, Subscription.objects.get().status) == ("confirmed", "active")
    assert f"Payment {order.public_id}: confirmed." in answer.content.decode()


def test_more_can_be_accepted_in_the_same_step(desk: Client, transfer: ManualTransfer, alice: User):
    terms = filled("1000,50", difference="accept", reason="Rounded up by the bank")
    assert table(desk.post(url(transfer, "record"), terms))["Balance of the customer"] == (rub(0), rub(1000_50))
    desk.post(url(transfer, "record"), terms | {"confirmed": "1"})
    assert balance(alice) == 1000_50


def test_a_double_click_records_and_logs_once(desk: Client, transfer: ManualTransfer, staff: User):
    answers = [desk.post(url(transfer, "record"), filled(confirmed="1"), follow=True) for _ in range(2)]
    assert ManualReceipt.objects.count() == 1
    assert "This was done before." in answers[1].content.decode()
    act = StaffAct.objects.get()
    rows = [f"manual.manualtransfer:{transfer.pk}"]
    assert (act.kind, act.author, act.objects_touched) == ("transfer.record", staff, rows)
    assert "Arrived for transfer" in act.result
    staff.user_permissions.add(Permission.objects.get(codename="view_staffact"))
    assert act.result in desk.get(url(transfer, "change")).content.decode()


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"amount": "0"}, "amount", "The amount must be above zero."),
        ({"amount": "ten"}, "amount", "'ten' is not an amount in RUB. Write it like 990.00."),
        ({"currency": "EUR"}, "currency", "This transfer is in RUB. Money in EUR cannot be recorded for it."),
        ({"received_on": "2999-01-01"}, "received_on", "The date is in the future."),
        ({"received_on": "0026-11-02"}, "received_on", "The date must be in 2000 or later."),
        ({"bank_reference": ""}, "bank_reference", "This field is required."),
        ({"difference": "accept"}, "reason", "Give a reason."),
        ({"note": "x" * 201}, "note", "at most 200 characters"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    desk: Client, transfer: ManualTransfer, changes: dict[str, str], field: str, said: str
):
    answer = desk.post(url(transfer, "record"), filled() | changes)
    assert said in " ".join(answer.context["form"].errors[field])
    assert (table(answer), ManualReceipt.objects.count()) == ({}, 0)


def test_a_reference_of_another_transfer_is_refused(desk: Client, transfer: ManualTransfer, mallory: User, staff: User):
    other = start(mallory, amount=500_00, currency="RUB")
    row = ManualTransfer.objects.get(transfer_id=other.gateway_id)
    record(row, staff, 500_00, "B-1")
    answer = desk.post(url(transfer, "record"), filled())
    assert f"B-1 is recorded already: 500.00 RUB for the transfer {row}." in answer.content.decode()


def test_somebody_elses_record_is_shown_before_this_one_counts(
    desk: Client, transfer: ManualTransfer, staff: User, order: Payment
):
    record(transfer, staff, 400_00, "B-0")
    answer = desk.post(url(transfer, "record"), filled("590", confirmed="1"))
    assert "Somebody has changed this transfer meanwhile." in answer.content.decode()
    assert table(answer)["Arrived"] == (rub(400_00), rub(990_00))
    assert ManualReceipt.objects.count() == 1
    seen = str(answer.context["form"]["seen"].value())
    desk.post(url(transfer, "record"), filled("590", confirmed="1", seen=seen))
    order.refresh_from_db()
    assert (seen, order.status) == (str(400_00), "confirmed")


def test_a_part_is_completed_with_a_reason(desk: Client, transfer: ManualTransfer, staff: User, alice: User):
    assert "Nothing has arrived" in desk.get(url(transfer, "complete")).content.decode()
    record(transfer, staff, 400_00, "B-1")
    sent = {"decision": "accept", "reason": "The rest is forgiven", "seen": "40000"}
    shown = table(desk.post(url(transfer, "complete"), sent))
    assert (shown["Payment"], shown["Balance of the customer"]) == (("pending", "confirmed"), (rub(0), rub(400_00)))
    desk.post(url(transfer, "complete"), sent | {"confirmed": "1"})
    assert balance(alice) == 400_00
    assert StaffAct.objects.get().reason == "The rest is forgiven"
    assert "complete already" in desk.get(url(transfer, "record")).content.decode()


def test_a_mistake_is_voided_and_logged_for_receipt_and_transfer(desk: Client, transfer: ManualTransfer, staff: User):
    record(transfer, staff, 400_00, "B-1")
    receipt = ManualReceipt.objects.get()
    shown = table(desk.post(url(receipt, "void"), {"reason": "Another customer's"}))
    assert shown["Arrived"] == (rub(400_00), rub(0))
    desk.post(url(receipt, "void"), {"reason": "Another customer's", "confirmed": "1"})
    receipt.refresh_from_db()
    assert (receipt.void_reason, receipt.voided_by) == ("Another customer's", staff)
    rows = [f"manual.manualreceipt:{receipt.pk}", f"manual.manualtransfer:{transfer.pk}"]
    assert StaffAct.objects.get().objects_touched == rows


def test_a_receipt_of_a_complete_transfer_is_voided_as_far_as_the_money_is_there(
    desk: Client, transfer: ManualTransfer, order: Payment, staff: User, alice: User
):
    """990.00 roubles pay for Basic. Voided, the unused month pays the debt but for the seconds that were served."""
    record(transfer, staff, 990_00, "B-1")
    receipt = ManualReceipt.objects.get()
    assert f'href="{url(receipt, "void")}"' in desk.get(url(receipt, "change")).content.decode()
    sent = {"reason": "Another customer's", "seen": "99000"}
    shown = table(desk.post(url(receipt, "void"), sent))
    assert shown["Arrived"] == (rub(990_00), rub(0))
    assert shown["Basic"] == ("Active", "Suspended")
    receipt.refresh_from_db()
    assert (receipt.voided_at, Subscription.objects.get().status) == (None, "active")
    answers = [desk.post(url(receipt, "void"), sent | {"confirmed": "1"}, follow=True) for _ in range(2)]
    receipt.refresh_from_db()
    assert (receipt.is_taken_back, Subscription.objects.get().status, balance(alice)) == (True, "suspended", 0)
    assert "This was done before." in answers[1].content.decode()
    staff.user_permissions.add(Permission.objects.get(codename="view_staffact"))
    assert "Another customer&#x27;s" in desk.get(url(transfer, "change")).content.decode()


@pytest.fixture
def to_send(order: Payment, transfer: ManualTransfer, staff: User, alice: User) -> ManualRefund:
    """A refund of 150.00 roubles of the order, which staff must send; 50.00 are left on the balance."""
    record(transfer, staff, 990_00, "B-1")
    order.refresh_from_db()
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.top_up(200_00, key="test:1", source="promotions", reason="promotion")
    refunds.issue(order, amount=150_00, now=timezone.now())
    return ManualRefund.objects.get()


@pytest.mark.parametrize(
    ("page", "sent", "refund", "after"),
    [("sent", {"bank_reference": "S-1"}, "sent", 50_00), ("failed", {"reason": "Closed account"}, "not sent", 200_00)],
)
def test_a_refund_is_closed(
    desk: Client, to_send: ManualRefund, alice: User, page: str, sent: dict[str, str], refund: str, after: int
):
    shown = table(desk.post(url(to_send, page), sent))
    assert shown["Refund"] == ("to be sent", refund)
    assert shown["Balance of the customer"] == (rub(50_00), rub(after))
    for _ in range(2):
        assert desk.post(url(to_send, page), sent | {"confirmed": "1"}).status_code == 303
    to_send.refresh_from_db()
    assert (to_send.get_status_display(), balance(alice)) == (refund, after)
    other = {"sent": "failed", "failed": "sent"}[page]
    assert "closed already" in desk.get(url(to_send, other)).content.decode()


def test_pages_link_to_what_is_possible(desk: Client, transfer: ManualTransfer, staff: User, client: Client):
    def offered() -> set[str]:
        html = desk.get(url(transfer, "change")).content.decode()
        return {page for page in ("record", "complete") if f'href="{url(transfer, page)}"' in html}

    assert offered() == {"record"}
    record(transfer, staff, 400_00, "B-1")
    assert offered() == {"record", "complete"}
    record(transfer, staff, 590_00, "B-2")
    assert offered() == set()


def test_a_payment_links_to_its_transfer(client: Client, superuser: User, order: Payment, transfer: ManualTransfer):
    client.force_login(superuser)
    page = client.get(f"/admin/payments/payment/{order.pk}/change/").content.decode()
    assert f'href="{url(transfer, "change")}"' in page
    back = client.get(url(transfer, "change")).content.decode()
    assert f'href="/admin/payments/payment/{order.pk}/change/"' in back


def test_those_who_may_only_view_act_on_nothing(client: Client, staff: User, transfer: ManualTransfer):
    staff.user_permissions.add(Permission.objects.get(codename="view_manualtransfer"))
    client.force_login(staff)
    assert url(transfer, "record") not in client.get(url(transfer, "change")).content.decode()
    assert client.post(url(transfer, "record"), filled(confirmed="1")).status_code == 403
    assert not ManualReceipt.objects.exists()


def record(transfer: ManualTransfer, by: User, amount: int, reference: str) -> None:
    now = timezone.now()
    arrival = Arrival(Money(amount, transfer.currency), now.date(), reference)
    bank_transfers.record(transfer, arrival, by=by, now=now)
