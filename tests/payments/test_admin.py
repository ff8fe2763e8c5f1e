from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from payments import checkout, inquiries
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.models import Payment, WebhookEvent
from payments.webhooks import process
from tests import chosen
from tests.payments.rows import balance
from tests.subscriptions.desk import filled

PAYMENTS = "/admin/payments/payment/"
EVENTS = "/admin/payments/webhookevent/"


@pytest.fixture
def payment(alice: User) -> Payment:
    return checkout.start(alice, now=timezone.now(), amount=1342_00, currency="RUB")


@pytest.fixture
def event(payment: Payment) -> WebhookEvent:
    now = timezone.now()
    return WebhookEvent.objects.create(
        gateway="sandbox",
        event_id="sevt_1",
        type="session.succeeded",
        subject="payment",
        gateway_id=payment.gateway_id or "",
        payload={"note": "<script>alert(1)</script>"},
        received_at=now,
        next_try_at=now,
    )


@pytest.fixture
def admin_client(client: Client, superuser: User) -> Client:
    client.force_login(superuser)
    return client


def allow(user: User, *codenames: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def test_staff_find_a_payment_by_its_ids_or_its_customer(admin_client: Client, payment: Payment) -> None:
    for sought in (payment.public_id, payment.gateway_id or "", "alice", "alice@example.com"):
        html = admin_client.get(PAYMENTS, {"q": sought}).content.decode()
        assert payment.public_id in html
        assert '<span class="tag info">pending</span>' in html
        assert "1,342.00" in html
    assert payment.public_id not in admin_client.get(PAYMENTS, {"q": "nobody"}).content.decode()


def test_a_payment_can_be_viewed_but_not_edited_added_or_deleted(admin_client: Client, payment: Payment) -> None:
    one = f"{PAYMENTS}{payment.pk}/change/"
    assert admin_client.get(one).status_code == 200
    assert admin_client.post(one, {"status": "confirmed", "amount": 1}).status_code == 403
    assert admin_client.get(f"{PAYMENTS}add/").status_code == 403
    assert admin_client.post(f"{PAYMENTS}{payment.pk}/delete/", {"post": "yes"}).status_code == 403
    payment.refresh_from_db()
    assert (payment.status, payment.amount) == ("pending", 1342_00)


def test_asking_the_gateway_confirms_a_paid_payment_once_with_a_reason(
    admin_client: Client, payment: Payment, choose: Callable[..., Any], superuser: User
) -> None:
    choose(payment, "webhook_lost")
    admin_client.force_login(superuser)
    address, page = f"{PAYMENTS}{payment.pk}/ask/", f"{PAYMENTS}{payment.pk}/change/"
    assert f'href="{address}"' in admin_client.get(page).content.decode()
    sent = filled(admin_client, address) | {"confirmed": "1"}
    refused = admin_client.post(address, sent | {"reason": ""})
    assert refused.context["form"].errors["reason"]
    assert "Continue" not in refused.content.decode()
    payment.refresh_from_db()
    assert payment.status == "pending"
    answer = admin_client.post(address, sent, follow=True)
    [said] = [str(message) for message in answer.context["messages"]]
    assert said == f"{payment.public_id} was pending and is confirmed now. The fee of ₽38.92 is posted."
    # A double click.
    assert "This was done before." in admin_client.post(address, sent, follow=True).content.decode()
    act = StaffAct.objects.get(kind="gateway.ask")
    assert (act.kind, act.author, act.customer) == ("gateway.ask", superuser, payment.customer)
    assert (act.reason, act.result) == ("Asked by phone", said)
    assert act.changes == [
        ["Status", "pending", "confirmed"], ["Fee", "–", "₽38.92"], ["Balance of the customer", "₽0.00", "₽1,342.00"],
    ]  # fmt: skip
    assert balance(payment.customer) == 1342_00


def test_an_inquiry_without_an_answer_is_recorded_and_said_as_a_warning(
    admin_client: Client, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(*_args: Any, **_terms: Any) -> Any:
        raise GatewayError("No answer.", permanent=False, code="timeout")

    address = f"{PAYMENTS}{payment.pk}/ask/"
    sent = filled(admin_client, address) | {"confirmed": "1"}
    monkeypatch.setattr(Sandbox, "fetch", no_answer)
    [said] = admin_client.post(address, sent, follow=True).context["messages"]
    assert str(said).startswith("sandbox did not answer: No answer.")
    assert said.level_tag == "warning"
    assert StaffAct.objects.get(kind="gateway.ask").changes == [["Status", "pending", "unknown"]]


def test_where_nothing_can_be_asked_there_is_no_link_and_no_act(
    admin_client: Client, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiries, "is_possible", lambda row: False)
    address = f"{PAYMENTS}{payment.pk}/ask/"
    assert address not in admin_client.get(f"{PAYMENTS}{payment.pk}/change/").content.decode()
    answer = admin_client.post(address, {"reason": "x", "confirmed": "1"})
    assert "There is nothing to ask the gateway about." in answer.content.decode()
    assert not StaffAct.objects.exists()


def test_staff_with_view_permission_have_no_actions(
    client: Client, staff: User, payment: Payment, event: WebhookEvent
) -> None:
    allow(staff, "view_payment", "view_webhookevent")
    client.force_login(staff)
    assert 'name="action"' not in client.get(PAYMENTS).content.decode()
    assert 'value="process-again"' not in client.get(EVENTS).content.decode()
    client.post(EVENTS, {"action": "process-again", "_selected_action": [event.pk]})
    sent = {"seen": f"{event.pk}:0", "reason": "x", "form_key": "k", "confirmed": "1"}
    assert client.post(f"{EVENTS}chosen/process-again/", sent).status_code == 403
    event.refresh_from_db()
    assert event.tries == 0


def test_staff_without_permission_see_nothing(client: Client, staff: User, payment: Payment) -> None:
    client.force_login(staff)
    assert client.get(PAYMENTS).status_code == 403
    assert client.get(EVENTS).status_code == 403


def test_the_payload_of_an_event_is_escaped(admin_client: Client, event: WebhookEvent) -> None:
    html = admin_client.get(f"{EVENTS}{event.pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert(1)</script>" not in html


def test_replaying_an_event_credits_nothing_twice(
    admin_client: Client, payment: Payment, event: WebhookEvent, choose: Callable[..., Any], superuser: User
) -> None:
    choose(payment, "webhook_lost")
    process.sweep(now=timezone.now())
    admin_client.force_login(superuser)
    for _ in range(2):
        assert "Process again: 1 row done." in chosen.confirm(admin_client, EVENTS, "process-again", event)
    event.refresh_from_db()
    assert (event.status, event.tries) == ("processed", 1)
    acts = StaffAct.objects.values_list("kind", "author", "reason")
    assert list(acts) == [("webhookevent.replay", superuser.pk, "Asked by phone")] * 2
    assert balance(payment.customer) == 1342_00
