"""The states of a collection: the allowed moves, its events, and what becomes of it after an attempt.

The database repeats the table of moves in a trigger (migration 0011_collection_guards).
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from core import retry
from events import outbox
from payments import transitions
from payments.collection import consents, schedule, top_ups
from payments.collection.causes import Cause
from payments.gateways.charges import METHOD_GONE, NOT_MADE, Decline
from payments.gateways.sessions import State
from payments.models import Collection, CollectionPlan, Payment

Status = Collection.Status

OPEN = frozenset({Status.WAITING, Status.CHARGING, Status.ACTION_REQUIRED})
_ENDED = frozenset({Status.COLLECTED, Status.COVERED, Status.GIVEN_UP, Status.STOPPED})
# Each state with the states it may move to. `collected` is final: one cause is collected once. The other ends may begin
# anew, or turn out to be collected if the money of an attempt comes late.
MOVES: dict[Status, frozenset[Status]] = {
    Status.WAITING: _ENDED | {Status.CHARGING},
    Status.CHARGING: _ENDED | {Status.WAITING, Status.ACTION_REQUIRED},
    Status.ACTION_REQUIRED: _ENDED | {Status.WAITING, Status.CHARGING},
    Status.COVERED: frozenset({Status.WAITING, Status.COLLECTED}),
    Status.GIVEN_UP: frozenset({Status.WAITING, Status.COLLECTED}),
    Status.STOPPED: frozenset({Status.WAITING, Status.COLLECTED}),
    Status.COLLECTED: frozenset(),
}
# Why a collection ended that never begins anew.
STOPPED_BY_STAFF = "stopped_by_staff"
# How long the next attempt waits after one that never reached its gateway.
PAUSE = timedelta(minutes=10)


def lock(collection_id: int) -> Collection:
    """Return the collection with its row locked until the transaction ends."""
    return Collection.objects.select_for_update(of=("self",), no_key=True).get(pk=collection_id)


@retry.retried
def begin(plan: CollectionPlan, currency: str, cause: Cause, *, now: datetime) -> Collection | None:
    """Begin to collect for a cause, or begin anew; return None if it may not: it was collected, given up or stopped.

    One that ended without money begins anew once the customer has agreed again, and a covered one also without.
    """
    with transaction.atomic():
        collection, is_new = Collection.objects.select_for_update().get_or_create(
            cause=cause.name,
            defaults={
                "customer_id": plan.customer_id, "wallet_id": plan.wallet_id, "currency": currency,
                "kind": Collection.Kind.TOP_UP if cause.rule else Collection.Kind.RENEWAL, "rule": cause.rule,
                "due_at": cause.due_at, "next_at": now, "created_at": now,
                "updated_at": now,
            },
        )  # fmt: skip
        if not is_new:
            if not may_begin_anew(collection):
                return None
            move(collection, Status.WAITING, now=now, next_at=now, declines=0, declined_at=None)
        collection.subscriptions.set(cause.subscriptions)
    return collection


def may_begin_anew(collection: Collection) -> bool:
    """Tell whether a collection that has ended may begin again for the same cause."""
    if collection.status == Status.COVERED:
        return True
    if collection.status not in (Status.GIVEN_UP, Status.STOPPED) or collection.reason == STOPPED_BY_STAFF:
        return False
    consent = consents.in_force(collection.customer_id, *consents.scope_of(collection))
    return consent is not None and collection.ended_at is not None and consent.given_at > collection.ended_at


def move(collection: Collection, to: Collection.Status, *, now: datetime, reason: str = "", **changes: Any) -> None:
    """Move a locked collection to another state, and save `changes` with it. Raises transitions.IllegalMove.

    Its times never go back, whichever worker's clock is behind: a consent that was charged once is not taken for a new
    one (plans).
    """
    origin = Status(collection.status)
    if to not in MOVES[origin]:
        raise transitions.IllegalMove(f"{collection}: {origin} -> {to}")
    at = max(now, collection.updated_at)
    changes = {"next_at": None, "ended_at": None if to in OPEN else at, "reason": reason} | changes
    changes |= {"status": to, "updated_at": at}
    for name, value in changes.items():
        setattr(collection, name, value)
    collection.save(update_fields=list(changes))


@retry.retried
def end(collection_id: int, to: Collection.Status, reason: str, *, now: datetime) -> Collection:
    """End an open collection and record the event; do nothing if it has ended."""
    with transaction.atomic():
        collection = lock(collection_id)
        if collection.status in OPEN:
            move(collection, to, now=now, reason=reason)
            record_event(collection, to.value, now=now, reason=reason)
    return collection


@retry.retried
def follow(collection_id: int, *, now: datetime) -> Collection:
    """Move an open collection to where its attempts are by now, and return it."""
    with transaction.atomic():
        collection = lock(collection_id)
        attempts = list(collection.attempts.select_related("method").order_by("-id"))
        paid = [attempt for attempt in attempts if attempt.status == Payment.Status.CONFIRMED]
        if paid and collection.status != Status.COLLECTED:
            move(collection, Status.COLLECTED, now=now, amount=paid[0].amount)
            record_event(collection, "collected", now=now, attempt=paid[0])
        elif attempts and collection.status in (Status.CHARGING, Status.ACTION_REQUIRED):
            _follow(collection, attempts[0], now=now)
    return collection


@retry.retried
def postpone(collection_id: int, reason: str, *, agreed_at: datetime | None, now: datetime) -> Collection:
    """Note that an attempt was due and could not be made; wait for the next time, or give up after the last one.

    `agreed_at` is when the consent was given that was looked at.
    """
    with transaction.atomic():
        collection = lock(collection_id)
        if collection.status == Status.WAITING:
            collection.updated_at = max(collection.updated_at, agreed_at or now)
            _decline(collection, reason, now=now, kind="not_tried")
    return collection


def record_event(
    collection: Collection, kind: str, *, now: datetime, attempt: Payment | None = None, **more: Any
) -> None:
    """Record the event `collection.<kind>` with everything that a mail about it needs.

    `link` is the path of the page on which the customer can act.
    """
    data = {
        "kind": collection.kind,
        "amount": {"value": collection.money.plain(), "currency": collection.currency},
        "due_at": collection.due_at.isoformat(),
        "subscriptions": list(collection.subscriptions.order_by("pk").values_list("public_id", flat=True)),
        "payment": attempt.public_id if attempt else None,
        "method": str(attempt.method) if attempt else None,
        "next_at": collection.next_at.isoformat() if collection.next_at else None,
        "declines": collection.declines,
        "link": f"/pay/{attempt.public_id}/" if attempt and kind == "action_required" else "/account/",
        **more,
    }
    fact = outbox.Fact(collection.customer_id, f"collection.{kind}", collection.public_id, now, data)
    outbox.record([fact])


def _follow(collection: Collection, attempt: Payment, *, now: datetime) -> None:
    match Payment.Status(attempt.status):
        case Payment.Status.PENDING | Payment.Status.UNKNOWN:
            _follow_open(collection, attempt, now=now)
        case Payment.Status.CANCELLED if attempt.gateway_id is None:
            # It was stopped before it was sent, and is decided anew: perhaps the customer has agreed again.
            move(collection, Status.WAITING, now=now, reason=attempt.failure_code[:40], next_at=now)
        case Payment.Status.CANCELLED:
            move(collection, Status.STOPPED, now=now, reason="cancelled")
            record_event(collection, "stopped", now=now, attempt=attempt, reason="cancelled")
        case _ if attempt.failure_code == NOT_MADE:
            move(collection, Status.WAITING, now=now, reason=NOT_MADE, next_at=now + PAUSE)
        case _:
            if attempt.decline == Decline.HARD or attempt.failure_code == METHOD_GONE:
                assert attempt.method is not None
                consents.refuse(attempt.method, attempt.failure_code, now=now)
            # Who has not confirmed in time is asked again.
            reason = attempt.failure_code or attempt.status
            _decline(collection, reason[:40], now=now, kind="declined", attempt=attempt)


def _follow_open(collection: Collection, attempt: Payment, *, now: datetime) -> None:
    asks = attempt.status == Payment.Status.PENDING and attempt.gateway_state == State.REQUIRES_ACTION
    to = Status.ACTION_REQUIRED if asks else Status.CHARGING
    if collection.status != to:
        move(collection, to, now=now)
        if asks:
            expires_at = attempt.expires_at.isoformat()
            record_event(collection, "action_required", now=now, attempt=attempt, expires_at=expires_at)


def _decline(collection: Collection, reason: str, *, now: datetime, kind: str, attempt: Payment | None = None) -> None:
    """Count a decline of a locked collection, and wait for the next try or give up."""
    declines, declined_at = collection.declines + 1, collection.declined_at or now
    next_at = _next_try(collection, declined_at, declines, now=now)
    counted = {"declines": declines, "declined_at": declined_at}
    if collection.status == Status.WAITING:
        # The table of moves has no move from a state to itself.
        _wait_on(collection, next_at, reason, now=now, counted=counted)
    elif next_at is not None:
        move(collection, Status.WAITING, now=now, reason=reason, next_at=next_at, **counted)
    else:
        move(collection, Status.GIVEN_UP, now=now, reason=reason, **counted)
    about = {"reason": reason, "decline": (attempt.decline or None) if attempt else None}
    record_event(collection, kind, now=now, attempt=attempt, **about)
    if collection.status == Status.GIVEN_UP:
        record_event(collection, "given_up", now=now, attempt=attempt, **about)


def _next_try(collection: Collection, declined_at: datetime, declines: int, *, now: datetime) -> datetime | None:
    """Return when to try again after so many declines, None if never. A top-up has no dunning: its rule is stopped."""
    if collection.kind == Collection.Kind.TOP_UP:
        return now + top_ups.BACK_OFF
    zone = ZoneInfo(collection.customer.time_zone or settings.COLLECTION_TIME_ZONE)
    return schedule.next_try(declined_at, declines, days=settings.COLLECTION_RETRY_DAYS, zone=zone, now=now)


def _wait_on(
    collection: Collection, next_at: datetime | None, reason: str, *, now: datetime, counted: dict[str, Any]
) -> None:
    if next_at is None:
        move(collection, Status.GIVEN_UP, now=now, reason=reason, **counted)
        return
    at = max(now, collection.updated_at)
    for name, value in (counted | {"next_at": next_at, "reason": reason, "updated_at": at}).items():
        setattr(collection, name, value)
    collection.save(update_fields=["declines", "declined_at", "next_at", "reason", "updated_at"])
