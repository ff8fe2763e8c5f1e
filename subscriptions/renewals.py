"""Renewals that the wallet will not be able to pay, and what is missing for them: for payments collected ahead."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from subscriptions.engine import renewal
from subscriptions.engine.calendar import DAY, MICROSECOND, to_datetime, to_micros
from subscriptions.engine.subscription import Status, Sub
from subscriptions.overview import View
from subscriptions.storage.read import pk_of

# A renewal that nobody has collected for is caught up with for so long: workers were down, or the consent came later.
LATEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class UnpaidRenewal:
    """At `at` the wallet cannot pay the next period of these subscriptions (primary keys)."""

    at: datetime
    # When the shortest of the periods before began.
    began_at: datetime
    subscriptions: tuple[int, ...]


def next_unpaid(view: View, *, until: datetime) -> UnpaidRenewal | None:
    """Return the first renewal that the wallet cannot pay by `until` if no money comes in, None if there is none.

    Subscriptions that do not renew, and those that are unpaid already, are not counted.
    """
    if view.book.is_blocked:
        return None
    found = renewal.next_unpaid(view.book, to_micros(until))
    return _renewal(found.at, found.subs) if found else None


def unpaid(view: View) -> list[UnpaidRenewal]:
    """Return the renewals of the last LATEST that were not paid and still can be, the oldest first.

    Not those that stopped for another reason, such as a lost dispute.
    """
    ends: dict[int, list[Sub]] = {}
    for sub in view.subs.values():
        ended_at = _unpaid_since(sub)
        if ended_at is not None and sub.auto_renew and view.at - ended_at <= LATEST // MICROSECOND:
            ends.setdefault(ended_at, []).append(sub)
    return [] if view.book.is_blocked else [_renewal(at, subs) for at, subs in sorted(ends.items())]


def missing(view: View, subscriptions: Collection[int], *, at: datetime) -> int:
    """Return the least payment now, in minor units, that has these subscriptions paid for at `at`; 0 if nothing lacks.

    Those that have ended, or whose customer wants no renewal any more, are left out.
    """
    if view.book.is_blocked:
        return 0
    wanted = {
        pk
        for pk in subscriptions
        if (sub := view.subs.get(pk)) and sub.auto_renew and not (sub.cancel_requested and sub.is_live)
    }
    return renewal.missing(view.book, wanted, max(to_micros(at), view.at)) if wanted else 0


def _unpaid_since(sub: Sub) -> int | None:
    """Return when a period or a trial ended that money was missing after; None if the subscription is not unpaid so."""
    if sub.terms.metered:
        return None
    if sub.status is Status.PAST_DUE:
        return sub.end
    if sub.status is not Status.SUSPENDED or sub.wait_end is None:
        return None
    suspended_at = sub.wait_end - sub.terms.keep_days * DAY
    if suspended_at == sub.end:
        return suspended_at
    if not sub.terms.trial_days or sub.started_at is None:
        return None
    # The seller may have extended the trial by whole days.
    later = suspended_at - (sub.started_at + sub.terms.trial_days * DAY)
    return suspended_at if later == 0 or (sub.end is None and later > 0 and later % DAY == 0) else None


def _renewal(at: int, subs: Iterable[Sub]) -> UnpaidRenewal:
    subs = tuple(subs)
    began = max(sub.start or sub.started_at or at for sub in subs)
    return UnpaidRenewal(to_datetime(at), to_datetime(began), tuple(pk_of(sub.id) for sub in subs))
