"""A gateway in memory whose bank and network follow a script, and which counts the charges it has made."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from payments.gateways.base import Capabilities
from payments.gateways.charges import ChargeRequest, Decline
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sessions import Snapshot, State

PATH = f"{__name__}.Scripted"
DECLINES = {"soft": Decline.SOFT, "hard": Decline.HARD, "authentication": Decline.AUTHENTICATION}
# The money is taken, declined, or the bank asks; the request or the answer is lost; the gateway refuses it.
ANSWERS = ("taken", "soft", "hard", "authentication", "asks", "processing", "lost_before", "lost_after", "refused")


@dataclass
class Bank:
    """What the gateway has: its payments by id. `answers` are used one after the other, then money is taken."""

    answers: list[str] = field(default_factory=list)
    payments: dict[str, Snapshot] = field(default_factory=dict)
    requests: list[ChargeRequest] = field(default_factory=list)
    # The requests, and the payments' ids, by our id: a long run has ten thousand.
    asked: dict[str, ChargeRequest] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    # Called with each charge before it is answered. What it raises would be taken for an error of the gateway.
    watch: Callable[[ChargeRequest], None] = lambda request: None

    def taken(self) -> list[Snapshot]:
        return [each for each in self.payments.values() if each.state is State.SUCCEEDED]

    def settle(self, *, succeeds: bool) -> None:
        """Let the customers confirm, and the bank end, what is open; or not."""
        for payment in list(self.payments.values()):
            if payment.state in (State.REQUIRES_ACTION, State.PROCESSING):
                self.end(payment, succeeds=succeeds)

    def end(self, payment: Snapshot, *, succeeds: bool) -> None:
        request = self.asked[payment.idempotency_key]
        ended = (
            replace(
                payment, state=State.SUCCEEDED, amount=request.amount, currency=request.currency, action_url="",
                fee=None,
            )
            if succeeds
            else replace(payment, state=State.FAILED, decline=Decline.SOFT, failure_code="declined", action_url="")
        )  # fmt: skip
        self.payments[payment.gateway_id] = ended


class Scripted(Sandbox):
    bank: ClassVar[Bank] = Bank()

    @property
    def can(self) -> Capabilities:
        return replace(super().can, charges_off_session=True)

    def charge(self, request: ChargeRequest) -> Snapshot:
        bank = type(self).bank
        answer = bank.answers.pop(0) if bank.answers else "taken"
        bank.requests.append(request)
        bank.asked[request.idempotency_key] = request
        bank.watch(request)
        if answer == "refused":
            raise GatewayError("No.", permanent=True, code="refused")
        if answer == "lost_before":
            raise _silence()
        made = Snapshot(
            gateway_id=f"ch_{len(bank.payments)}", state=State.PROCESSING, idempotency_key=request.idempotency_key
        )
        bank.payments[made.gateway_id] = made
        bank.made[request.idempotency_key] = made.gateway_id
        if answer in DECLINES:
            bank.payments[made.gateway_id] = replace(
                made, state=State.FAILED, decline=DECLINES[answer], failure_code=answer
            )
        elif answer == "asks":
            asks = replace(made, state=State.REQUIRES_ACTION, action_url="https://bank.example/")
            bank.payments[made.gateway_id] = asks
        elif answer != "processing":
            bank.end(made, succeeds=True)
        if answer == "lost_after":
            raise _silence()
        return bank.payments[made.gateway_id]

    def find_charge(self, request: ChargeRequest) -> Snapshot | None:
        bank = type(self).bank
        made = bank.made.get(request.idempotency_key)
        return bank.payments[made] if made else None

    def fetch(self, gateway_id: str) -> Snapshot:
        return type(self).bank.payments.get(gateway_id) or super().fetch(gateway_id)

    def cancel(self, gateway_id: str) -> Snapshot:
        bank = type(self).bank
        payment = bank.payments.get(gateway_id)
        if payment is None:
            return super().cancel(gateway_id)
        if payment.state is State.REQUIRES_ACTION:
            bank.payments[gateway_id] = replace(payment, state=State.CANCELLED, action_url="")
        return bank.payments[gateway_id]


def _silence() -> GatewayError:
    return GatewayError("No answer.", permanent=False, code="timeout")
