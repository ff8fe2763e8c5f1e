"""Differences between a payment of ours and the gateway's: what kind they are (pure), and how they are mended.

Only what is safe is mended, and only by payments.confirmation, which asks the gateway again first. The rest is left to
staff.
"""

from datetime import datetime

from django.db import transaction

from core import retry
from ledger.money import EXPONENTS, Money
from payments import confirmation, transitions
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Snapshot, State
from payments.models import Discrepancy, Payment

Kind = Discrepancy.Kind
Status = Payment.Status

# States at the gateway in which no money came and none will.
ENDED = frozenset({State.FAILED, State.CANCELLED, State.EXPIRED})
# States in which the page still waits for the customer.
WAITING = frozenset({State.OPEN, State.REQUIRES_ACTION})


def difference(payment: Payment, snapshot: Snapshot) -> Discrepancy.Kind | None:
    """Return how a payment differs from the gateway's answer about it, None if they agree. Pure.

    A parked payment differs until staff have decided. Ways to end without money are all the same here.
    """
    if snapshot.state is State.SUCCEEDED:
        return _difference_in_money(payment, snapshot)
    is_missed = snapshot.state in ENDED and payment.status in transitions.OPEN
    return Kind.STATUS if is_missed or _is_taken(payment) else None


def fee_is_missing(payment: Payment, snapshot: Snapshot) -> bool:
    """Tell whether the gateway tells a fee that we have not posted yet."""
    return payment.fee is None and confirmation.owes_fee(payment, snapshot)


def describe(payment: Payment) -> str:
    """Return what we say about a payment, for staff: `confirmed, 500.00 RUB, fee 14.50 RUB`."""
    taken = payment.received or payment.money
    fee = "" if payment.fee is None else f", fee {_amount(payment.fee, payment.fee_currency)}"
    return f"{payment.status}, {_amount(taken.amount, taken.currency)}{fee}"


def describe_answer(snapshot: Snapshot) -> str:
    """Return what the gateway says, in the same form."""
    taken = "" if snapshot.amount is None else f", {_amount(snapshot.amount, snapshot.currency or '')}"
    fee = "" if snapshot.fee is None else f", fee {_amount(snapshot.fee, snapshot.fee_currency)}"
    return f"{snapshot.state}{taken}{fee}"


def row(
    kind: Discrepancy.Kind, *, payment: Payment | None = None, snapshot: Snapshot | None = None, outcome: str = ""
) -> Discrepancy:
    """Return an unsaved row that says what both sides say now."""
    gateway_id = snapshot.gateway_id if snapshot else payment.gateway_id if payment else None
    return Discrepancy(
        kind=kind, gateway_id=gateway_id or "", payment=payment, ours=describe(payment)[:200] if payment else "",
        theirs=describe_answer(snapshot)[:200] if snapshot else "", outcome=outcome[:300],
    )  # fmt: skip


def mend(payment: Payment, snapshot: Snapshot, kind: Discrepancy.Kind, *, now: datetime) -> Discrepancy | None:
    """Ask the gateway again, apply its answer, and return the unsaved discrepancy with its outcome.

    None: they agree by now, the list was only older than what we know. Call it with no transaction open.
    """
    answer = confirmation.ask(payment)
    if isinstance(answer, GatewayError):
        return row(kind, payment=payment, snapshot=snapshot, outcome=f"The gateway gave no answer: {answer.detail}")
    payment.refresh_from_db()
    current = difference(payment, answer)
    if current is None:
        return None
    found = row(current, payment=payment, snapshot=answer)
    return _applied(found, payment, answer, now=now)


def adopt(payment: Payment, snapshot: Snapshot, *, now: datetime) -> Discrepancy:
    """Give the gateway's id to a payment that lost the answer to its request, and apply the gateway's answer."""
    found = row(Kind.MISSING_HERE, payment=payment, snapshot=snapshot)
    _store_id(payment.pk, snapshot.gateway_id)
    return _applied(found, payment, snapshot, now=now)


def is_adoptable(payment: Payment, snapshot: Snapshot) -> bool:
    """Tell whether the gateway's payment is the one that we asked for without getting an answer.

    Not while its page waits for the customer: the sweep gets that page, with its address, by asking for it again.
    """
    return payment.gateway_id is None and snapshot.state not in WAITING


def is_unused_page(snapshot: Snapshot) -> bool:
    """Tell whether nobody has paid on this page: a page that was opened twice leaves one behind."""
    return snapshot.state in WAITING | ENDED


def _difference_in_money(payment: Payment, snapshot: Snapshot) -> Discrepancy.Kind | None:
    """Return how what the gateway took differs from what we have credited or sent back, or else have asked for."""
    is_sent_back = payment.received is not None and payment.refundable == 0
    is_booked = payment.status == Status.CONFIRMED or is_sent_back
    ours = payment.received if is_booked and payment.received else payment.money
    if snapshot.currency != ours.currency:
        return Kind.CURRENCY
    if snapshot.amount != ours.amount:
        return Kind.AMOUNT
    if not is_booked:
        return Kind.STATUS
    return Kind.AMOUNT if _fee_differs(payment, snapshot) else None


def _fee_differs(payment: Payment, snapshot: Snapshot) -> bool:
    is_known = snapshot.fee is not None and payment.fee is not None
    return is_known and (payment.fee, payment.fee_currency) != (snapshot.fee, snapshot.fee_currency)


def _is_taken(payment: Payment) -> bool:
    """Tell whether we believe that the gateway took money which it has not been asked to send back."""
    return payment.status == Status.CONFIRMED or (payment.received is not None and payment.refundable > 0)


def _applied(found: Discrepancy, payment: Payment, answer: Snapshot, *, now: datetime) -> Discrepancy:
    payment = confirmation.apply(payment.pk, answer, now=now)
    found.is_mended = difference(payment, answer) is None
    result = f"{payment.public_id} is {payment.status} now." if found.is_mended else "Left to staff."
    found.outcome = f"{result} {payment.parked_reason}".strip()[:300]
    return found


@retry.retried
def _store_id(payment_id: int, gateway_id: str) -> None:
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.gateway_id is None:
            payment.gateway_id = gateway_id
            payment.save(update_fields=["gateway_id"])


def _amount(amount: int, currency: str) -> str:
    return str(Money(amount, currency)) if currency in EXPONENTS else f"{amount} minor units of {currency or '?'}"
