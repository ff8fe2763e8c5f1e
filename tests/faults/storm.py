"""A storm: customers pay and get refunds while most calls to the gateway fail. No test lives here.

Time is moved by hand, from half a minute to a day at once; the sweeps run after each step. What happens is drawn from
one seed.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import time_machine

from accounts.models import User
from core.errors import DomainError, Unavailable
from payments import cancellation, checkout, checkout_request, confirmation, reconciliation, refunds, sessions
from payments.gateways.aftermath import DisputeState, RefundState
from payments.gateways.base import Subject
from payments.gateways.errors import GatewayError
from payments.models import Payment, Refund
from payments.webhooks import process, receive
from tests.faults.records import RECORDS, Records
from tests.faults.sandbox import SandboxRecords, Silence
from tests.faults.transport import Transport

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# How long each step is and which share of the calls fails in it: the storm, its end, and the days after it.
STORM = [(30 * SECOND, 0.8)] * 12 + [(5 * MINUTE, 0.8)] * 6
END = [(HOUR, 0.5)] * 6
AFTER = [(6 * HOUR, 0.4)] * 4 + [(DAY, 0.3)] * 2
CALM = [(DAY, 0.0)] * 3
# How often a customer who gets no answer presses again, and how often a process is killed in a call, within a step.
PRESSES, DEATHS = 3, 10
OPEN = ("pending", "unknown")
# YooKassa's notifications come from its own networks.
SENDER = "185.71.76.1"


# What saves the outcome of a call.
SAVES = ((confirmation, "apply"), (refunds, "apply"), (sessions, "_store"), (sessions, "_save_error"))


class Killed(BaseException):
    """The process was killed."""


@dataclass
class Order:
    """A top-up that a customer wants to pay, and what they mean to do with it."""

    number: int
    customer: User
    # pays, declined, leaves, cancels, or regrets: cancels, and pays if the page is still there.
    intent: str
    # What is refunded later, one after the other: minor units to the card, None for all that is left.
    refunds: list[tuple[int | None, Refund.Destination]] = field(default_factory=list)
    is_disputed: bool = False
    # What has happened at the gateway.
    is_done: bool = False
    payment: Payment | None = None

    @property
    def amount(self) -> int:
        """The sum in kopecks. Each order has another one."""
        return 200_00 + 37_11 * self.number

    def terms(self, gateway: str) -> dict[str, Any]:
        return {
            "amount": self.amount, "currency": "RUB", "gateway": gateway, "idempotency_key": f"order-{self.number}",
        }  # fmt: skip


class Storm:
    """One gateway and its customers."""

    def __init__(
        self, gateway: str, visitor: Any, transport: Transport | Silence, clock: time_machine.Traveller, *,
        begins: datetime,
    ) -> None:  # fmt: skip
        self.gateway, self.visitor, self.transport, self.clock = gateway, visitor, transport, clock
        self.fake, self.random, self.now = visitor.fake, transport.random, begins
        # How many calls were answered, but their process was killed before it saved that.
        self.unsaved = 0
        self.records: Records = (RECORDS | {"sandbox": SandboxRecords})[gateway](visitor.fake)
        self.orders: list[Order] = []
        # Webhooks under way: after how many steps each arrives.
        self._webhooks: list[tuple[int, bytes]] = []

    @property
    def ambiguous(self) -> int:
        """How many calls were made of which nobody has learned what became of them."""
        return self.transport.ambiguous + self.unsaved

    def add_orders(self, customers: list[User], count: int) -> None:
        """Let the customers want to pay so many top-ups."""
        for _ in range(count):
            number = len(self.orders)
            order = Order(number, customers[number % len(customers)], self._intent())
            order.refunds = self._refunds(order.amount)
            order.is_disputed = not order.refunds and self.random.random() < 0.5
            self.orders.append(order)

    def run(self) -> None:
        """Let everything happen, until nothing is left to ask."""
        for length, rate in (*STORM, *END):
            self._step(length, rate)
            self._customers_act()
            self._bank_acts()
            self._settle()
        for length, rate in (*AFTER, *CALM):
            self._step(length, rate)
            if length == DAY:
                # All keys are older than the day for which gateways keep them.
                self.transport.let_all_arrive()
                self.fake.forget_keys()
            self._bank_acts(decides_all=True)
            self._webhooks = [(0, body) for _, body in self._webhooks]
            self._settle()

    def _step(self, length: timedelta, rate: float) -> None:
        self.now += length
        self.clock.move_to(self.now, tick=False)
        self.transport.rate = rate

    def _settle(self) -> None:
        """Let the webhooks arrive that are due, and let the sweeps do what is due."""
        self._send_webhooks()
        process.sweep(now=self.now, gateway=self.gateway)
        reconciliation.check_gateway(self.gateway, now=self.now)

    # --- Customers ---

    def _intent(self) -> str:
        return self.random.choices(["pays", "declined", "leaves", "cancels", "regrets"], [80, 4, 5, 5, 6])[0]

    def _refunds(self, amount: int) -> list[tuple[int | None, Refund.Destination]]:
        """Return what will be refunded: nothing, all, a part, parts and the rest, or something to the balance."""
        card, balance = Refund.Destination.CARD, Refund.Destination.WALLET
        plans: list[list[tuple[int | None, Refund.Destination]]] = [
            [], [(None, card)], [(amount // 3, card)], [(amount // 3, card), (amount // 4, card), (None, card)],
            [(amount // 5, balance), (None, card)],
        ]  # fmt: skip
        return self.random.choices(plans, [2, 3, 2, 3, 1])[0]

    def _customers_act(self) -> None:
        """Let each customer press what they see, and press again while there is no answer."""
        rows = {payment.pk: payment for payment in Payment.objects.filter(gateway=self.gateway)}
        for order in self.random.sample(self.orders, len(self.orders)):
            if order.payment is not None:
                order.payment = rows[order.payment.pk]
            for _ in range(self.random.randint(0, PRESSES)):
                if self._act(order):
                    break
            for _ in range(self.random.randint(0, DEATHS)):
                self._die_in_a_call(order)

    def _act(self, order: Order) -> bool:
        """Let a customer do the next thing; tell whether there was an answer, or nothing to do."""
        payment = order.payment
        if payment is None or (payment.status in OPEN and not payment.gateway_id):
            return self._start(order)
        if payment.status == "confirmed":
            return self._ask_for_refund(order, payment)
        if not order.is_done and payment.confirmation_url:
            return self._use_page(order, payment)
        if order.is_done and payment.status in OPEN:
            # Back on our page, which asks the gateway.
            order.payment = confirmation.confirm(payment.pk, now=self.now)
            return order.payment.status != "unknown"
        return True

    def _start(self, order: Order) -> bool:
        try:
            order.payment = checkout.start(order.customer, now=self.now, **order.terms(self.gateway))
        except Unavailable:
            order.payment = checkout_request.find_by_key(order.customer, f"order-{order.number}")
            return False
        return True

    def _use_page(self, order: Order, payment: Payment) -> bool:
        """Act on the gateway's page, once."""
        if order.intent in ("cancels", "regrets"):
            has_answer = self._cancel(payment)
            if not has_answer and order.intent == "cancels":
                return False
            order.is_done = True
        if order.intent in ("pays", "regrets", "declined") and self.records.is_open(payment.gateway_id or ""):
            act = self.visitor.be_declined if order.intent == "declined" else self.visitor.pay
            act(payment.gateway_id)
            order.is_done = True
        return True

    def _cancel(self, payment: Payment) -> bool:
        """Cancel on our page; tell whether there was an answer."""
        try:
            cancellation.cancel(payment, now=self.now)
        except Unavailable:
            return False
        except cancellation.NotCancellable:
            pass  # it was paid, or the bank is processing it
        return True

    def _ask_for_refund(self, order: Order, payment: Payment) -> bool:
        """Ask for the next refund, or again where the last one got no answer; tell whether there was one."""
        made = {refund.idempotency_key: refund for refund in payment.refunds.all()}
        for place, (amount, destination) in enumerate(order.refunds):
            key = f"refund-{place}"
            if key in made:
                if made[key].gateway_id is None and made[key].status == "pending":
                    return refunds.send(made[key], now=self.now).gateway_id is not None
                continue
            try:
                refund = refunds.issue(
                    payment, now=self.now, amount=amount, destination=destination, idempotency_key=key, reason="Regret"
                )
            except DomainError:
                # Nothing is left of it, a dispute is open, or the balance is spent.
                continue
            return refund.status != "pending" or refund.gateway_id is not None
        return True

    def _die_in_a_call(self, order: Order) -> None:
        """Have a process call the gateway and be killed before it saves what the call has done."""
        payment, pending = order.payment, None
        if payment is None:
            return
        if payment.status == "confirmed":
            pending = payment.refunds.filter(status="pending").select_related("payment").first()
        try:
            with self._killed_before_saving():
                if pending is not None:
                    refunds.send(pending, now=self.now)
                elif payment.status in OPEN and payment.gateway_id is None:
                    sessions.open_page(payment, now=self.now)
                elif payment.gateway_id and order.intent in ("cancels", "regrets") and not order.is_done:
                    cancellation.close_page(payment)
                    self.unsaved += 1
                elif payment.gateway_id and payment.status in OPEN:
                    confirmation.confirm(payment.pk, now=self.now)
        except (Killed, DomainError):
            return

    @contextmanager
    def _killed_before_saving(self) -> Iterator[None]:
        """Kill whatever saves the outcome of a call, in this block. Count the calls that had an answer."""

        def die(_row: int, answer: object = None, **_named: object) -> None:
            self.unsaved += not isinstance(answer, GatewayError)
            raise Killed

        with ExitStack() as stack:
            for module, name in SAVES:
                stack.enter_context(patch.object(module, name, die))
            yield

    # --- The bank and the gateway ---

    def _bank_acts(self, *, decides_all: bool = False) -> None:
        """Let refunds succeed or fail, some after they succeeded, and let disputes begin and end."""
        for refund_id, state in self.records.refunds():
            if state == "pending" and (decides_all or self.random.random() < 0.4):
                fails = self.random.random() < 0.2
                self.visitor.settle_refund(refund_id, RefundState.FAILED if fails else RefundState.SUCCEEDED)
            elif state == "succeeded" and not decides_all and self.random.random() < 0.01:
                self.visitor.settle_refund(refund_id, RefundState.FAILED)
        for order in self.orders if Subject.DISPUTE in self.visitor.tells and not decides_all else []:
            if order.is_disputed and order.payment is not None and order.payment.status == "confirmed":
                self.visitor.open_dispute(order.payment.gateway_id)
                order.is_disputed = False
        for dispute in self.records.open_disputes():
            if decides_all or self.random.random() < 0.1:
                self.visitor.decide_dispute(dispute, self.random.choice([DisputeState.WON, DisputeState.LOST]))

    def _send_webhooks(self) -> None:
        """Lose, double, delay and mix the new webhooks, and let those arrive that are due.

        One about a dispute is never lost for good: gateways send it again for days, and nothing else tells of it.
        """
        for body in self.records.new_webhooks():
            is_lost = self.random.random() < 0.3 and b"dispute" not in body
            copies = 0 if is_lost else self.random.choice([1, 1, 1, 2, 3])
            self._webhooks += [(self.random.choice([0, 0, 1, 2, 5, 12]), body) for _ in range(copies)]
        due = [body for steps, body in self._webhooks if steps <= 0]
        self._webhooks = [(steps - 1, body) for steps, body in self._webhooks if steps > 0]
        self.random.shuffle(due)
        for body in due:
            headers = {name.lower(): value for name, value in self.fake.sign(body).items()}
            receive.receive(self.gateway, body=body, headers=headers, address=SENDER, now=self.now)
