"""Staff ask a gateway at once about a payment, a refund or a dispute, and read what came of it."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from core.errors import Unavailable
from events.admin import review
from events.models import StaffAct
from payments import disputes, inquiries, reconciliation, refunds, setups, transitions
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox import disputes as bank
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxDispute
from payments.models import Dispute, MethodSetup, Payment, PaymentMethod, Refund
from tests.payments.checkouts import start
from tests.payments.faulty_gateway import Unsteady
from tests.payments.rows import balance
from tests.payments.staff_rows import pay
from tests.web import hidden

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, superuser: User) -> Client:
    client.force_login(superuser)
    return client


@pytest.fixture
def missed(alice: User) -> Payment:
    """A payment of 1000.00 roubles that was paid, of which we have not heard."""
    return pay(alice, 1000_00, "webhook_lost", now=timezone.now())


@pytest.fixture
def paid(alice: User) -> Payment:
    return pay(alice, 1000_00, now=timezone.now())


def url(row: Any, page: str) -> str:
    return f"/admin/payments/{row._meta.model_name}/{row.pk}/{page}/"


def press(desk: Client, row: Any) -> str:
    """Follow the link, give a reason, press the button, and return what the next page says about it."""
    page = url(row, "ask")
    assert f'href="{page}"' in desk.get(url(row, "change")).content.decode()
    answer = desk.post(page, hidden(desk.get(page)) | {"reason": "She asked", "confirmed": "1"}, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def no_answer(*_args: Any, **_terms: Any) -> Any:
    raise GatewayError("No answer.", permanent=False, code="timeout")


def test_money_that_we_missed_is_credited(desk: Client, missed: Payment, alice: User):
    assert f"{missed.public_id} was pending and is confirmed now. The fee of ₽29.00 is posted." in press(desk, missed)
    assert balance(alice) == 1000_00


def test_who_asked_is_known_even_if_nobody_is_left_to_record_the_answer(
    desk: Client, missed: Payment, alice: User, superuser: User, monkeypatch: pytest.MonkeyPatch
):
    def die(*_args: Any, **_terms: Any) -> Any:
        raise KeyboardInterrupt

    page = url(missed, "ask")
    sent = hidden(desk.get(page)) | {"reason": "She asked", "confirmed": "1"}
    with monkeypatch.context() as patch:
        patch.setattr(review, "perform", die)
        with pytest.raises(KeyboardInterrupt):
            desk.post(page, sent)
    missed.refresh_from_db()
    act = StaffAct.objects.get()
    assert (missed.status, balance(alice)) == ("confirmed", 1000_00)
    assert (act.kind, act.author, act.customer, act.reason) == ("view.gateway", superuser, alice, "She asked")
    assert f"payments.payment:{missed.pk}" in act.objects_touched
    # The page is sent again: the asking is no news, and its answer is recorded.
    desk.post(page, sent)
    desk.post(page, sent)
    assert list(StaffAct.objects.order_by("id").values_list("kind", flat=True)) == ["view.gateway", "gateway.ask"]


def test_what_has_not_changed_is_said(desk: Client, alice: User):
    payment = start(alice, amount=1000_00, currency="RUB")
    assert f"sandbox has answered. {payment.public_id} is still pending." in press(desk, payment)


def test_no_answer_is_said_and_asked_again_later(desk: Client, alice: User, unsteady: type[Unsteady]):
    payment = start(alice, amount=1000_00, currency="RUB")
    unsteady.fetch_breaks = 1
    assert f"sandbox did not answer: No answer. {payment.public_id} is unknown." in press(desk, payment)
    payment.refresh_from_db()
    assert payment.check_at is not None


def test_a_payment_without_a_page_gets_one(desk: Client, alice: User, unsteady: type[Unsteady]):
    unsteady.break_before = 1
    with pytest.raises(Unavailable):
        start(alice, amount=1000_00, currency="RUB")
    payment = Payment.objects.get()
    assert f"{payment.public_id} was unknown and is pending now." in press(desk, payment)
    payment.refresh_from_db()
    assert payment.confirmation_url


def test_a_refund_without_an_answer_is_made(desk: Client, paid: Payment, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "refund", no_answer)
        refund = refunds.issue(paid, now=timezone.now(), amount=100_00)
    Refund.objects.update(parked_reason="Failed 8 times", failures=8, check_at=None)
    assert f"{refund.public_id} was pending and is succeeded now." in press(desk, refund)
    refund.refresh_from_db()
    assert (refund.parked_reason, refund.failures) == ("", 0)


def test_a_refund_that_failed_is_never_asked_for_again(desk: Client, paid: Payment, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_args: Any) -> Any:
        raise GatewayError("No.", permanent=True, code="refused")

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "refund", refuse)
        refund = refunds.issue(paid, now=timezone.now(), amount=100_00)
    assert (refund.status, inquiries.is_possible(refund)) == ("failed", False)
    assert url(refund, "ask") not in desk.get(url(refund, "change")).content.decode()
    answer = desk.post(url(refund, "ask"), follow=True)
    assert "There is nothing to ask the gateway about." in answer.content.decode()
    with pytest.raises(ValueError, match="nothing to ask"):
        inquiries.ask(refund, now=timezone.now())


def test_a_refund_to_the_balance_is_no_matter_of_the_gateway(paid: Payment):
    refund = refunds.issue(paid, now=timezone.now(), amount=1_00, destination=Refund.Destination.WALLET)
    assert not inquiries.is_possible(refund)


def park(payment: Payment, reason: str = "Failed 8 times: KeyError: 'poison'") -> None:
    """Park a payment as the sweep does once asking has failed too often."""
    with transaction.atomic():
        transitions.park(transitions.lock(payment.pk), reason, now=timezone.now())
    Payment.objects.filter(pk=payment.pk).update(failures=8)


def test_a_payment_parked_for_failures_is_asked_about_again(desk: Client, alice: User, superuser: User):
    payment = start(alice, amount=1000_00, currency="RUB")
    park(payment)
    said = press(desk, payment)
    assert f"{payment.public_id} was unknown and is pending now." in said
    assert "It was not asked about any more (Failed 8 times: KeyError: 'poison')." in said
    assert "From now on it is asked about again." in said
    payment.refresh_from_db()
    assert (payment.parked_reason, payment.failures, payment.status) == ("", 0, "pending")
    assert payment.check_at is not None
    act = StaffAct.objects.get(kind="gateway.ask")
    assert (act.author, act.customer, act.reason) == (superuser, alice, "She asked")
    assert "Failed 8 times" in f"{act.result} {act.changes}"


def test_money_of_a_payment_parked_for_failures_is_credited(desk: Client, missed: Payment, alice: User):
    park(missed)
    assert f"{missed.public_id} was unknown and is confirmed now." in press(desk, missed)
    missed.refresh_from_db()
    assert (missed.parked_reason, balance(alice)) == ("", 1000_00)


def test_a_payment_that_still_gets_no_answer_stays_parked(desk: Client, alice: User, unsteady: type[Unsteady]):
    payment = start(alice, amount=1000_00, currency="RUB")
    park(payment)
    unsteady.fetch_breaks = 1
    assert "Failed 8 times: KeyError: 'poison'" in press(desk, payment)
    payment.refresh_from_db()
    assert (payment.parked_reason, payment.check_at) == ("Failed 8 times: KeyError: 'poison'", None)


def test_a_payment_that_waits_for_a_decision_goes_on_waiting(desk: Client, alice: User):
    payment = pay(alice, 1000_00, "wrong_amount", now=timezone.now())
    Payment.objects.update(failures=8)
    assert "sandbox took 500.00 RUB, we requested 1000.00 RUB" in press(desk, payment)
    payment.refresh_from_db()
    assert (payment.status, payment.check_at, balance(alice)) == ("unknown", None, 0)
    assert payment.parked_reason == "sandbox took 500.00 RUB, we requested 1000.00 RUB"


def test_a_payment_parked_without_a_page_gets_one(desk: Client, alice: User, unsteady: type[Unsteady]):
    unsteady.break_before = 1
    with pytest.raises(Unavailable):
        start(alice, amount=1000_00, currency="RUB")
    payment = Payment.objects.get()
    park(payment)
    assert "From now on it is asked about again." in press(desk, payment)
    payment.refresh_from_db()
    assert (payment.status, payment.parked_reason, bool(payment.confirmation_url)) == ("pending", "", True)


def test_the_page_of_a_payment_that_was_begun_again_meanwhile_is_closed(desk: Client, alice: User):
    first = start(alice, amount=1000_00, currency="RUB")
    park(first)
    second = start(alice, amount=1000_00, currency="RUB")
    assert second.pk != first.pk
    press(desk, first)
    first.refresh_from_db()
    assert (first.parked_reason, first.closing_at is not None) == ("", True)
    reconciliation.check_gateway("sandbox", now=timezone.now())
    statuses = [Payment.objects.get(pk=each.pk).status for each in (first, second)]
    assert statuses == ["cancelled", "pending"]


@pytest.fixture
def dispute(paid: Payment) -> Dispute:
    row = bank.open_dispute(paid.gateway_id or "", now=timezone.now())
    assert row is not None
    return disputes.refresh("sandbox", row.dispute_id, now=timezone.now())


def test_a_dispute_that_was_decided_is_closed(desk: Client, dispute: Dispute, alice: User):
    now = timezone.now()
    bank.decide(dispute.gateway_id, SandboxDispute.Status.WON, at=now, now=now)
    assert f"{dispute.public_id} was open and is won now." in press(desk, dispute)
    assert balance(alice) == 1000_00


def test_a_dispute_without_an_answer_stays_as_it_is(desk: Client, dispute: Dispute, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Sandbox, "fetch_dispute", no_answer)
    assert f"sandbox did not answer: No answer. {dispute.public_id} is open." in press(desk, dispute)


def test_only_a_post_by_those_who_may_act_asks(client: Client, staff: User, missed: Payment):
    staff.user_permissions.add(Permission.objects.get(codename="view_payment"))
    client.force_login(staff)
    assert url(missed, "ask") not in client.get(url(missed, "change")).content.decode()
    assert client.post(url(missed, "ask")).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="change_payment"))
    assert client.get(url(missed, "ask")).status_code == 200
    assert client.post(url(missed, "ask"), {"confirmed": "1"}).status_code == 200
    missed.refresh_from_db()
    assert missed.status == "pending"


def test_a_silent_gateway_keeps_nobody_waiting(desk: Client, missed: Payment, settings: Any, monkeypatch: Any):
    settings.GATEWAY_TIMEOUT_WEB = 0
    assert "No time is left for this call." in press(desk, missed)


def test_a_card_that_was_saved_without_our_knowing_is_found(desk: Client, alice: User):
    now = timezone.now()
    setup = setups.start(alice, "sandbox", now=now)
    sessions.choose(str(setup.gateway_id), outcomes.ON_A_SETUP["webhook_lost"], expected=sessions.Status.OPEN, now=now)
    MethodSetup.objects.update(check_at=None, parked_reason="It raised eight times.", failures=8)
    setup.refresh_from_db()
    assert alice.username in desk.get("/admin/payments/methodsetup/?parked_reason__isempty=0").content.decode()
    said = press(desk, setup)
    assert f"{setup.public_id} was open and is saved now." in said
    setup.refresh_from_db()
    assert (setup.status, setup.method, setup.parked_reason) == ("saved", PaymentMethod.objects.get(), "")
    assert 'href="' + url(setup, "ask") not in desk.get(url(setup, "change")).content.decode()


def test_a_page_is_asked_about_without_an_answer(desk: Client, alice: User, monkeypatch: pytest.MonkeyPatch):
    setup = setups.start(alice, "sandbox", now=timezone.now())
    monkeypatch.setattr(Sandbox, "fetch_setup", no_answer)
    assert "sandbox did not answer: No answer." in press(desk, setup)
    setup.refresh_from_db()
    assert setup.status == "open"
