"""Six events about one payment end in the same state in whichever of their 720 orders they arrive."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from payments import checkout
from payments.gateways.sandbox import disputes as at_sandbox
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.models import SandboxDispute
from payments.models import Dispute, Payment, WebhookEvent
from payments.webhooks import process
from tests.payments.rows import balance, times_credited

pytestmark = pytest.mark.django_db
# What each event says and names. A cancel that was sent too late, and a dispute that was open before it was won.
EVENTS = (
    ("session.processing", "payment"),
    ("session.succeeded", "payment"),
    ("session.succeeded", "payment"),
    ("session.cancelled", "payment"),
    ("dispute.open", "dispute"),
    ("dispute.won", "dispute"),
)


@pytest.mark.parametrize("first", range(len(EVENTS)))
def test_every_order_of_six_events_ends_in_the_same_state(alice: User, first: int) -> None:
    now = timezone.now()
    payment = checkout.start(alice, now=now, amount=1000_00, currency="RUB")
    session_id = str(payment.gateway_id)
    paid = outcomes.ON_THE_PAGE["webhook_lost"]
    assert sessions.choose(session_id, paid, expected=sessions.Status.OPEN, now=now)
    disputed = at_sandbox.open_dispute(session_id, now=now)
    assert disputed
    assert at_sandbox.decide(disputed.dispute_id, SandboxDispute.Status.WON, at=now, now=now)
    rows = [
        WebhookEvent.objects.create(
            gateway="sandbox", event_id=f"sevt_{number}", type=kind, subject=subject, payload={}, received_at=now,
            gateway_id=session_id if subject == "payment" else disputed.dispute_id, next_try_at=now,
        )
        for number, (kind, subject) in enumerate(EVENTS)
    ]  # fmt: skip
    orders = [order for order in permutations(rows) if order[0] == rows[first]]
    assert len(orders) == 120
    for order in orders:
        begun = transaction.savepoint()
        for row in order:
            process.process(row.pk, now=now)
        # What came before its payment is tried again.
        process.sweep(now=now + timedelta(minutes=1))
        payment.refresh_from_db()
        dispute = Dispute.objects.get()
        assert (payment.status, times_credited(payment), dispute.status, balance(alice)) == (
            "confirmed", 1, "won", 1000_00,
        ), [row.type for row in order]  # fmt: skip
        assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
        transaction.savepoint_rollback(begun)
    assert Payment.objects.get().status == "pending"
