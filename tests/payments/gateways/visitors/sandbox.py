"""A visitor to the sandbox. It has no network, so its visitor uses the functions behind its pages."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from payments.gateways.aftermath import DisputeState, RefundState
from payments.gateways.base import Subject
from payments.gateways.sandbox import disputes, methods, outcomes, payouts, refunds, sessions, webhooks
from payments.gateways.sandbox.gateway import SUBJECTS
from payments.gateways.sandbox.models import SandboxDispute, SandboxRefund, SandboxSession
from tests.payments.gateways.visitors.visitor import Visitor, Webhook


class SandboxVisitor(Visitor):
    tells = frozenset(SUBJECTS.values())
    may_try_again = False
    has_bank_page = True

    def pay(self, gateway_id: str, *, amount: int | None = None) -> None:
        self._choose(gateway_id, "succeeds")
        if amount is not None:
            SandboxSession.objects.filter(session_id=gateway_id).update(amount_received=amount)

    def be_declined(self, gateway_id: str) -> None:
        self._choose(gateway_id, "insufficient_funds")

    def settle_refund(self, refund_id: str, state: RefundState) -> None:
        refunds.settle(refund_id, SandboxRefund.Status(state), now=timezone.now())

    def refund_by_hand(self, gateway_id: str) -> str:
        session, now = SandboxSession.objects.get(session_id=gateway_id), timezone.now()
        return refunds.by_hand(session, now=now).refund_id

    def open_dispute(self, gateway_id: str) -> str:
        dispute = disputes.open_dispute(gateway_id, now=timezone.now())
        assert dispute is not None
        return dispute.dispute_id

    def decide_dispute(self, dispute_id: str, state: DisputeState) -> None:
        now = timezone.now()
        assert disputes.decide(dispute_id, SandboxDispute.Status(state), at=now, now=now)

    def forget_method(self, method_id: str) -> None:
        assert methods.forget(method_id, now=timezone.now())

    def save_method(self, setup_id: str) -> None:
        self._choose_on_setup(setup_id, "succeeds")

    def fail_to_save(self, setup_id: str) -> None:
        self._choose_on_setup(setup_id, "declined")

    def pay_out(self, gateway_id: str) -> str:
        # Yesterday's money arrives at midnight.
        taken_at = timezone.now() - timedelta(days=1)
        SandboxSession.objects.filter(session_id=gateway_id).update(created_at=taken_at, succeeds_at=taken_at)
        now = timezone.now()
        return [payout.payout_id for payout in payouts.between(taken_at, now)][-1]

    def answer_charges(self, method_id: str, answer: str) -> None:
        words = {"soft": "insufficient_funds", "hard": "stolen_card", "asks": "bank_asks"}
        methods.answer(method_id, words.get(answer, answer))

    def approve(self, gateway_id: str) -> None:
        expected = sessions.Status.REQUIRES_ACTION
        assert sessions.choose(gateway_id, outcomes.APPROVE, expected=expected, now=timezone.now())

    def webhook(self, subject: Subject, gateway_id: str, *, at: datetime) -> Webhook:
        word = next(word for word, about in SUBJECTS.items() if about is subject)
        body = json.dumps({"type": f"{word}.changed", word: gateway_id})
        return Webhook(body.encode(), webhooks.sign("sevt_contract", body, now=at), "127.0.0.1")

    @contextmanager
    def hanging(self, gateway_id: str) -> Iterator[None]:
        session = SandboxSession.objects.filter(session_id=gateway_id)
        session.update(unreachable_until=timezone.now() + timedelta(hours=1))
        yield
        session.update(unreachable_until=None)

    def _choose(self, gateway_id: str, outcome: str) -> None:
        chosen = outcomes.ON_THE_PAGE[outcome]
        assert sessions.choose(gateway_id, chosen, expected=sessions.Status.OPEN, now=timezone.now())

    def _choose_on_setup(self, setup_id: str, outcome: str) -> None:
        chosen = outcomes.ON_A_SETUP[outcome]
        assert sessions.choose(setup_id, chosen, expected=sessions.Status.OPEN, now=timezone.now())


@contextmanager
def visit(settings: Any) -> Iterator[SandboxVisitor]:
    yield SandboxVisitor()
