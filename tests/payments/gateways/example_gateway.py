"""Coins: the example of docs/add-a-gateway.md, a whole gateway in one file. It passes the contract test.

It takes euros and dollars. It refunds only whole payments, closes no pages, keeps no cards, and tells of no disputes.
`Bank` stands for its server: a real gateway sends a request where this one calls `bank`.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from payments.gateways import guard
from payments.gateways.aftermath import RefundRequest, RefundSnapshot, RefundState
from payments.gateways.base import Capabilities, Notification, Subject
from payments.gateways.errors import BadWebhook, GatewayError
from payments.gateways.mixins import NoDisputes, NoMethods, NoPayouts
from payments.gateways.sessions import Session, SessionRequest, Snapshot, State

PATH = f"{__name__}.Coins"
STATES = {"new": State.OPEN, "paid": State.SUCCEEDED, "refused": State.FAILED, "over": State.EXPIRED}
REFUND_STATES = {"sent": RefundState.SUCCEEDED, "returned": RefundState.FAILED}
SUBJECTS = {"page": Subject.PAYMENT, "refund": Subject.REFUND}


class Coins(NoDisputes, NoMethods, NoPayouts):
    """Implements payments.gateways.base.Gateway."""

    name = "coins"

    @property
    def can(self) -> Capabilities:
        return Capabilities(
            currencies={"EUR": (1_00, 10_000_00), "USD": (1_00, 10_000_00)},
            longest_page=timedelta(hours=1),
            cancels_pages=False,
            refunds_parts=False,
            form_targets=("https://pay.coins.example",),
        )

    def is_configured(self) -> bool:
        return bool(_setting("COINS_API_KEY"))

    def problems(self) -> list[str]:
        names = ("COINS_API_KEY", "COINS_WEBHOOK_SECRET")
        return [f"{name} is blank" for name in names if not _setting(name)]

    def create_session(self, request: SessionRequest) -> Session:
        if not self.can.takes(request.currency, request.amount):
            raise GatewayError("Coins does not take this amount.", permanent=True, code="amount_not_taken")
        page = _call("open", request)
        if (page.amount, page.currency) != (request.amount, request.currency):
            raise GatewayError("This key was used for another amount.", permanent=True, code="key_reused")
        return Session(
            gateway_id=page.id, confirmation_url=f"https://pay.coins.example/{page.id}", expires_at=page.expires_at
        )

    def fetch(self, gateway_id: str) -> Snapshot:
        return _snapshot(_call("page", gateway_id))

    def cancel(self, gateway_id: str) -> Snapshot:
        # Coins closes no pages: they expire by themselves.
        return self.fetch(gateway_id)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        return _refund_snapshot(_call("give_back", request))

    def find_refund(self, request: RefundRequest) -> RefundSnapshot | None:
        made: list[Refund] = _call("refunds_of", request.gateway_id)
        return next((_refund_snapshot(refund) for refund in made if refund.key == request.idempotency_key), None)

    def fetch_refund(self, gateway_id: str) -> RefundSnapshot:
        return _refund_snapshot(_call("refund", gateway_id))

    def list_payments(self, *, since: datetime, until: datetime) -> Iterator[Snapshot]:
        for page in _call("all_pages"):
            if since <= page.created_at < until:
                yield _snapshot(page)

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[RefundSnapshot]:
        for refund in _call("all_refunds"):
            if since <= refund.created_at < until:
                yield _refund_snapshot(refund)

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], *, address: str) -> Notification:
        stamp, signature = headers.get("coins-time", ""), headers.get("coins-signature", "")
        if not _setting("COINS_WEBHOOK_SECRET") or not hmac.compare_digest(_signature(stamp, body), signature):
            raise BadWebhook("The signature is not valid.")
        if abs(timezone.now().timestamp() - int(stamp)) > 300:
            raise BadWebhook("It was sent more than 300 s before or after now.")
        try:
            event: dict[str, Any] = json.loads(body)
            subject = SUBJECTS.get(str(event["type"]).partition(".")[0])
            return Notification(
                event_id=str(event["id"]),
                type=str(event["type"]),
                subject=subject,
                gateway_id=str(event["object"]) if subject else "",
                payload=event,
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadWebhook("The signature is valid, but the body is not readable.") from error


def _call(name: str, *arguments: Any) -> Any:
    """Ask the server. A real gateway passes `guard.time_left()` to its HTTP library as the time-out."""
    try:
        return getattr(bank, name)(*arguments, timeout=guard.time_left())
    except KeyError as error:
        raise GatewayError("There is no such object.", permanent=True, code="not_found") from error
    except ValueError as error:
        raise GatewayError(str(error), permanent=True, code="refused") from error
    except TimeoutError as error:
        raise GatewayError("Coins did not answer.", permanent=False, code="timeout") from error


def _snapshot(page: "Page") -> Snapshot:
    word, _, reason = page.status.partition(":")
    state = STATES.get(word, State.UNRECOGNISED)
    paid = state is State.SUCCEEDED
    return Snapshot(
        gateway_id=page.id,
        state=state,
        amount=page.taken if paid else None,
        currency=page.currency if paid else None,
        failure_code={"empty_purse": "insufficient_funds"}.get(reason, reason),
        # One per cent, as the server says in its answers.
        fee=page.taken // 100 if paid else None,
        fee_currency=page.currency if paid else "",
        idempotency_key=page.key,
        created_at=page.created_at,
    )


def _refund_snapshot(refund: "Refund") -> RefundSnapshot:
    return RefundSnapshot(
        gateway_id=refund.id,
        state=REFUND_STATES.get(refund.status, RefundState.PENDING),
        amount=refund.page.taken,
        currency=refund.page.currency,
        payment=refund.page.id,
        idempotency_key=refund.key,
        created_at=refund.created_at,
    )


def _signature(stamp: str, body: bytes) -> str:
    secret = _setting("COINS_WEBHOOK_SECRET").encode()
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _setting(name: str) -> str:
    # A real gateway has its lines in billing_site/settings/billing.py, and reads settings.COINS_API_KEY.
    return str(getattr(settings, name, ""))


@dataclass
class Page:
    """A payment page, as the server stores it."""

    id: str
    key: str
    amount: int
    currency: str
    created_at: datetime
    expires_at: datetime
    status: str = "new"
    taken: int = 0


@dataclass
class Refund:
    """A refund of a page, as the server stores it."""

    id: str
    key: str
    page: Page
    created_at: datetime
    status: str = "waits"


@dataclass
class Bank:
    """The server of Coins, in memory."""

    pages: dict[str, Page] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    hangs: bool = False

    def open(self, request: SessionRequest, *, timeout: float) -> Page:
        page = next((page for page in self.pages.values() if page.key == request.idempotency_key), None)
        if page is None:
            page = Page(
                f"coin_{len(self.pages)}", request.idempotency_key, request.amount, request.currency, timezone.now(),
                request.expires_at,
            )  # fmt: skip
            self.pages[page.id] = page
        return page

    def page(self, page_id: str, *, timeout: float) -> Page:
        self._answer(timeout)
        return self.pages[page_id]

    def all_pages(self, *, timeout: float) -> list[Page]:
        self._answer(timeout)
        return list(self.pages.values())

    def give_back(self, request: RefundRequest, *, timeout: float) -> Refund:
        page = self.page(request.gateway_id, timeout=timeout)
        made = self.refunds_of(page.id, timeout=timeout)
        for refund in made:
            if refund.key == request.idempotency_key:
                return refund
        if request.amount != page.taken or any(refund.status != "returned" for refund in made):
            raise ValueError("Only a whole payment can be refunded, once.")
        return self.refund_here(page, key=request.idempotency_key)

    def refund_here(self, page: Page, *, key: str = "") -> Refund:
        refund = Refund(f"back_{len(self.refunds)}", key, page, timezone.now())
        self.refunds[refund.id] = refund
        return refund

    def refund(self, refund_id: str, *, timeout: float) -> Refund:
        self._answer(timeout)
        return self.refunds[refund_id]

    def refunds_of(self, page_id: str, *, timeout: float) -> list[Refund]:
        self._answer(timeout)
        return [refund for refund in self.refunds.values() if refund.page.id == page_id]

    def all_refunds(self, *, timeout: float) -> list[Refund]:
        self._answer(timeout)
        return list(self.refunds.values())

    def event(self, kind: str, object_id: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        body = json.dumps({"id": "event_1", "type": kind, "object": object_id}).encode()
        stamp = str(int(at.timestamp()))
        return body, {"coins-time": stamp, "coins-signature": _signature(stamp, body)}

    def _answer(self, timeout: float) -> None:
        if self.hangs:
            time.sleep(timeout)
            raise TimeoutError


bank = Bank()
