"""Rows on which staff act: refunds, a dispute, a discrepancy, a transfer paid in part, a collection that waits."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from ledger.models import Account
from ledger.money import Money
from payments import adjustments, checkout, comparison, confirmation, disputes, refunds
from payments.gateways import registry
from payments.gateways.manual import receipts, transfers
from payments.gateways.manual import refunds as manual_refunds
from payments.gateways.sandbox import disputes as bank
from payments.gateways.sandbox import outcomes, sessions
from payments.models import Adjustment, Collection, Payment
from tests.payments.comparisons import foreign
from tests.payments.gateways.requests import refund_request, session_request


def pay(customer: User, amount: int, outcome: str = "succeeds", *, now: datetime) -> Payment:
    """Let the customer top up in roubles through the sandbox; we hear of it unless the webhook was lost."""
    payment = checkout.start(customer, now=now, amount=amount, currency="RUB", gateway="sandbox")
    choice = outcomes.ON_THE_PAGE[outcome]
    sessions.choose(payment.gateway_id or "", choice, expected=sessions.Status.OPEN, now=now)
    return payment if outcome == "webhook_lost" else confirmation.confirm(payment.pk, now=now)


def make(customer: User, staff: User, *, now: datetime) -> dict[str, Any]:
    """Make the rows and return them by name."""
    refunded, disputed = (pay(customer, amount, now=now) for amount in (1000_00, 500_00))
    refund = refunds.issue(refunded, amount=100_00, now=now)
    there = bank.open_dispute(disputed.gateway_id or "", now=now)
    assert there is not None
    dispute = disputes.refresh("sandbox", there.dispute_id, now=now)
    foreign()
    # What is made at this instant belongs to the next comparison.
    later = timezone.now() + timedelta(seconds=5)
    report = comparison.compare(registry.get("sandbox"), since=now - comparison.SPAN, now=later).report
    part, whole = (transfers.open_for(session_request(), now=now) for _ in range(2))
    terms: dict[str, Any] = {"received_on": now.date(), "by": staff, "now": now}
    receipt = receipts.record(part, amount=1000_00, bank_reference="P-1", **terms)
    receipts.record(whole, amount=whole.amount, bank_reference="P-2", **terms)
    sent_back = manual_refunds.request(whole, refund_request(whole.transfer_id), now=now)
    wallet = Account.objects.get(owner=customer, kind=Account.Kind.WALLET, currency="RUB")
    collection = Collection.objects.create(
        customer=customer, wallet=wallet, currency="RUB", kind=Collection.Kind.RENEWAL, cause="renewal:1", due_at=now,
        next_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    adjustment = adjustments.ask(
        customer, kind=Adjustment.Kind.CREDIT, money=Money(10_000_00, "RUB"), reason="Outage", author=staff,
        idempotency_key=None, now=now,
    )  # fmt: skip
    return {
        "adjustment": adjustment, "collection": collection, "refund": refund, "dispute": dispute, "report": report,
        "transfer": part, "discrepancy": report.discrepancies.latest("id"), "receipt": receipt,
        "manual_refund": sent_back, "payment": refunded,
    }  # fmt: skip
