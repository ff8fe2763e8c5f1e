"""What waits for a payment, started out of the balance instead."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, resolve_url
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.errors import DomainError
from accounts.web.requests import SignedIn
from payments import instead
from payments.web.buying import REFUSALS
from subscriptions.models import Subscription

# Refusals that this page has words of its own for.
SAID: dict[str, str | Promise] = {
    "payment_not_pending": gettext_lazy(
        "The payment for it is being processed. Wait for it before you start it again."
    ),
    "unavailable": gettext_lazy("The payment service does not answer just now. Try again in a minute."),
}


@require_POST
@never_cache
@login_required
def start(request: SignedIn, public_id: str) -> HttpResponse:
    """Start it and go to its page; refused, the page of the one that waits says why."""
    rows = Subscription.objects.select_related("customer", "price__plan")
    row = get_object_or_404(rows, public_id=public_id, customer=request.user)
    try:
        row = instead.start(row, now=timezone.now())
        if row.status != Subscription.Status.PENDING:
            messages.success(request, _("Started from your balance."))
    except instead.NotPending:
        pass  # The second of two clicks; the page shows how it stands.
    except DomainError as error:
        messages.error(request, str((REFUSALS | SAID).get(error.code, error.detail)))
    return HttpResponseRedirect(resolve_url("subscription", row.public_id), status=303)
