"""The states of a payment and the one table of moves between them. The database holds it too, by a trigger."""

from datetime import datetime
from typing import Any

from payments.models import Payment

Status = Payment.Status

OPEN = frozenset({Status.PENDING, Status.UNKNOWN})
_ENDED = frozenset({Status.CONFIRMED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})

# From each state to those it may move to. `confirmed` is final. The moves out of `failed`, `cancelled` and `expired`
# are made on the gateway's word only: money came late (confirmed), or money came that is not what we asked for
# (unknown, with a reason, for staff).
MOVES: dict[Status, frozenset[Status]] = {
    Status.PENDING: _ENDED | {Status.UNKNOWN},
    Status.UNKNOWN: _ENDED | {Status.PENDING},
    Status.FAILED: frozenset({Status.CONFIRMED, Status.UNKNOWN}),
    Status.CANCELLED: frozenset({Status.CONFIRMED, Status.UNKNOWN}),
    Status.EXPIRED: frozenset({Status.CONFIRMED, Status.UNKNOWN}),
    Status.CONFIRMED: frozenset(),
}


class IllegalMove(Exception):
    """A move that the table does not have: an error of ours, never of the customer's."""


def lock(payment_id: int) -> Payment:
    """Read a payment under its row's lock, for the rest of the transaction. Before any wallet, never after."""
    rows = Payment.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("customer", "plan", "subscription").get(pk=payment_id)


def move(payment: Payment, to: Payment.Status, *, now: datetime, **changes: Any) -> None:
    """Move a locked payment to another state and write `changes` with it; raise IllegalMove for any other move."""
    origin = Status(payment.status)
    if to not in MOVES[origin]:
        raise IllegalMove(f"{payment}: {origin} -> {to}")
    if to not in OPEN:
        changes["check_at"] = None
    changes |= {"status": to, "updated_at": now}
    if Payment.objects.filter(pk=payment.pk, status=origin).update(**changes) != 1:
        raise IllegalMove(f"{payment}: {origin} -> {to}, but it was not {origin} any more")
    for name, value in changes.items():
        setattr(payment, name, value)
