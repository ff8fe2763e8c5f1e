"""Adding and removing a saved card or account on the account page."""

from typing import NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, resolve_url
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.web.auth import SignedInRequest, button
from core.errors import DomainError
from payments import methods, setups
from payments.collection import coverage
from payments.models import MethodSetup, PaymentMethod
from payments.web.forms import GATEWAYS


class Adding(NamedTuple):
    """A gateway on whose page a card can be saved without a payment, and the name by which customers know it."""

    gateway: str
    name: str | Promise


def adding() -> list[Adding]:
    """Return the gateways for the buttons "Add a card", the default one first."""
    return [Adding(name, GATEWAYS[name].name if name in GATEWAYS else name) for name in setups.gateways()]


@button("account")
def add(request: SignedInRequest) -> HttpResponse:
    """Send the customer to the gateway's page that saves a card, or back to the account with the reason."""
    try:
        setup = setups.start(request.user, request.POST.get("gateway", ""), now=timezone.now())
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(resolve_url("account"), status=303)
    return HttpResponseRedirect(setup.confirmation_url, status=303)


@require_safe
@login_required
def added(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Ask the gateway what was saved and go on to the account page, which says it. The gateway leads here."""
    setup = get_object_or_404(
        MethodSetup.objects.select_related("customer", "method"), public_id=public_id, customer=request.user
    )
    setup = setups.refresh(setup, now=timezone.now())
    if setup.method is not None and setup.method.removed_at is None:
        messages.success(request, _("%(method)s is saved.") % {"method": setup.method})
    elif setup.status == MethodSetup.Status.OPEN:
        messages.info(request, _("No card is saved yet. If you have just confirmed one, it appears here in a minute."))
    else:
        messages.info(request, _("No card was saved."))
    return HttpResponseRedirect(resolve_url("account"), status=303)


@button("account")
def remove(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Remove one of the customer's own methods and go back to the account page; 404 for anybody else's."""
    method = get_object_or_404(PaymentMethod, public_id=public_id, customer=request.user)
    is_in_use = method.pk in coverage.of(request.user.pk).agreed_methods
    methods.remove(method, now=timezone.now())
    messages.success(request, _("%(method)s is removed. We cannot charge it any more.") % {"method": method})
    if is_in_use:
        messages.warning(request, _("Your automatic payments used it. Choose another one under Automatic payments."))
    return HttpResponseRedirect(resolve_url("account"), status=303)
