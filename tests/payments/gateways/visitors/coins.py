"""A visitor to Coins, the example in docs/add-a-gateway.md."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from payments.gateways.aftermath import RefundState
from payments.gateways.base import Subject
from tests.payments.gateways import example_gateway
from tests.payments.gateways.example_gateway import Bank
from tests.payments.gateways.visitors.visitor import Visitor, Webhook


class CoinsVisitor(Visitor):
    tells = frozenset({Subject.PAYMENT, Subject.REFUND})
    may_try_again = False
    has_bank_page = False

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    def pay(self, gateway_id: str, *, amount: int | None = None) -> None:
        page = self.bank.pages[gateway_id]
        page.status, page.taken = "paid", page.amount if amount is None else amount

    def be_declined(self, gateway_id: str) -> None:
        self.bank.pages[gateway_id].status = "refused:empty_purse"

    def settle_refund(self, refund_id: str, state: RefundState) -> None:
        self.bank.refunds[refund_id].status = {"succeeded": "sent", "failed": "returned"}[state]

    def refund_by_hand(self, gateway_id: str) -> str:
        return self.bank.refund_here(self.bank.pages[gateway_id]).id

    def answer_charges(self, method_id: str, answer: str) -> None:
        raise NotImplementedError

    def approve(self, gateway_id: str) -> None:
        raise NotImplementedError

    def webhook(self, subject: Subject, gateway_id: str, *, at: datetime) -> Webhook:
        word = {Subject.PAYMENT: "page", Subject.REFUND: "refund"}[subject]
        return Webhook(*self.bank.event(f"{word}.changed", gateway_id, at=at), "203.0.113.20")

    @contextmanager
    def hanging(self, gateway_id: str) -> Iterator[None]:
        self.bank.hangs = True
        yield
        self.bank.hangs = False


@contextmanager
def visit(settings: Any) -> Iterator[CoinsVisitor]:
    settings.COINS_API_KEY, settings.COINS_WEBHOOK_SECRET = "coins_test_key", "s" * 32
    example_gateway.bank = Bank()
    yield CoinsVisitor(example_gateway.bank)
