"""The page of one payment, for the whole of its life, and what may be done from it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import DomainError
from accounts.web.requests import SignedIn
from payments import cancellation, confirmation, sessions, states
from payments.models import Payment
from payments.web import ways_back
from payments.web.showing import shown
from payments.web.starting import started


@require_safe
@never_cache
@login_required
def payment(request: SignedIn, public_id: str) -> HttpResponse:
    """Show how the payment stands. While it is open the gateway is asked: what the browser says counts for nothing."""
    mine = _mine(request, public_id)
    if mine.status in states.OPEN and mine.gateway_id and not mine.parked_reason:
        confirmation.confirm(mine.pk, now=timezone.now())
        mine = _mine(request, public_id)
    context = shown(mine, now=timezone.now(), way_back=ways_back.of(request, mine))
    return render(request, "payments/payment.html", context)


@require_safe
@never_cache
@login_required
def status(request: SignedIn, public_id: str) -> HttpResponse:
    """Answer the page's own question: the changing part of it, from the row. The gateway is not asked."""
    mine = _mine(request, public_id)
    context = shown(mine, now=timezone.now(), way_back=ways_back.of(request, mine))
    answer = render(request, "payments/_status.html", context)
    answer["X-Payment-Status"] = context["payment"].status
    answer["X-Payment-Over"] = "no" if context["look"].moves else "yes"
    return answer


@require_POST
@never_cache
@login_required
def open_page(request: SignedIn, public_id: str) -> HttpResponse:
    """Ask the gateway for its page again, when it did not answer the first time."""
    mine = _mine(request, public_id)
    if mine.status in states.OPEN and not mine.confirmation_url:
        onward = started(lambda: sessions.open_page(mine, now=timezone.now()))
        return HttpResponseRedirect(onward, status=303)
    return HttpResponseRedirect(resolve_url("payment", public_id), status=303)


@require_POST
@never_cache
@login_required
def cancel(request: SignedIn, public_id: str) -> HttpResponse:
    """Cancel it at the gateway. Whatever came of that, the payment's page says it."""
    try:
        cancellation.cancel(_mine(request, public_id), now=timezone.now())
    except cancellation.NotCancellable:
        messages.info(request, _("The payment could not be cancelled any more. This is how it stands."))
    except DomainError:
        messages.error(request, _("The payment service does not answer just now. Try again in a minute."))
    return HttpResponseRedirect(resolve_url("payment", public_id), status=303)


def _mine(request: SignedIn, public_id: str) -> Payment:
    rows = Payment.objects.select_related("customer", "plan", "subscription__price__plan")
    return get_object_or_404(rows, public_id=public_id, customer=request.user)
