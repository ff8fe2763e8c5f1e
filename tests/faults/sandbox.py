"""The sandbox in a storm: its calls get lost between its class and its tables. No test lives here.

Every call about a payment, a refund or a dispute may get no answer: before its effect, after it, or with the effect
coming later, after other calls.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.utils import timezone

from payments.gateways.errors import GatewayError
from payments.gateways.sandbox import outcomes, sessions, webhooks
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxDelivery, SandboxDispute, SandboxRefund, SandboxSession
from tests.faults.records import Books
from tests.payments.gateways.visitors.sandbox import SandboxVisitor

# The calls that get lost, and those of them that change something.
CALLS = ("create_session", "fetch", "cancel", "refund", "find_refund", "fetch_refund", "fetch_dispute")
CHANGES = frozenset({"create_session", "cancel", "refund"})
# What may happen to a call. All but a refusal leave its outcome open.
BEFORE, AFTER, LATE, REFUSED = "before", "after", "late", "refused"
# A late call arrives after at most so many others.
LATEST = 12
# How customers pay: some of the sandbox's own faults come on top.
WAYS = (
    "succeeds", "webhook_twice", "webhook_lost", "webhooks_reordered", "times_out", "refund_waits", "refund_fails",
    "refund_times_out",
)  # fmt: skip


class Silence:
    """Lets calls of the sandbox get lost with the probability `rate`. It has the members of transport.Transport."""

    def __init__(self, random: Random) -> None:
        self.random, self.rate = random, 0.0
        self.failed: Counter[str] = Counter()
        self.in_transaction = 0
        # Calls under way, each with the number of others that arrive before it.
        self._under_way: list[tuple[int, Callable[[], object]]] = []

    @property
    def ambiguous(self) -> int:
        """How many calls failed so that the caller could not know what has become of them."""
        return sum(self.failed.values()) - self.failed[REFUSED]

    @contextmanager
    def around_the_sandbox(self) -> Iterator[None]:
        """Let calls get lost within this block."""
        with ExitStack() as stack:
            for name in CALLS:
                stack.enter_context(patch.object(Sandbox, name, self._losing(name, getattr(Sandbox, name))))
            yield

    def let_all_arrive(self) -> None:
        """Let everything that is under way arrive."""
        self._arrive(lambda _others: True)

    def _losing(self, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(gateway: Sandbox, *args: Any) -> Any:
            self.in_transaction += connection.in_atomic_block
            self._arrive(lambda others: others <= 1)
            if self.random.random() >= self.rate:
                return plain(gateway, *args)
            kind = self.random.choice([BEFORE, AFTER, LATE, REFUSED] if name in CHANGES else [BEFORE] * 3 + [REFUSED])
            self.failed[kind] += 1
            if kind == AFTER:
                plain(gateway, *args)
            elif kind == LATE:
                self._under_way.append((self.random.randint(1, LATEST), lambda: plain(gateway, *args)))
            raise GatewayError("No answer.", permanent=False, code=kind)

        return call

    def _arrive(self, is_due: Callable[[int], bool]) -> None:
        due = [call for others, call in self._under_way if is_due(others)]
        self._under_way = [(others - 1, call) for others, call in self._under_way if not is_due(others)]
        for call in due:
            try:
                call()
            except GatewayError:
                # It came too late, and nobody waits for its answer.
                continue


class SandboxRecords:
    """The records of the sandbox, from its own tables."""

    def __init__(self, _fake: object) -> None:
        pass

    def is_open(self, gateway_id: str) -> bool:
        session = SandboxSession.objects.get(session_id=gateway_id)
        return session.status_at(timezone.now()) in sessions.PAYABLE

    def refunds(self) -> list[tuple[str, str]]:
        now = timezone.now()
        return [(row.refund_id, row.status_at(now).value) for row in SandboxRefund.objects.order_by("id")]

    def open_disputes(self) -> list[str]:
        now, still_open = timezone.now(), SandboxDispute.Status.OPEN
        rows = SandboxDispute.objects.filter(created_at__lte=now).order_by("id")
        return [row.dispute_id for row in rows if row.status_at(now) is still_open]

    def new_webhooks(self) -> Iterator[bytes]:
        due = SandboxDelivery.objects.filter(next_try_at__lte=timezone.now()).select_related("session")
        for delivery in due.order_by("id"):
            SandboxDelivery.objects.filter(pk=delivery.pk).update(next_try_at=None)
            yield json.dumps(webhooks.payload(delivery)).encode()

    def books(self) -> Books:
        books, now = Books(), timezone.now()
        for session in SandboxSession.objects.prefetch_related("refunds", "disputes"):
            name = session.idempotency_key
            books.pages[name] += 1
            taken = session.taken_at(now)
            if taken is None:
                continue
            money = books.money[name]
            money.captured, money.fee = taken.amount, session.fee_at(now) or 0
            for refund in session.refunds.all():
                state = refund.status_at(now)
                money.refunded += refund.amount * (state is not SandboxRefund.Status.FAILED)
                books.refunds[refund.idempotency_key].append(state.value)
            for dispute in session.disputes.all():
                money.disputed += dispute.amount * (dispute.status_at(now) is not SandboxDispute.Status.WON)
        return books


class SandboxFake:
    """What a storm asks of a fake gateway, for the sandbox."""

    def sign(self, body: bytes) -> dict[str, str]:
        return webhooks.sign(json.loads(body)["id"], body.decode(), now=timezone.now())

    def forget_keys(self) -> None:
        """Do nothing: the sandbox keeps its keys for good."""


class StormyVisitor(SandboxVisitor):
    """Customers who pay in all ways that the sandbox offers."""

    def __init__(self, random: Random) -> None:
        self.random, self.fake = random, SandboxFake()

    def pay(self, gateway_id: str, *, amount: int | None = None) -> None:
        chosen = outcomes.ON_THE_PAGE[self.random.choice(WAYS)]
        assert sessions.choose(gateway_id, chosen, expected=sessions.Status.OPEN, now=timezone.now())
