"""Inquiries: staff have a gateway asked about one payment, refund, dispute or page at once, and read what came of it.

The answer is applied on the same paths as in the sweep (payments.reconciliation).
"""

from datetime import datetime
from typing import NamedTuple

from payments import confirmation, disputes, open_orders, reconciliation, refunds, setups, transitions
from payments.confirmation import Verdict
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Snapshot
from payments.models import Dispute, MethodSetup, Payment, Refund

Row = Payment | Refund | Dispute | MethodSetup


class Inquiry(NamedTuple):
    """The row as it was and as it is. `error` says why there is no answer; empty if there is one."""

    before: Row
    after: Row
    error: str

    @property
    def unparked(self) -> str:
        """Why it waited for staff before, if the sweep asks about it again from now on; empty if not."""
        return "" if self.after.parked_reason or self.after.check_at is None else self.before.parked_reason


def is_possible(row: Row) -> bool:
    """Tell whether there is anything to ask a gateway about this row."""
    match row:
        case Payment():
            return row.gateway_id is not None or row.status in transitions.OPEN
        case Refund():
            # One that failed is final. A gateway would take a second question for a new request.
            is_open = row.status == Refund.Status.PENDING or row.gateway_id is not None
            return row.destination == Refund.Destination.CARD and row.status != Refund.Status.FAILED and is_open
        case Dispute():
            return True
        case MethodSetup():
            return row.gateway_id is not None and row.status != MethodSetup.Status.SAVED


def ask(row: Row, *, now: datetime) -> Inquiry:
    """Ask the gateway about a row for which that is possible, apply the answer, and return what came of it.

    A row that waited for staff because asking had failed is asked about by the sweep again. A payment that waits for a
    decision goes on waiting. Call it with no transaction open. Raises ValueError if there is nothing to ask.
    """
    if not is_possible(row):
        raise ValueError(f"There is nothing to ask about {row}.")
    error = _ask(row, now=now)
    if not error and not isinstance(row, Payment):
        type(row).objects.filter(pk=row.pk).update(parked_reason="", failures=0)
    return Inquiry(row, type(row).objects.get(pk=row.pk), error)


def _ask(row: Row, *, now: datetime) -> str:
    """Ask and apply the answer; return the gateway's error, empty if it answered."""
    answer: object = None
    match row:
        case Payment(gateway_id=None):
            after = reconciliation.check(row, now=now)
            if after.gateway_id is not None:
                open_orders.unpark(after.pk, now=now)
            return "No answer." if after.status == Payment.Status.UNKNOWN and after.gateway_id is None else ""
        case Payment():
            answer = confirmation.ask(row)
            after = confirmation.apply(row.pk, answer, now=now)
            if isinstance(answer, Snapshot) and confirmation.judge(answer, row.money) is Verdict.OPEN:
                open_orders.unpark(after.pk, now=now)
        case Refund():
            answer = refunds.ask(row, now=now)
            refunds.apply(row.pk, answer, now=now)
        case Dispute():
            try:
                disputes.refresh(row.gateway, row.gateway_id, now=now)
            except (GatewayError, disputes.UnknownPayment) as error:
                return str(error)
        case MethodSetup():
            answer = setups.ask(row)
            setups.apply(row.pk, answer, now=now)
    return answer.detail if isinstance(answer, GatewayError) else ""
