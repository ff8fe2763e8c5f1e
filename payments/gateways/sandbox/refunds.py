"""Refunds at the sandbox: made once per key, never for more than is left, and decided at once or later."""

from datetime import datetime, timedelta

from django.db import transaction

from core.ids import new_id
from ledger.money import Money
from payments.gateways.sandbox import outcomes, webhooks
from payments.gateways.sandbox.models import SandboxDispute, SandboxRefund, SandboxSession
from payments.gateways.sandbox.outcomes import RefundCourse

Status = SandboxRefund.Status
# How long a refund is pending where the outcome of its payment says so.
WAIT = timedelta(seconds=60)


class NotRefundable(Exception):
    """More than is left of the payment, in another currency, or a key that was used for another refund."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code


def left(session: SandboxSession, now: datetime) -> int:
    """Return what is left of the money taken, in minor units: failed refunds and won disputes give it back."""
    taken = session.taken_at(now)
    refunded = sum(row.amount for row in session.refunds.all() if row.status_at(now) is not Status.FAILED)
    disputed = sum(
        row.amount
        for row in session.disputes.filter(created_at__lte=now)
        if row.status_at(now) is not SandboxDispute.Status.WON
    )
    return (taken.amount if taken else 0) - refunded - disputed


def issue(session: SandboxSession, money: Money, *, key: str, now: datetime) -> tuple[SandboxRefund, bool]:
    """Refund `money` of a session, once per key; return the refund and whether it is new. Raises NotRefundable."""
    with transaction.atomic():
        session = SandboxSession.objects.select_for_update().get(pk=session.pk)
        known = SandboxRefund.objects.filter(idempotency_key=key).first()
        if known:
            if (known.session_id, known.amount) != (session.pk, money.amount):
                raise NotRefundable("This key was used for another refund.", "idempotency_key_reused")
            return known, False
        taken = session.taken_at(now)
        if taken is None or taken.currency != money.currency or not 0 < money.amount <= left(session, now):
            raise NotRefundable("More than is left of this payment.", "refund_exceeds_payment")
        refund = SandboxRefund.objects.create(
            session=session, idempotency_key=key, amount=money.amount, created_at=now, **_course(session, now)
        )
        if refund.status_at(now) is Status.PENDING:
            _tell(refund, Status.PENDING, at=now)
        _tell(refund, Status(refund.settles_as), at=refund.settles_at or now)
    return refund, True


def by_hand(session: SandboxSession, *, now: datetime) -> SandboxRefund:
    """Refund what is left of a session, as if on the gateway's own pages. Raises NotRefundable."""
    money = Money(left(session, now), session.currency_received or session.currency)
    return issue(session, money, key=new_id("by_hand"), now=now)[0]


def settle(refund_id: str, status: SandboxRefund.Status, *, now: datetime) -> bool:
    """Let a pending refund succeed or fail; return False if it is decided already."""
    with transaction.atomic():
        refund = SandboxRefund.objects.select_for_update().get(refund_id=refund_id)
        if refund.status_at(now) is not Status.PENDING:
            return False
        refund.settles_as, refund.settles_at = status, now
        refund.save(update_fields=["settles_as", "settles_at"])
        webhooks.withdraw(refund.refund_id, after=now)
        _tell(refund, status, at=now)
    return True


def _course(session: SandboxSession, now: datetime) -> dict[str, object]:
    """Return when and how a refund of this session is decided, as the outcome of its payment says."""
    match outcomes.refund_course(session.outcome):
        case RefundCourse.FAILS:
            return {"settles_as": Status.FAILED, "settles_at": now + WAIT}
        case RefundCourse.WAITS:
            return {"settles_as": Status.SUCCEEDED, "settles_at": now + WAIT}
        case RefundCourse.AT_ONCE | RefundCourse.NO_ANSWER:
            return {"settles_as": Status.SUCCEEDED, "settles_at": now}


def _tell(refund: SandboxRefund, status: SandboxRefund.Status, *, at: datetime) -> None:
    webhooks.schedule(refund.session, f"refund.{status}", refund.refund_id, at=at)
