"""The address to which gateways send customers back whose program has named pages of its own: it leads on to those."""

from typing import Any

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, resolve_url
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from payments import confirmation, return_urls, transitions
from payments.models import Payment
from payments.web.payment_page import PageState, page_state

# The customer has paid, or the gateway is still busy with what they did: no reason to ask them to pay again.
PAID = frozenset(
    {
        PageState.SUCCEEDED,
        PageState.PARTLY_REFUNDED,
        PageState.REFUNDED,
        PageState.PROCESSING,
        PageState.LATE,
        PageState.PART_ARRIVED,
        PageState.CHECKING,
    }
)


@require_safe
@never_cache
def return_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """Redirect to the payment's success_url or cancel_url, or to our page of the payment where it has none.

    An open payment is checked at the gateway first. Nobody needs to be logged in: a customer of a program may have no
    session here, and the address shows nothing of the payment but its status. So it is limited, by the caller's network
    and by payment: each request may be a question to the gateway.
    """
    limited: HttpResponse | None = ratelimit.consume_or_429(
        request, action="payment_return", key=public_id, limit_get=True
    )
    if limited is not None:
        return limited
    payment = _payment(public_id)
    if payment.status in transitions.OPEN and payment.gateway_id and not payment.parked_reason:
        confirmation.confirm(payment.pk, now=timezone.now())
        payment = _payment(public_id)
    is_paid = page_state(payment, now=timezone.now()) in PAID
    url = return_urls.target(payment, is_paid=is_paid)
    return HttpResponseRedirect(url or resolve_url("payment", public_id))


def _payment(public_id: str) -> Payment:
    rows: Any = Payment.objects.select_related("customer", "subscription")
    payment: Payment = get_object_or_404(rows, public_id=public_id)
    return payment
