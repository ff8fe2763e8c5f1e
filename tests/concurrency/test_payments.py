"""Webhooks, pages, the API and reconciliation work on the same payments at the same time, over real connections."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from core.errors import DomainError
from events.models import Event
from ledger.models import Transaction
from payments import cancellation, checkout, confirmation, reconciliation
from payments.gateways.sandbox import outcomes, sessions, webhooks
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment, WebhookEvent
from payments.webhooks import process
from subscriptions import books, orders
from subscriptions.models import Charge, Price, Subscription
from tests.concurrency import top_ups
from tests.concurrency.sessions import at_once, in_turns, outcome_of
from tests.ledger.snapshot import found
from tests.payments.rows import balance, events, times_credited
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db(transaction=True)

# How often each important race is run.
RACES = 500


@pytest.fixture
def basic(db: None) -> Price:
    return sell("basic", RUB=990_00)["RUB"]


def paid_at_gateway(customer: User, outcome: str = "succeeds") -> Payment:
    """Return a payment that was paid at the gateway without our knowing yet."""
    payment = checkout.start(customer, now=timezone.now(), plan="basic")
    sessions.choose(
        payment.gateway_id or "", outcomes.ON_THE_PAGE[outcome], expected=sessions.Status.OPEN, now=timezone.now()
    )
    return payment


def stored_event(payment: Payment, number: int = 0) -> WebhookEvent:
    now = timezone.now()
    return WebhookEvent.objects.create(
        gateway="sandbox", event_id=f"sevt_{payment.pk}_{number}", type="session.succeeded", subject="payment",
        gateway_id=payment.gateway_id or "", payload={}, received_at=now, next_try_at=now,
    )  # fmt: skip


def race(*jobs: Callable[[], Any]) -> list[Any]:
    """Run different jobs at the same time and return their results."""
    return at_once(jobs)


@pytest.mark.timeout(900)
def test_webhook_page_and_sweep_credit_once_in_500_races(alice: User) -> None:
    now = timezone.now()
    payments = top_ups.paid_at_gateway(alice, RACES, now=now)
    stored = [stored_event(payment) for payment in payments]
    racers: list[Callable[[int], Any]] = [
        lambda turn: process.process(stored[turn].pk, now=timezone.now()),
        lambda turn: confirmation.confirm(payments[turn].pk, now=now),
        # The payment of this turn is the only one that is due.
        lambda turn: reconciliation.check_gateway("sandbox", now=now + turn * top_ups.SECOND),
    ]
    results = in_turns(RACES, racers)
    assert {payment.status for _, payment, _ in results} == {"confirmed"}
    assert set(Payment.objects.values_list("status", flat=True)) == {"confirmed"}
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    # 500 credits of 100.00, each of another payment, and a mail for each.
    keys = set(Transaction.objects.filter(reason="top_up").values_list("key", flat=True))
    assert keys == {f"payment:{payment.public_id}" for payment in payments}
    assert (Transaction.objects.filter(reason="top_up").count(), balance(alice)) == (RACES, RACES * 100_00)
    told = list(Event.objects.filter(type="payment.confirmed").values_list("subject", flat=True))
    assert sorted(told) == sorted(payment.public_id for payment in payments)
    assert found() == {}


def test_webhook_page_api_and_reconciliation_start_a_plan_once(alice: User, basic: Price) -> None:
    for _round in range(12):
        payment = paid_at_gateway(alice)
        event, now = stored_event(payment), timezone.now()
        race(
            partial(process.process, event.pk, now=now),
            partial(confirmation.confirm, payment.pk, now=now),
            partial(confirmation.confirm, payment.pk, now=now),
            partial(reconciliation.check_all, now=now + timedelta(seconds=31)),
        )
        payment.refresh_from_db()
        assert payment.status == "confirmed"
        assert times_credited(payment) == 1
        assert events(payment) == ["payment.confirmed"]
    # Each of 12 payments of 990.00 was spent on the first month of its own subscription.
    assert balance(alice) == 0
    assert Charge.objects.count() == Subscription.objects.filter(status="active").count() == 12
    assert Transaction.objects.filter(reason="top_up").count() == 12


def test_a_hundred_copies_of_a_webhook_credit_once(alice: User, basic: Price) -> None:
    payment = paid_at_gateway(alice)
    body = json.dumps({"type": "session.succeeded", "session": payment.gateway_id})
    headers = webhooks.sign("sevt_1", body, now=timezone.now())

    def arrive() -> int:
        """Send a copy, and process what is stored."""
        answer = Client().post("/webhooks/sandbox/", body, content_type="application/json", headers=headers)
        process.sweep(now=timezone.now())
        return answer.status_code

    # Our own server takes so many sessions; one that DATABASE_URL names may take fewer.
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        at_a_time = min(100, int(cursor.fetchone()[0]) // 2)
    for _ in range(0, 100, at_a_time):
        assert at_once([arrive] * at_a_time) == [200] * at_a_time
    payment.refresh_from_db()
    assert (payment.status, times_credited(payment), WebhookEvent.objects.count()) == ("confirmed", 1, 1)
    assert events(payment) == ["payment.confirmed"]


def test_twenty_webhooks_of_one_event_are_all_answered_and_stored_once(alice: User, basic: Price) -> None:
    payment = paid_at_gateway(alice)
    body = json.dumps({"id": "sevt_1", "type": "session.succeeded", "session": payment.gateway_id})
    headers = webhooks.sign("sevt_1", body, now=timezone.now())

    def send() -> int:
        return Client().post("/webhooks/sandbox/", body, content_type="application/json", headers=headers).status_code

    assert at_once([send] * 20) == [200] * 20
    stored = WebhookEvent.objects.get()
    at_once([partial(process.process, stored.pk, now=timezone.now())] * 8)
    payment.refresh_from_db()
    assert (payment.status, times_credited(payment)) == ("confirmed", 1)
    stored.refresh_from_db()
    assert (stored.status, stored.tries) == ("processed", 1)


def test_twenty_events_swept_by_four_workers_credit_once(alice: User, basic: Price) -> None:
    payment = paid_at_gateway(alice)
    for number in range(20):
        stored_event(payment, number)
    done = at_once([partial(process.sweep, now=timezone.now())] * 4)
    assert sum(done) == 20
    assert set(WebhookEvent.objects.values_list("status", "tries")) == {("processed", 1)}
    assert (times_credited(payment), events(payment)) == (1, ["payment.confirmed"])


@pytest.mark.parametrize("outcome", ["succeeds", "wrong_amount", "insufficient_funds"])
def test_simultaneous_cancel_expiry_and_confirmation_give_one_result(alice: User, basic: Price, outcome: str) -> None:
    for _round in range(6):
        payment = paid_at_gateway(alice, outcome)
        race(
            outcome_of(partial(cancellation.cancel, payment, now=timezone.now())),
            partial(reconciliation.expire, payment, now=payment.expires_at),
            partial(confirmation.confirm, payment.pk, now=timezone.now()),
        )
        payment.refresh_from_db()
        assert payment.status == {"succeeds": "confirmed", "wrong_amount": "unknown"}.get(outcome, "failed")
        assert times_credited(payment) == (outcome == "succeeds")
        assert len(events(payment)) == 1


def test_simultaneous_cancel_and_payment_agree_with_the_gateway(alice: User, basic: Price) -> None:
    ends = set()
    for _round in range(12):
        payment = checkout.start(alice, now=timezone.now(), plan="basic")
        choose = partial(sessions.choose, payment.gateway_id or "", outcomes.ON_THE_PAGE["succeeds"])
        race(
            partial(choose, expected=sessions.Status.OPEN, now=timezone.now()),
            outcome_of(partial(cancellation.cancel, payment, now=timezone.now())),
        )
        confirmation.confirm(payment.pk, now=timezone.now())
        payment.refresh_from_db()
        session = SandboxSession.objects.get(session_id=payment.gateway_id)
        assert (payment.status, session.status) in {("confirmed", "succeeded"), ("cancelled", "cancelled")}
        assert times_credited(payment) == (payment.status == "confirmed")
        ends.add(payment.status)
    assert ends


def test_one_form_sent_eight_times_at_once_makes_one_payment(alice: User, basic: Price) -> None:
    for number in range(4):
        key = f"form-{number}"
        start = partial(
            checkout.start, alice, now=timezone.now(), plan="basic", quantity=number + 1, idempotency_key=key
        )
        payments = at_once([start] * 8)
        assert len({payment.pk for payment in payments}) == 1
        assert len({payment.confirmation_url for payment in payments}) == 1
    assert Payment.objects.count() == Subscription.objects.count() == SandboxSession.objects.count() == 4


@pytest.mark.parametrize("terms", [{"plan": "basic"}, {"amount": 500_00, "currency": "RUB"}])
def test_eight_tabs_at_once_open_one_payment(alice: User, basic: Price, terms: dict[str, Any]) -> None:
    starts = [
        partial(checkout.start, alice, now=timezone.now(), idempotency_key=f"form-{number}", **terms)
        for number in range(8)
    ]
    payments = at_once(starts)
    assert len({payment.pk for payment in payments}) == 1
    assert Payment.objects.count() == SandboxSession.objects.count() == 1
    assert Subscription.objects.count() == ("plan" in terms)


def cancel_in(row: Subscription, book: books.OpenBook) -> None:
    book.cancel(row)


def test_a_checkout_and_the_cancel_of_its_order_leave_no_open_page(alice: User, basic: Price) -> None:
    with books.open(alice, "RUB", now=timezone.now()) as book:
        rows = [book.subscribe(basic) for _ in range(6)]
    for row in rows:
        cancel = outcome_of(partial(orders.change, row, now=timezone.now(), act=partial(cancel_in, row)))
        pay = outcome_of(partial(checkout.start, alice, now=timezone.now(), subscription=row))
        at_once([pay, cancel])
    reconciliation.check_all(now=timezone.now())
    assert set(Subscription.objects.values_list("status", flat=True)) == {"cancelled"}
    assert set(Payment.objects.values_list("status", flat=True)) <= {"cancelled"}
    assert set(SandboxSession.objects.values_list("status", flat=True)) <= {"cancelled"}


def test_eight_simultaneous_checkouts_of_one_subscription_open_one_payment(alice: User, basic: Price) -> None:
    first = checkout.start(alice, now=timezone.now(), plan="basic")
    subscription = first.subscription
    assert subscription is not None
    SandboxSession.objects.update(status="succeeded", amount_received=1)
    confirmation.confirm(first.pk, now=timezone.now())
    starts = [
        outcome_of(
            partial(
                checkout.start, alice, now=timezone.now(), subscription=subscription, idempotency_key=f"form-{number}"
            )
        )
        for number in range(8)
    ]
    answers = at_once(starts)
    assert Payment.objects.filter(status="pending").count() == 1
    assert {answer.pk for answer in answers if isinstance(answer, Payment)} == {
        Payment.objects.get(status="pending").pk
    }


def test_eight_simultaneous_requests_for_one_payment_id_make_one_payment(alice: User, basic: Price) -> None:
    starts = [
        outcome_of(partial(checkout.start, alice, now=timezone.now(), plan="basic", payment_id="pay_order_0001"))
        for _ in range(8)
    ]
    answers = at_once(starts)
    assert sum(isinstance(answer, Payment) for answer in answers) == 1
    assert {answer.code for answer in answers if isinstance(answer, DomainError)} == {"duplicate_payment"}
    assert Payment.objects.count() == Subscription.objects.count() == 1


def test_many_customers_can_pay_at_once(db: None, basic: Price) -> None:
    people = [User.objects.create(username=f"c{n}", email=f"c{n}@example.com") for n in range(16)]
    payments = [paid_at_gateway(person) for person in people]
    at_once([partial(confirmation.confirm, payment.pk, now=timezone.now()) for payment in payments])
    assert set(Payment.objects.values_list("status", flat=True)) == {"confirmed"}
    assert Event.objects.filter(type="payment.confirmed").count() == 16


def test_two_clicks_at_once_start_one_subscription_from_the_balance(alice: User, basic: Price) -> None:
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.top_up(3000_00, key="t", source="gateway_clearing:sandbox")
    for turn in range(3):
        waiting = checkout.start(alice, now=timezone.now(), plan="basic").subscription
        assert waiting is not None
        start = outcome_of(partial(checkout.pay_from_wallet, waiting, now=timezone.now()))
        answers = race(start, start)
        started = {answer.pk for answer in answers if isinstance(answer, Subscription)}
        assert len(started) == 1
        assert balance(alice) == 3000_00 - (turn + 1) * 990_00
