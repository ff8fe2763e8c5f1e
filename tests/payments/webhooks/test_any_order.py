"""Six events about one payment end in the same state in whichever of their 720 orders they arrive."""

from datetime import datetime, timedelta

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
    arrived = follow(payment, now, [], rows, first=rows[first])
    assert arrived == 120
    assert Payment.objects.get().status == "pending"


def follow(
    payment: Payment, now: datetime, before: list[WebhookEvent], left: list[WebhookEvent], *, first: WebhookEvent
) -> int:
    """Let the events that are left arrive in each order after those before, and return how many orders there were.

    The orders that begin alike share their beginning, and each end of one is rolled back.
    """
    if not left:
        assert_everything_is_done(payment, now, [row.type for row in before])
        return 1
    orders = 0
    for row in left if before else [first]:
        begun = transaction.savepoint()
        process.process(row.pk, now=now)
        orders += follow(payment, now, [*before, row], [each for each in left if each != row], first=first)
        transaction.savepoint_rollback(begun)
    return orders


def assert_everything_is_done(payment: Payment, now: datetime, order: list[str]) -> None:
    # What came before its payment is tried again.
    process.sweep(now=now + timedelta(minutes=1))
    payment.refresh_from_db()
    dispute = Dispute.objects.get()
    assert (payment.status, times_credited(payment), dispute.status, balance(payment.customer)) == (
        "confirmed", 1, "won", 1000_00,
    ), order  # fmt: skip
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
