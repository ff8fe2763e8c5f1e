"""A visitor to the gateway of bank transfers: staff, who record what arrives and what they send back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone

from accounts.models import User
from payments.gateways.aftermath import RefundState
from payments.gateways.base import Subject
from payments.gateways.manual import receipts, refunds
from payments.gateways.manual.models import ManualRefund, ManualTransfer
from tests.payments.gateways.visitors.visitor import Visitor


class ManualVisitor(Visitor):
    tells: frozenset[Subject] = frozenset()
    may_try_again = False
    has_bank_page = False

    def pay(self, gateway_id: str, *, amount: int | None = None) -> None:
        transfer, now = ManualTransfer.objects.get(transfer_id=gateway_id), timezone.now()
        receipts.record(
            transfer,
            amount=transfer.amount if amount is None else amount,
            received_on=now.date(),
            bank_reference=f"B-{gateway_id}",
            by=_staff(),
            now=now,
            is_complete=True,
        )

    def settle_refund(self, refund_id: str, state: RefundState) -> None:
        refund, now = ManualRefund.objects.get(refund_id=refund_id), timezone.now()
        if state is RefundState.SUCCEEDED:
            refunds.mark_sent(refund, bank_reference=f"S-{refund_id}", by=_staff(), now=now)
        else:
            refunds.mark_failed(refund, reason="The account is closed", by=_staff(), now=now)


@contextmanager
def visit(settings: Any) -> Iterator[ManualVisitor]:
    settings.MANUAL_DETAILS = json.dumps({"beneficiary": "Acme Ltd", "account": "40702810900000000001"})
    yield ManualVisitor()


def _staff() -> User:
    return User.objects.get_or_create(email="cashier@example.com", defaults={"is_staff": True})[0]
