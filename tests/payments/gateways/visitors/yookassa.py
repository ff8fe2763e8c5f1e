"""A visitor to YooKassa, at a fake of its API that runs beside the test."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

from billing_site.local.fakes.yookassa.api import FakeYooKassa
from ledger.money import Money
from payments.gateways.aftermath import RefundState
from payments.gateways.base import Subject
from tests.payments.gateways.visitors.visitor import Visitor, Webhook

EVENTS = {
    Subject.PAYMENT: ("payment.succeeded", "succeeded"),
    Subject.REFUND: ("refund.succeeded", "succeeded"),
    Subject.METHOD: ("payment_method.active", "active"),
}


class YooKassaVisitor(Visitor):
    tells = frozenset(EVENTS)
    may_try_again = False
    has_bank_page = False

    def __init__(self, fake: FakeYooKassa) -> None:
        self.fake = fake

    def pay(self, gateway_id: str, *, amount: int | None = None) -> None:
        currency = self.fake.shop.payments[gateway_id]["amount"]["currency"]
        self.fake.pay(gateway_id, amount="" if amount is None else Money(amount, currency).plain())

    def be_declined(self, gateway_id: str) -> None:
        self.fake.decline(gateway_id, reason="insufficient_funds")

    def settle_refund(self, refund_id: str, state: RefundState) -> None:
        self.fake.end_refund(refund_id, reason="rejected_by_payee" if state is RefundState.FAILED else "")

    def refund_by_hand(self, gateway_id: str) -> str:
        return self.fake.refund_by_hand(gateway_id)

    def forget_method(self, method_id: str) -> None:
        with self.fake.lock:
            self.fake.shop.methods[method_id]["status"] = "inactive"

    def save_method(self, setup_id: str) -> None:
        self.fake.save_method(setup_id)

    def fail_to_save(self, setup_id: str) -> None:
        self.fake.refuse_method(setup_id)

    def answer_charges(self, method_id: str, answer: str) -> None:
        words = {"soft": "insufficient_funds", "hard": "permission_revoked", "asks": "3d_secure_failed"}
        self.fake.end_charges(method_id, words.get(answer, ""))

    def approve(self, gateway_id: str) -> None:
        raise NotImplementedError

    def webhook(self, subject: Subject, gateway_id: str, *, at: datetime) -> Webhook:
        event, status = EVENTS[subject]
        body = {"type": "notification", "event": event, "object": {"id": gateway_id, "status": status}}
        return Webhook(json.dumps(body).encode(), {}, "185.71.76.1")

    def hanging(self, gateway_id: str) -> AbstractContextManager[None]:
        return self.fake.hanging(gateway_id)


@contextmanager
def visit(settings: Any) -> Iterator[YooKassaVisitor]:
    with FakeYooKassa() as fake:
        settings.YOOKASSA_API_BASE = fake.url
        settings.YOOKASSA_SHOP_ID, settings.YOOKASSA_SECRET_KEY = fake.shop.shop_id, fake.secret_key
        settings.YOOKASSA_SAVES_METHODS = fake.shop.refunds_wait = True
        yield YooKassaVisitor(fake)
    assert fake.crashes == []
