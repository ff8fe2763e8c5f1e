"""A visitor to the gateway of bank transfers: staff, who record what arrives and what they send back."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from payments.gateways.base import DisputeState, RefundState, Subject
from payments.gateways.manual import receipts, refunds
from payments.gateways.manual.models import ManualRefund, ManualTransfer
from tests.payments.gateways.visitors.visitor import Webhook


class ManualVisitor:
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

    def be_declined(self, gateway_id: str) -> None:
        raise NotImplementedError

    def settle_refund(self, refund_id: str, state: RefundState) -> None:
        refund, now = ManualRefund.objects.get(refund_id=refund_id), timezone.now()
        if state is RefundState.SUCCEEDED:
            refunds.mark_sent(refund, bank_reference=f"S-{refund_id}", by=_staff(), now=now)
        else:
            refunds.mark_failed(refund, reason="The account is closed", by=_staff(), now=now)

    def open_dispute(self, gateway_id: str) -> str:
        raise NotImplementedError

    def decide_dispute(self, dispute_id: str, state: DisputeState) -> None:
        raise NotImplementedError

    def forget_method(self, method_id: str) -> None:
        raise NotImplementedError

    def answer_charges(self, method_id: str, answer: str) -> None:
        raise NotImplementedError

    def approve(self, gateway_id: str) -> None:
        raise NotImplementedError

    def webhook(self, subject: Subject, gateway_id: str, *, at: datetime) -> Webhook:
        raise NotImplementedError

    def hanging(self, gateway_id: str) -> AbstractContextManager[None]:
        raise NotImplementedError


@contextmanager
def visit(settings: Any) -> Iterator[ManualVisitor]:
    settings.MANUAL_DETAILS = json.dumps({"beneficiary": "Acme Ltd", "account": "40702810900000000001"})
    yield ManualVisitor()


def _staff() -> User:
    return User.objects.get_or_create(email="cashier@example.com", defaults={"is_staff": True})[0]
