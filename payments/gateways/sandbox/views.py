"""The sandbox's pages: the payment page, the page of the customer's bank, and a page for the tester afterwards."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from payments.gateways.sandbox import aftermath, outcomes, sessions, tasks, webhooks
from payments.gateways.sandbox.models import SandboxSession

Status = SandboxSession.Status


def _leads_back(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Allow the forms of this page to lead back to the programs whose customers pay here."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> HttpResponse:
        response = csp_update({"form-action": settings.RETURN_ORIGINS})(view)(*args, **kwargs)
        assert isinstance(response, HttpResponse)
        return response

    return answer


@never_cache
@_leads_back
@require_http_methods(["GET", "POST"])
def sandbox_pay(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show the payment page, or the page that saves a card, with its outcomes, and apply the one that was picked."""
    session = _session_or_404(session_id)
    outcome = (outcomes.ON_A_SETUP if session.is_setup else outcomes.ON_THE_PAGE).get(request.POST.get("outcome", ""))
    if outcome and (chosen := sessions.choose(session_id, outcome, expected=Status.OPEN, now=timezone.now())):
        return _after(request, chosen, outcome)
    if session.status_at(timezone.now()) is Status.REQUIRES_ACTION:
        return redirect("sandbox_bank", session_id)
    template = "sandbox/setup.html" if session.is_setup else "sandbox/pay.html"
    return _page(request, template, session, expected=Status.OPEN)


@never_cache
@_leads_back
@require_http_methods(["GET", "POST"])
def sandbox_bank(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show the page of the customer's bank, and apply the answer: approve or refuse."""
    session = _session_or_404(session_id)
    outcome = outcomes.AT_THE_BANK.get(request.POST.get("outcome", ""))
    if outcome and (
        chosen := sessions.choose(session_id, outcome, expected=Status.REQUIRES_ACTION, now=timezone.now())
    ):
        return _after(request, chosen, outcome)
    return _page(request, "sandbox/bank.html", session, expected=Status.REQUIRES_ACTION)


@never_cache
@require_http_methods(["GET", "POST"])
def sandbox_payment(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show a payment with its refunds, disputes and card, and do with them what the tester has clicked."""
    session, now = _session_or_404(session_id), timezone.now()
    if request.method == "POST":
        if aftermath.act(session, request.POST.get("action", ""), request.POST.get("object", ""), now=now):
            tasks.deliver_sandbox_webhooks.delay()
        return _see_other(reverse("sandbox_payment", args=[session_id]))
    return _rendered(request, "sandbox/payment.html", session, status=200, after=aftermath.of(session, now=now))


def _session_or_404(session_id: str) -> SandboxSession:
    if "sandbox" not in settings.PAYMENT_GATEWAYS:
        raise Http404
    return get_object_or_404(SandboxSession, session_id=session_id)


def _after(request: HttpRequest, session: SandboxSession, outcome: outcomes.Outcome) -> HttpResponse:
    """Send the webhook and redirect the browser to the session's own URL, never to one that the browser sent."""
    if outcome.delivery is outcomes.Delivery.FIRST:
        webhooks.deliver_due(now=timezone.now(), session=session)
    elif outcome.delivery is not outcomes.Delivery.NEVER:
        tasks.deliver_sandbox_webhooks.delay()
    if outcome.silence:
        return _rendered(request, "sandbox/silence.html", session, status=504)
    if session.status == Status.REQUIRES_ACTION:
        return _see_other(reverse("sandbox_bank", args=[session.session_id]))
    return _see_other(session.cancel_url if session.status == Status.CANCELLED else session.return_url)


def _page(
    request: HttpRequest, template: str, session: SandboxSession, *, expected: SandboxSession.Status
) -> HttpResponse:
    """Show the page if the session's status is `expected`; otherwise say that it was used or has expired."""
    if session.status_at(timezone.now()) is expected:
        return _rendered(request, template, session, status=200)
    return _rendered(request, "sandbox/over.html", session, status=410)


def _rendered(
    request: HttpRequest, template: str, session: SandboxSession, *, status: int, **more: object
) -> HttpResponse:
    """Render a page in the session's language: the URL does not name one."""
    stands = session.status_at(timezone.now()).value
    with translation.override(session.language):
        context = {"session": session, "stands": stands, "outcomes": outcomes} | more
        return render(request, template, context, status=status)


def _see_other(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response
