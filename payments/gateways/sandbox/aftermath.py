"""What happened to a payment afterwards, for testers: refunds, disputes, the kept card, and a button for each act."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger.money import Money
from payments.gateways.sandbox import disputes, methods, outcomes, refunds
from payments.gateways.sandbox.models import SandboxDispute, SandboxRefund, SandboxSession


@dataclass(frozen=True, slots=True)
class Action:
    """A button: the code that it posts, and its text."""

    code: str
    title: str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A refund, a dispute or a kept card."""

    object_id: str
    # What it is and its status.
    title: str | Promise
    money: Money | None = None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """Everything that happened after a payment, and the money that can still be disputed or refunded."""

    is_paid: bool
    items: list[Item]
    left: Money


REFUND_STATUS = {
    SandboxRefund.Status.PENDING: _("Refund in progress"),
    SandboxRefund.Status.SUCCEEDED: _("Refund made"),
    SandboxRefund.Status.FAILED: _("Refund did not go through"),
}
DISPUTE_STATUS = {
    SandboxDispute.Status.OPEN: _("Dispute is open"),
    SandboxDispute.Status.WON: _("Dispute won by the seller"),
    SandboxDispute.Status.LOST: _("Dispute lost by the seller"),
}
DECIDE_REFUND = (Action("succeed_refund", _("Refund now")), Action("fail_refund", _("Let it fail")))
DECIDE_DISPUTE = (Action("win_dispute", _("Seller wins")), Action("lose_dispute", _("Seller loses")))
FORGET = (Action("forget_card", _("Forget the card")),)


def of(session: SandboxSession, *, now: datetime) -> Aftermath:
    """Return what happened to a session after its payment, oldest first, and what can be done now."""
    currency = session.currency_taken
    rows: list[tuple[datetime, Item]] = []
    for refund in session.refunds.all():
        status = refund.status_at(now)
        item = Item(
            object_id=refund.refund_id,
            title=REFUND_STATUS[status],
            money=Money(refund.amount, currency),
            actions=DECIDE_REFUND if status is SandboxRefund.Status.PENDING else (),
        )
        rows.append((refund.created_at, item))
    for dispute in session.disputes.filter(created_at__lte=now):
        state = dispute.status_at(now)
        item = Item(
            object_id=dispute.dispute_id,
            title=DISPUTE_STATUS[state],
            money=Money(dispute.amount, currency),
            actions=DECIDE_DISPUTE if state is SandboxDispute.Status.OPEN else (),
        )
        rows.append((dispute.created_at, item))
    items = [item for _at, item in sorted(rows, key=lambda row: row[0])]
    return Aftermath(
        is_paid=session.taken_at(now) is not None,
        items=[*_card(session, now), *items],
        left=Money(refunds.left(session, now), currency),
    )


def act(session: SandboxSession, action: str, object_id: str, *, now: datetime) -> bool:
    """Do what a button says with an object of this session; return whether anything changed."""
    refund = session.refunds.filter(refund_id=object_id).exists()
    dispute = session.disputes.filter(dispute_id=object_id, created_at__lte=now).exists()
    method = hasattr(session, "method") and session.method.method_id == object_id
    match action:
        case "open_dispute":
            return disputes.open_dispute(session.session_id, now=now) is not None
        case "refund_by_hand" if refunds.left(session, now) > 0:
            return bool(refunds.by_hand(session, now=now))
        case "win_dispute" if dispute:
            return disputes.decide(object_id, SandboxDispute.Status.WON, at=now, now=now)
        case "lose_dispute" if dispute:
            return disputes.decide(object_id, SandboxDispute.Status.LOST, at=now, now=now)
        case "succeed_refund" if refund:
            return refunds.settle(object_id, SandboxRefund.Status.SUCCEEDED, now=now)
        case "fail_refund" if refund:
            return refunds.settle(object_id, SandboxRefund.Status.FAILED, now=now)
        case "forget_card" if method:
            return methods.forget(object_id, now=now)
        case code if method and code in outcomes.CHARGES:
            methods.answer(object_id, code)
            return True
        case _:
            return False


def _card(session: SandboxSession, now: datetime) -> list[Item]:
    method = getattr(session, "method", None)
    if method is None or session.taken_at(now) is None:
        return []
    if not method.is_kept:
        return [Item(object_id=method.method_id, title=_("The card is not kept any more"))]
    others = tuple(Action(each.code, each.title) for each in outcomes.CHARGES.values() if each.code != method.answer)
    words = {"answer": outcomes.CHARGES[method.answer].title}
    title = _("The card is kept. %(answer)s") % words
    return [Item(object_id=method.method_id, title=title, actions=FORGET + others)]
