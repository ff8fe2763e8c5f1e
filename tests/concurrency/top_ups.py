"""Many top-ups of 100.00 roubles at the sandbox, made with a handful of statements. No test lives here."""

from datetime import datetime, timedelta

from accounts.models import User
from events import outbox
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment
from subscriptions import books

AMOUNT = 100_00
SECOND = timedelta(seconds=1)


def paid_at_gateway(customer: User, count: int, *, now: datetime) -> list[Payment]:
    """Return open payments that the customer has paid at the sandbox without our knowing yet.

    The sweep asks about one of them each second, from `now` on.
    """
    ends = now + timedelta(hours=1)
    sessions = SandboxSession.objects.bulk_create(
        SandboxSession(
            idempotency_key=f"top-up-{number}", amount=AMOUNT, amount_received=AMOUNT, currency="RUB", succeeds_at=now,
            status=SandboxSession.Status.SUCCEEDED, created_at=now, expires_at=ends,
        )
        for number in range(count)
    )  # fmt: skip
    return Payment.objects.bulk_create(
        Payment(
            customer=customer, amount=AMOUNT, currency="RUB", gateway="sandbox", gateway_id=session.session_id,
            description="Top-up", created_at=now, updated_at=now, expires_at=ends, check_at=now + number * SECOND,
        )
        for number, session in enumerate(sessions)
    )  # fmt: skip


def confirmed(customer: User, count: int, *, now: datetime) -> list[Payment]:
    """Return confirmed payments. Their money is on the customer's balance."""
    payments = paid_at_gateway(customer, count, now=now)
    with books.open(customer, "RUB", now=now) as book:
        for payment in payments:
            book.top_up(AMOUNT, key=f"payment:{payment.public_id}", source="gateway_clearing:sandbox")
    Payment.objects.filter(customer=customer).update(
        status=Payment.Status.CONFIRMED, confirmed_at=now, check_at=None, amount_received=AMOUNT,
        received_currency="RUB",
    )  # fmt: skip
    outbox.record([outbox.Fact(customer.pk, "payment.confirmed", each.public_id, now, {}) for each in payments])
    return list(Payment.objects.filter(customer=customer).order_by("pk"))
