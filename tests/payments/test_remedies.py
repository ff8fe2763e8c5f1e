"""Discrepancies that a report has left: what one click mends, and what it never touches."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from core.errors import Unavailable
from events.models import StaffAct
from ledger.models import Transaction
from payments import confirmation, remedies
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Discrepancy, GatewayReport, Payment
from payments.remedies import Remedy
from tests.ledger.snapshot import found
from tests.payments.checkouts import start
from tests.payments.comparisons import at_gateway, foreign, run
from tests.payments.faulty_gateway import Unsteady
from tests.payments.rows import balance, times_credited
from tests.payments.staff_rows import pay
from tests.subscriptions.desk import send

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(alice: User) -> Payment:
    return pay(alice, 1000_00, now=timezone.now())


@pytest.fixture
def missed(alice: User) -> Payment:
    return pay(alice, 1000_00, "webhook_lost", now=timezone.now())


@pytest.fixture
def missed_row(missed: Payment, monkeypatch: pytest.MonkeyPatch) -> Discrepancy:
    """The discrepancy of a payment that we missed, left because the gateway gave no answer."""
    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "fetch", no_answer)
        run()
    return Discrepancy.objects.get()


def no_answer(*_args: Any, **_terms: Any) -> Any:
    raise GatewayError("No answer.", permanent=False, code="timeout")


def out_of_order(*_args: Any, **_terms: Any) -> Any:
    raise ValueError("Out of order.")


def left(**which: Any) -> Discrepancy:
    """Compare, and return the discrepancy that is left."""
    run()
    return Discrepancy.objects.filter(is_mended=False, **which).latest("id")


def mend(row: Discrepancy, by: User) -> Discrepancy:
    row = Discrepancy.objects.get(pk=row.pk)
    return remedies.mend(row, by=by, now=timezone.now())


def test_money_that_we_missed_is_credited_once_by_whoever_clicks(
    missed_row: Discrepancy, missed: Payment, staff: User, superuser: User, alice: User
):
    assert (missed_row.kind, missed_row.is_mended, remedies.of(missed_row)) == ("status", False, Remedy.ASK)
    row = mend(missed_row, staff)
    assert (row.is_mended, row.mended_by, row.outcome) == (
        True, staff, f"{missed.public_id} was pending and is confirmed now.",
    )  # fmt: skip
    assert mend(missed_row, superuser).mended_by == staff
    assert (times_credited(missed), balance(alice), remedies.of(row)) == (1, 1000_00, Remedy.NOTHING)
    report = GatewayReport.objects.get()
    assert (report.mended, report.left) == (1, 0)
    assert found() == {}


def test_no_answer_leaves_it_with_the_reason(missed_row: Discrepancy, staff: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Sandbox, "fetch", no_answer)
    row = mend(missed_row, staff)
    assert (row.is_mended, row.mended_by, row.outcome) == (
        False, None, "Left to staff. The gateway gave no answer: No answer.",
    )  # fmt: skip


def test_a_fee_that_is_missing_is_posted(alice: User, staff: User, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        # The gateway does not tell its fee at first.
        patch.setattr("payments.gateways.sandbox.models.FEE", 0)
        paid = pay(alice, 1000_00, now=timezone.now())
    with monkeypatch.context() as patch:
        patch.setattr(confirmation, "apply", out_of_order)
        row = left(kind="amount")
    assert (paid.fee, remedies.of(row)) == (None, Remedy.ASK)
    row = mend(row, staff)
    paid.refresh_from_db()
    # 2.9 % of 1000.00.
    assert (row.is_mended, paid.fee, Transaction.objects.filter(reason="fee").count()) == (True, 29_00, 1)
    assert row.outcome == f"The fee of {paid.public_id} is posted: confirmed, 1000.00 RUB, fee 29.00 RUB."
    assert found() == {}


@pytest.mark.parametrize(
    ("changes", "kind"), [({"amount_received": 900_00}, "amount"), ({"currency_received": "EUR"}, "currency")]
)
def test_what_was_credited_is_never_changed(paid: Payment, staff: User, alice: User, changes: Any, kind: str):
    at_gateway(paid, **changes)
    row = left()
    assert (row.kind, remedies.of(row)) == (kind, Remedy.CORRECT)
    assert mend(row, staff) == row
    assert (balance(alice), Discrepancy.objects.get(pk=row.pk).is_mended) == (1000_00, False)


def test_another_amount_of_an_open_payment_waits_for_a_decision(alice: User, choose: Callable[..., Any], staff: User):
    payment = start(alice, amount=1000_00, currency="RUB")
    choose(payment, "wrong_amount")
    row = left()
    assert (row.kind, remedies.of(row), mend(row, staff).is_mended) == ("amount", Remedy.DECIDE, False)
    assert balance(alice) == 0


def test_a_payment_that_is_not_ours_is_left(staff: User):
    foreign(status="succeeded", amount_received=5_00)
    row = left()
    assert (row.kind, remedies.of(row)) == ("missing_here", Remedy.FIND_PAYER)
    assert not mend(row, staff).is_mended


def test_a_payment_whose_answer_was_lost_is_adopted(alice: User, staff: User, unsteady: type[Unsteady]):
    unsteady.break_after = 1
    with pytest.raises(Unavailable):
        start(alice, amount=1000_00, currency="RUB")
    payment, there = Payment.objects.get(), SandboxSession.objects.get()
    now = timezone.now()
    report = GatewayReport.objects.create(gateway="sandbox", since=now, until=now, started_at=now, left=1)
    row = Discrepancy.objects.create(report=report, kind="missing_here", gateway_id=there.session_id, payment=payment)
    # Nobody has paid yet: the sweep asks for the page again.
    assert (remedies.of(row), mend(row, staff).is_mended) == (Remedy.ASK, False)
    SandboxSession.objects.update(status="succeeded", amount_received=1000_00)
    assert mend(row, staff).is_mended
    payment.refresh_from_db()
    assert (payment.status, payment.gateway_id, balance(alice)) == ("confirmed", there.session_id, 1000_00)


def test_a_second_payment_for_ours_is_refunded_by_hand(paid: Payment, staff: User):
    row = Discrepancy(
        report=GatewayReport(gateway="sandbox"), kind="missing_here", gateway_id="sbx_other", payment=paid
    )
    assert remedies.of(row) is Remedy.REFUND_THERE


def test_a_payment_that_the_gateway_knows_by_now_agrees(paid: Payment, staff: User):
    sessions = list(SandboxSession.objects.values())
    SandboxSession.objects.all().delete()
    row = left()
    assert (row.kind, remedies.of(row)) == ("missing_there", Remedy.ASK)
    assert mend(row, staff).outcome.startswith("Left to staff. The gateway does not know it: ")
    SandboxSession.objects.bulk_create([SandboxSession(**each) for each in sessions])
    row = mend(row, staff)
    assert (row.is_mended, row.outcome) == (True, "Both sides agree by now: confirmed, 1000.00 RUB, fee 29.00 RUB.")


def test_a_confirmed_payment_that_failed_there_is_left(paid: Payment, staff: User, alice: User):
    at_gateway(paid, status="failed")
    row = left(kind="status")
    row = mend(row, staff)
    assert (row.is_mended, balance(alice)) == (False, 1000_00)
    assert row.outcome == "Left to staff. Here: confirmed, 1000.00 RUB, fee 29.00 RUB. There: failed."


def test_the_database_knows_who_mended(missed_row: Discrepancy, staff: User):
    with pytest.raises(IntegrityError, match="who_mended_a_discrepancy_says_when"), transaction.atomic():
        Discrepancy.objects.filter(pk=missed_row.pk).update(mended_by=staff)


# The admin.


def address(row: Discrepancy) -> str:
    return f"/admin/payments/discrepancy/{row.pk}/mend/"


def page_of(row: Discrepancy) -> str:
    return f"/admin/payments/gatewayreport/{row.report_id}/change/"


def test_a_discrepancy_is_mended_from_its_report_once_with_a_reason(
    client: Client, superuser: User, missed_row: Discrepancy, missed: Payment
):
    client.force_login(superuser)
    assert f'href="{address(missed_row)}"' in client.get(page_of(missed_row)).content.decode()
    assert client.post(address(missed_row), {"confirmed": "1", "reason": ""}).context["form"].errors["reason"]
    answer = send(client, address(missed_row))
    assert (answer.status_code, answer["location"]) == (303, page_of(missed_row))
    html = client.get(page_of(missed_row)).content.decode()
    assert f'href="{address(missed_row)}"' not in html
    assert "was pending and is confirmed now." in html
    act = StaffAct.objects.get(kind="discrepancy.mend")
    assert (act.kind, act.author, act.customer) == ("discrepancy.mend", superuser, missed.customer)
    assert act.reason == "Asked by phone"
    assert act.changes[0] == ["Mended", "no", "yes"]
    assert ["Payment", "pending", "confirmed"] in act.changes
    assert ["Balance of the customer", "₽0.00", "₽1,000.00"] in act.changes
    assert "It is mended already." in client.get(address(missed_row)).content.decode()


def test_the_page_of_a_discrepancy_says_what_to_do_by_hand(client: Client, superuser: User):
    foreign()
    row = left()
    client.force_login(superuser)
    html = client.get(f"/admin/payments/discrepancy/{row.pk}/change/").content.decode()
    assert "Find out who paid." in html
    assert address(row) not in html


def test_those_who_may_only_view_mend_nothing(client: Client, staff: User, missed_row: Discrepancy):
    names = ["view_gatewayreport", "view_discrepancy"]
    staff.user_permissions.add(*Permission.objects.filter(codename__in=names))
    client.force_login(staff)
    html = client.get(page_of(missed_row)).content.decode()
    assert "Ask the gateway again" in html
    assert address(missed_row) not in html
    assert client.post(address(missed_row)).status_code == 403
