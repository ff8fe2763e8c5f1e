"""A visitor to Stripe, at a fake of its API that runs beside the test."""

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

from billing_site.local.fakes.stripe import objects
from billing_site.local.fakes.stripe.api import FakeStripe, signature
from payments.gateways.aftermath import DisputeState, RefundState
from payments.gateways.base import Subject
from payments.gateways.stripe.amounts import to_stripe
from payments.gateways.stripe.webhooks import SUBJECTS
from tests.payments.gateways.visitors.visitor import Visitor, Webhook

TYPES = {
    Subject.PAYMENT: "checkout.session.completed",
    Subject.REFUND: "refund.updated",
    Subject.DISPUTE: "charge.dispute.closed",
    Subject.METHOD: "payment_method.detached",
    Subject.SETUP: "checkout.session.completed",
    Subject.PAYOUT: "payout.paid",
}


class StripeVisitor(Visitor):
    tells = frozenset(TYPES)
    # Another card may be tried on the page.
    may_try_again = True
    has_bank_page = True

    def __init__(self, fake: FakeStripe) -> None:
        self.fake = fake
        self._wins = 0

    def pay(self, gateway_id: str, *, amount: int | None = None) -> None:
        with self.fake.lock:
            currency = self.fake.account.objects[gateway_id]["currency"].upper()
            self.fake.account.pay(gateway_id, amount=None if amount is None else to_stripe(amount, currency))

    def be_declined(self, gateway_id: str) -> None:
        with self.fake.lock:
            self.fake.account.decline(gateway_id, code="insufficient_funds")

    def settle_refund(self, refund_id: str, state: RefundState) -> None:
        with self.fake.lock:
            self.fake.account.finish_refund(refund_id, status=state.value)

    def refund_by_hand(self, gateway_id: str) -> str:
        with self.fake.lock:
            return self.fake.account.refund_by_hand(gateway_id)

    def open_dispute(self, gateway_id: str) -> str:
        with self.fake.lock:
            return self.fake.account.open_dispute(gateway_id)

    def decide_dispute(self, dispute_id: str, state: DisputeState) -> None:
        with self.fake.lock:
            # Every other seller's country returns the fee of a dispute that is won.
            self._wins += state is DisputeState.WON
            self.fake.account.close_dispute(dispute_id, status=state.value, returns_fee=self._wins % 2 == 1)

    def forget_method(self, method_id: str) -> None:
        with self.fake.lock:
            self.fake.account.detach(method_id)

    def save_method(self, setup_id: str) -> None:
        with self.fake.lock:
            self.fake.setups.save(setup_id)

    def fail_to_save(self, setup_id: str) -> None:
        with self.fake.lock:
            self.fake.setups.refuse_card(setup_id)

    def pay_out(self, gateway_id: str) -> str:
        with self.fake.lock:
            return self.fake.account.pay_out(self.fake.account.objects[gateway_id]["currency"])

    def answer_charges(self, method_id: str, answer: str) -> None:
        words = {"soft": "insufficient_funds", "hard": "stolen_card", "asks": "authentication_required"}
        with self.fake.lock:
            self.fake.charges.end_charges(method=method_id, answer=words.get(answer, ""))

    def approve(self, gateway_id: str) -> None:
        with self.fake.lock:
            self.fake.charges.approve(gateway_id)

    def webhook(self, subject: Subject, gateway_id: str, *, at: datetime) -> Webhook:
        about = {"id": gateway_id, "object": "checkout.session", "mode": "setup"}
        if subject is not Subject.SETUP:
            about = {"id": gateway_id, "object": next(kind for kind, of in SUBJECTS.items() if of is subject)}
        event = objects.event(TYPES[subject], about, created=int(time.time()))
        body = json.dumps(event).encode()
        header = signature(body, self.fake.secret, at=int(at.timestamp()))
        return Webhook(body, {"stripe-signature": header}, "203.0.113.20")

    def hanging(self, gateway_id: str) -> AbstractContextManager[None]:
        return self.fake.hanging(gateway_id)


@contextmanager
def visit(settings: Any) -> Iterator[StripeVisitor]:
    with FakeStripe() as fake:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = fake.key, fake.secret
        settings.STRIPE_API_BASE = fake.url
        fake.refunds_begin(status="pending")
        yield StripeVisitor(fake)
    assert fake.crashes == []
