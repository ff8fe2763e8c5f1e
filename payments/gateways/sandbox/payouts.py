"""What the sandbox sends to the seller's bank account: one payout a day and currency.

A payout has no row. It follows from what was taken and given back until midnight (UTC), so it never changes later.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from ledger.money import Money
from payments.gateways.sandbox.models import SandboxDispute, SandboxRefund, SandboxSession

DAY = timedelta(days=1)
PAYOUT_ID = re.compile(r"sbp_[a-z]{3}_([0-9]{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Payout:
    """Money that arrived at midnight UTC."""

    money: Money
    arrived_at: datetime

    @property
    def payout_id(self) -> str:
        return f"sbp_{self.money.currency.lower()}_{self.arrived_at:%Y%m%d}"


def between(since: datetime, until: datetime) -> Iterator[Payout]:
    """Yield the payouts that arrived in [since, until), in order. A negative balance is set off against the next."""
    owed: dict[str, int] = defaultdict(int)
    changes = sorted(_changes(until), key=lambda change: change[0])
    position = 0
    day = _midnight_after(changes[0][0]) if changes else until
    while day < until:
        while position < len(changes) and changes[position][0] < day:
            _, currency, amount = changes[position]
            owed[currency] += amount
            position += 1
        for currency in sorted(owed):
            if owed[currency] > 0:
                if day >= since:
                    yield Payout(Money(owed[currency], currency), day)
                owed[currency] = 0
        day += DAY


def find(payout_id: str, *, now: datetime) -> Payout | None:
    """Return the payout with this id if it has arrived by `now`."""
    named = PAYOUT_ID.fullmatch(payout_id)
    if named is None:
        return None
    try:
        day = datetime.strptime(named[1], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return next((each for each in between(day, min(day + DAY, now)) if each.payout_id == payout_id), None)


def _changes(until: datetime) -> Iterator[tuple[datetime, str, int]]:
    """Yield when the seller's balance at the gateway changed before `until`: the time, the currency and the amount."""
    for session in SandboxSession.objects.filter(amount_received__gt=0):
        taken, fee = session.taken_at(until), session.fee_at(until)
        if taken and fee is not None:
            yield session.succeeds_at or session.created_at, taken.currency, taken.amount - fee
    for refund in SandboxRefund.objects.filter(settles_as=SandboxRefund.Status.SUCCEEDED).select_related("session"):
        if refund.settles_at:
            yield refund.settles_at, refund.session.currency_taken, -refund.amount
    for dispute in SandboxDispute.objects.select_related("session"):
        yield dispute.created_at, dispute.session.currency_taken, -dispute.amount
        if dispute.settles_as == SandboxDispute.Status.WON and dispute.settles_at:
            yield dispute.settles_at, dispute.session.currency_taken, dispute.amount


def _midnight_after(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date() + DAY, time.min, UTC)
