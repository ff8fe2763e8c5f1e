"""The billing run: settle every due book, batch by batch.

Parallel runs share the work by SKIP LOCKED and write the same rows as one run would. A book that cannot be settled is
parked with the reason, and the others go on.
"""

import time
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from core import clock
from core.columns import pipeline, run
from core.errors import Unavailable
from core.retry import retried
from subscriptions.engine.access import settled
from subscriptions.engine.calendar import to_datetime, to_micros
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Terms
from subscriptions.models import BillingClock, Subscription
from subscriptions.storage import movements, read, write
from subscriptions.storage.read import LoadedBook

log = structlog.get_logger()

CLAIM = """
    SELECT wallet.id, wallet.owner_id, wallet.currency, wallet.balance
    FROM subscriptions_billingclock AS clock JOIN ledger_account AS wallet ON wallet.id = clock.wallet_id
    WHERE clock.due_at <= %s AND clock.due_at > %s AND clock.parked_at IS NULL AND clock.slow_at IS NULL
    ORDER BY clock.due_at LIMIT %s
    FOR NO KEY UPDATE OF wallet SKIP LOCKED
"""
# Books of a batch that are loaded, settled and posted at a time: half of a batch of BILLING_BATCH by default.
PART = 500
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
# Errors that are no fault of the book: the run ends, and the next one finds the same books due.
OUTAGES = (OperationalError, InterfaceError, Unavailable, SoftTimeLimitExceeded)
# SQLSTATE of a statement that took longer than statement_timeout: that may well be the fault of the book.
QUERY_CANCELED = "57014"
# A book that takes longer than this alone when the time of a run ends is parked.
LONG = timedelta(seconds=10)


class SlowBooks(SoftTimeLimitExceeded):
    """The time of the run ended while it settled one book, or loaded or saved several together."""

    def __init__(self, wallet_ids: list[int]) -> None:
        super().__init__()
        self.wallet_ids = wallet_ids


@dataclass(frozen=True, slots=True)
class Run:
    """The result of a run: books settled, charges written, books parked, and overdue books left to staff."""

    books: int = 0
    charges: int = 0
    parked: int = 0
    held_back: int = 0

    def __add__(self, other: "Run") -> "Run":
        return Run(
            self.books + other.books, self.charges + other.charges, self.parked + other.parked,
            self.held_back + other.held_back,
        )  # fmt: skip


class DryRunLine(NamedTuple):
    """A movement that a run would make, in minor units: negative when money leaves the wallet."""

    at: datetime
    amount: int
    currency: str
    reason: str
    # The subscription's public id, empty if there is none.
    subscription: str


def run_due(*, now: datetime, catch_up: bool = False, batch: int | None = None) -> Run:
    """Settle every book that is due at `now`.

    Books overdue for longer than settings.BILLING_MAX_CATCH_UP wait for staff unless `catch_up` is set: a server clock
    that jumps ahead must not bill a year.
    """
    oldest = ALWAYS if catch_up else now - settings.BILLING_MAX_CATCH_UP
    total = Run()
    try:
        while (result := settle_batch(now, oldest, batch or settings.BILLING_BATCH)) != Run():
            total += result
    except SlowBooks as error:
        # Several books are marked only if the run began with them: then the next one would end in them again.
        if len(error.wallet_ids) == 1 or total == Run():
            mark_slow(error.wallet_ids)
        raise
    slow = due(now, catch_up=catch_up).exclude(slow_at=None).order_by("slow_at", "due_at")
    for wallet_id in list(slow.values_list("pk", flat=True)):
        total += settle_alone(wallet_id, now)
    held_back = 0 if catch_up else waiting(now).count()
    if held_back:
        log.warning("billing_waits_for_staff", books=held_back, overdue_since_before=oldest.isoformat())
    return total + Run(held_back=held_back)


def waiting(now: datetime) -> QuerySet[BillingClock]:
    """Return the clocks of the books that a run at `now` leaves to staff, the longest overdue first."""
    oldest = now - settings.BILLING_MAX_CATCH_UP
    return BillingClock.objects.filter(due_at__lte=oldest, parked_at__isnull=True).order_by("due_at")


def due(now: datetime, *, catch_up: bool = False) -> QuerySet[BillingClock]:
    """Return the clocks of the books that a run at `now` settles, the longest overdue first."""
    all_due = BillingClock.objects.filter(due_at__lte=now, parked_at__isnull=True).order_by("due_at")
    return all_due if catch_up else all_due.filter(due_at__gt=now - settings.BILLING_MAX_CATCH_UP)


def dry_run(wallet_id: int, now: datetime) -> list[DryRunLine]:
    """Return the movements of the wallet that settling the book to `now` would make. Write nothing, take no lock."""
    [item] = read.look([wallet_id])
    movements = settled(item.book, max(to_micros(now), item.book.at or 0)).journal.movements
    names: dict[Hashable, str] = dict(Subscription.objects.filter(wallet=wallet_id).values_list("pk", "public_id"))
    return [
        DryRunLine(to_datetime(m.at), m.amount, item.currency, m.reason, names[m.sub.id] if m.sub else "")
        for m in movements
        if not m.on_debt
    ]


def settle_books(wallet_ids: Collection[int], now: datetime) -> Run:
    """Settle these books one by one, parked and long overdue ones too. For staff who have looked at them."""
    return sum((settle_alone(wallet_id, now) for wallet_id in sorted(wallet_ids)), Run())


def settle_batch(now: datetime, oldest: datetime, size: int) -> Run:
    """Claim and settle one batch. If that fails, settle its books one by one and park those that fail."""
    claimed: list[int] = []
    try:
        return settle_claimed(now, oldest, size, claimed)
    except SlowBooks:
        raise
    except SoftTimeLimitExceeded as error:
        # It loaded or saved them: any of them may be the slow one.
        raise SlowBooks(claimed) from error
    except Exception as error:
        if is_outage(error) or not claimed:
            raise
        log.exception("billing_batch_failed", books=len(claimed))
    return sum((settle_alone(wallet_id, now) for wallet_id in claimed), Run())


@retried
def settle_claimed(now: datetime, oldest: datetime, size: int, claimed: list[int]) -> Run:
    """Claim up to `size` due books, settle and save them in one transaction."""
    with transaction.atomic():
        rows = run(CLAIM, [now, oldest, size])
        claimed[:] = [row[0] for row in rows]
        return settle_together(rows, now)


def settle_alone(wallet_id: int, now: datetime) -> Run:
    """Settle one book in its own transaction, or park it with the reason."""
    began = time.monotonic()
    try:
        with transaction.atomic():
            loaded = read.lock([wallet_id])
            settle_all(loaded, now)
            write.write(loaded)
            return done(loaded)
    except SoftTimeLimitExceeded:
        # The next run settles the other slow books first.
        mark_slow([wallet_id])
        if time.monotonic() - began > LONG.total_seconds():
            log.exception("book_parked", wallet=wallet_id)
            park(wallet_id, "SoftTimeLimitExceeded: it takes longer than a billing run may take", now)
        raise
    except Exception as error:  # whatever it is, staff must see it and the other books must go on
        if is_outage(error):
            raise
        log.exception("book_parked", wallet=wallet_id)
        park(wallet_id, f"{type(error).__name__}: {error}"[:2000], now)
        return Run(parked=1)


def park(wallet_id: int, reason: str, now: datetime) -> None:
    """Leave a book to staff, unless somebody else has settled it meanwhile: then it is not due any more."""
    still_due = BillingClock.objects.filter(pk=wallet_id, due_at__lte=now)
    still_due.update(parked_at=now, parked_reason=reason)


def mark_slow(wallet_ids: Collection[int]) -> None:
    """Let the next runs settle these books alone and after all others."""
    BillingClock.objects.filter(pk__in=wallet_ids).update(slow_at=clock.now())


def is_outage(error: Exception) -> bool:
    """Tell whether an error is no fault of the book that was being settled."""
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, OUTAGES) and state != QUERY_CANCELED


def settle_together(wallets: Sequence[tuple[Any, ...]], now: datetime) -> Run:
    """Settle the books of these locked wallet rows to `now` and save them.

    While PostgreSQL loads and posts for one part of them, Python settles another.
    """
    terms: dict[Any, Terms] = {}
    system: dict[tuple[str, str], int] = {}
    loaded: list[LoadedBook] = []
    postings = []
    with pipeline():
        parts = [read.ask_for(wallets[first : first + PART], terms) for first in range(0, len(wallets), PART)]
        for books in parts:
            part = books()
            settle_all(part, now)
            postings.append(movements.post(part, system))
            loaded += part
        if loaded:
            write.save(loaded, postings)
    return done(loaded)


def settle_all(loaded: Sequence[LoadedBook], now: datetime) -> None:
    """Settle these loaded books to `now`; save nothing."""
    at = to_micros(now)
    for item in loaded:
        try:
            settle(item.book, at)
        except SoftTimeLimitExceeded as error:
            raise SlowBooks([item.wallet_id]) from error


def done(loaded: Sequence[LoadedBook]) -> Run:
    """Return the result of having settled these books."""
    return Run(books=len(loaded), charges=sum(len(item.book.journal.charges) for item in loaded))
