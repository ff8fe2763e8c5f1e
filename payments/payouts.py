"""Payouts: what a gateway sends to the seller's bank account, out of its clearing account.

The gateway lists them, or staff record them by hand. Each is posted once, and reversed once if the bank sent it back.
"""

from datetime import datetime

from django.db import transaction

import ledger
from accounts.models import User
from core import retry
from ledger import reversal
from ledger.models import Transaction
from ledger.money import Money, exponent_of
from payments.gateways import registry
from payments.gateways.aftermath import PayoutSnapshot
from payments.models import Payout


class PayoutRefused(ValueError):
    """The payout cannot be recorded. The message says why, for staff."""


def record(gateway: str, snapshot: PayoutSnapshot, *, now: datetime, author: User | None = None) -> tuple[Payout, bool]:
    """Record a payout that the gateway lists; return it and whether anything was posted.

    Safe to repeat. Raises PayoutRefused if the same payout was another amount before, NotMoney for a currency that we
    do not know.
    """
    return _record(gateway, snapshot, author=author, is_by_hand=False, now=now)


def record_by_hand(
    gateway: str, money: Money, *, arrived_at: datetime, reference: str, now: datetime, is_paid: bool = True,
    author: User | None = None,
) -> tuple[Payout, bool]:  # fmt: skip
    """Record a payout of a gateway that does not list its own; return it and whether anything was posted.

    The reference, such as the number on the bank statement, makes it safe to repeat. `is_paid=False`: the bank has
    sent it back. Raises PayoutRefused, UnknownGateway.
    """
    if registry.can(gateway).is_manual:
        raise PayoutRefused(
            f"{gateway} has no payouts: what staff record of its transfers is posted to the bank account at once."
        )
    if money.amount <= 0:
        raise PayoutRefused("The amount of a payout must be above zero.")
    if not reference.strip() or len(reference) > 120:
        raise PayoutRefused("A payout needs a reference of 1 to 120 characters.")
    if arrived_at > now:
        raise PayoutRefused("A payout cannot arrive in the future.")
    if Payout.objects.filter(gateway=gateway, is_by_hand=False).exists():
        raise PayoutRefused(
            f"{gateway} lists its payouts, so they are recorded automatically. One by hand counts twice."
        )
    snapshot = PayoutSnapshot(
        gateway_id=reference.strip(), amount=money.amount, currency=money.currency, arrived_at=arrived_at,
        is_paid=is_paid,
    )  # fmt: skip
    return _record(gateway, snapshot, author=author, is_by_hand=True, now=now)


@retry.retried
def _record(
    gateway: str, snapshot: PayoutSnapshot, *, author: User | None, is_by_hand: bool, now: datetime
) -> tuple[Payout, bool]:
    exponent_of(snapshot.currency)
    with transaction.atomic():
        payout, is_new = Payout.objects.select_for_update(of=("self",), no_key=True).get_or_create(
            gateway=gateway,
            gateway_id=snapshot.gateway_id,
            defaults={
                "amount": snapshot.amount, "currency": snapshot.currency, "arrived_at": snapshot.arrived_at,
                "is_by_hand": is_by_hand, "author": author, "created_at": now,
            },
        )  # fmt: skip
        _check_same(payout, snapshot)
        if is_new:
            ledger.post([_entry(payout)])
        is_returned = payout.is_paid and not snapshot.is_paid
        if is_returned:
            _reverse(payout, now=now)
    return payout, is_new or is_returned


def _check_same(payout: Payout, snapshot: PayoutSnapshot) -> None:
    if (payout.amount, payout.currency) != (snapshot.amount, snapshot.currency):
        said = Money(snapshot.amount, snapshot.currency)
        raise PayoutRefused(f"Payout {payout.gateway_id} of {payout.gateway} is {payout.money} here, not {said}.")


def _entry(payout: Payout) -> ledger.Entry:
    """Return the movement to the bank account, or from it if the amount is below zero."""
    clearing = f"gateway_clearing:{payout.gateway}"
    debit, credit = ("bank", clearing) if payout.amount > 0 else (clearing, "bank")
    return ledger.Entry(
        _key(payout), debit, credit, abs(payout.amount), payout.currency, "payout", payout.arrived_at,
        author=payout.author_id,
    )  # fmt: skip


def _reverse(payout: Payout, *, now: datetime) -> None:
    posted = Transaction.objects.get(key=_key(payout))
    ledger.post([reversal.entry(posted, reason="payout", effective_at=now)])
    payout.returned_at = now
    payout.save(update_fields=["returned_at"])


def _key(payout: Payout) -> str:
    return f"payout:{payout.public_id}"
