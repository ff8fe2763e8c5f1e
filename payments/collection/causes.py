"""What to collect money for, and the renewals that the balance cannot pay. Arithmetic on a view of the book."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from payments.models import AutoTopUp, Collection
from subscriptions import renewals
from subscriptions.overview import View
from subscriptions.renewals import UnpaidRenewal

# So far ahead renewals are looked for.
HORIZON = timedelta(days=400)
# Of a short period at most this part lies between the charge and the renewal.
MOST_OF_A_PERIOD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause to collect: its name, when the money is needed, and from when on it is charged."""

    name: str
    due_at: datetime
    charge_at: datetime
    # Primary keys.
    subscriptions: tuple[int, ...] = ()
    # The rule of an automatic top-up.
    rule: AutoTopUp | None = None


def renewal_causes(view: View, wallet_id: int, *, now: datetime) -> Iterator[Cause]:
    """Yield the renewals to collect for: those that were missed lately, then the next one that will not be paid."""
    for missed in renewals.unpaid(view):
        yield _cause(missed, wallet_id)
    coming = renewals.next_unpaid(view, until=now + HORIZON)
    if coming is not None:
        yield _cause(coming, wallet_id)


def missing(view: View, collection: Collection) -> int:
    """Return what is missing now for the renewals that a collection is for, in minor units; 0 if nothing is."""
    subscriptions = list(collection.subscriptions.values_list("pk", flat=True))
    return renewals.missing(view, subscriptions, at=collection.due_at)


def _cause(renewal: UnpaidRenewal, wallet_id: int) -> Cause:
    ahead = min(settings.COLLECTION_AHEAD, (renewal.at - renewal.began_at) / MOST_OF_A_PERIOD)
    return Cause(
        name=f"renewal:{wallet_id}:{renewal.at.isoformat()}",
        due_at=renewal.at,
        charge_at=renewal.at - ahead,
        subscriptions=renewal.subscriptions,
    )
