"""The page of a transfer: how to pay, and what has arrived. Everybody who has its link may see it and pay."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ledger.money import Money
from payments.gateways.manual import details, references, transfers
from payments.gateways.manual.models import ManualTransfer
from payments.gateways.sessions import State


@never_cache
@require_safe
def manual_transfer(request: HttpRequest, transfer_id: str) -> HttpResponse:
    """Show the reference number, the amount still to pay and the seller's details, or how the transfer ended."""
    transfer = get_object_or_404(ManualTransfer, transfer_id=transfer_id)
    state, arrived = transfers.state_at(transfer, timezone.now()), transfers.arrived(transfer)
    context = {
        "transfer": transfer,
        "state": state.value,
        "is_payable": state in (State.OPEN, State.PROCESSING),
        "reference_number": references.written(transfer.reference),
        "arrived": Money(arrived, transfer.currency),
        "missing": Money(max(transfer.amount - arrived, 0), transfer.currency),
        "details": details.of(transfer.currency),
    }
    status = 410 if state in (State.CANCELLED, State.EXPIRED) else 200
    return render(request, "manual/transfer.html", context, status=status)
