"""Removing a saved card or account on the account page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.web.auth import SignedInRequest
from payments import methods
from payments.models import PaymentMethod


@require_POST
@never_cache
@login_required
def remove(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Remove one of the customer's own methods and go back to the account page; 404 for anybody else's."""
    method = get_object_or_404(PaymentMethod, public_id=public_id, customer=request.user)
    methods.remove(method, now=timezone.now())
    messages.success(request, _("%(method)s is removed. We cannot charge it any more.") % {"method": method})
    return HttpResponseRedirect(resolve_url("account"), status=303)
