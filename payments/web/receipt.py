"""The receipt of a payment as a page to print and as PDF."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.web.auth import SignedInRequest
from core import pdf
from core.brand import brand
from payments import receipts
from payments.models import Payment


@require_safe
@login_required
def receipt(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show the receipt."""
    return render(request, "payments/receipt.html", _context(request, public_id))


@require_safe
@login_required
def receipt_pdf(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Return the receipt as PDF, or without Pango the page."""
    context = _context(request, public_id)
    made = pdf.response("payments/receipt_print.html", context, name=f"receipt-{public_id}")
    return made or render(request, "payments/receipt.html", context)


def _context(request: SignedInRequest, public_id: str) -> dict[str, object]:
    rows = Payment.objects.select_related("customer", "plan", "subscription__price__plan", "method")
    payment = get_object_or_404(rows, public_id=public_id, customer=request.user)
    found = receipts.receipt_of(payment)
    if found is None:
        raise Http404
    return {"receipt": found, "payment": payment, "customer": found.customer, "brand": brand()}
