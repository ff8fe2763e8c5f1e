"""The faces of a payment's page: one for everything a payment can be. Which one is decided here and nowhere else.

"No money has been taken" is said only where the gateway said so: failed, cancelled, expired.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.web.auth import SignedInRequest
from core.errors import DomainError
from payments import cancellation, confirmation, sessions, transitions
from payments.failures import failure_of
from payments.gateways.base import State
from payments.models import Payment
from payments.web import next_url
from payments.web.forms import started
from subscriptions.models import Plan, Subscription
from subscriptions.web import cards
from subscriptions.web.cards import Card

Status = Payment.Status

# Nothing happens before the customer acts; of all other open payments it is not known yet how they end.
WAITS_FOR_CUSTOMER = frozenset({"unopened", "created", "action"})

# From then on the page says not to pay again.
LATE_AFTER = timedelta(seconds=60)


class Face(StrEnum):
    """Each has a template of its name in templates/payments/faces/."""

    UNOPENED = "unopened"
    CREATED = "created"
    ACTION = "action"
    PROCESSING = "processing"
    LATE = "late"
    CHECKING = "checking"
    SUCCEEDED = "succeeded"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Look:
    """How a face is drawn: colour, heading, how far the three steps have come, and whether it may still move."""

    tone: str
    heading: str | Promise
    steps: tuple[str, str, str]
    moves: bool = False


LOOKS = {
    Face.UNOPENED: Look("warn", gettext_lazy("The payment page did not open"), ("done", "", ""), moves=True),
    Face.CREATED: Look("info", gettext_lazy("Continue to payment"), ("done", "now", ""), moves=True),
    Face.ACTION: Look("info", gettext_lazy("Your bank asks you to confirm"), ("done", "now", ""), moves=True),
    Face.PROCESSING: Look("info", gettext_lazy("Confirming your payment"), ("done", "now", ""), moves=True),
    Face.LATE: Look("warn", gettext_lazy("Still waiting for the bank"), ("done", "now", ""), moves=True),
    Face.CHECKING: Look("warn", gettext_lazy("We are checking this payment"), ("done", "now", "")),
    Face.SUCCEEDED: Look("ok", gettext_lazy("Payment received"), ("done", "done", "done")),
    Face.PARTLY_REFUNDED: Look("ok", gettext_lazy("Partly refunded"), ("done", "done", "done")),
    Face.REFUNDED: Look("ok", gettext_lazy("Refunded"), ("done", "done", "done")),
    Face.FAILED: Look("bad", gettext_lazy("The bank declined the payment"), ("done", "fail", "")),
    Face.REFUSED: Look("bad", gettext_lazy("The payment was not accepted"), ("done", "fail", "")),
    Face.CANCELLED: Look("", gettext_lazy("You cancelled the payment"), ("done", "fail", "")),
    Face.EXPIRED: Look("warn", gettext_lazy("The payment page has expired"), ("done", "fail", "")),
}


def face_of(payment: Payment, *, now: datetime) -> Face:
    """Decide which face a payment has at `now`."""
    match Status(payment.status):
        case Status.CONFIRMED:
            return _after_money(payment)
        case Status.FAILED:
            return Face.REFUSED if payment.failure_code == "gateway_refused" else Face.FAILED
        case Status.CANCELLED:
            return Face.CANCELLED
        case Status.EXPIRED:
            return Face.EXPIRED
        case Status.PENDING | Status.UNKNOWN:
            return _under_way(payment, now=now)


def _after_money(payment: Payment) -> Face:
    if not payment.amount_refunded:
        return Face.SUCCEEDED
    return Face.REFUNDED if payment.amount_refunded == payment.amount else Face.PARTLY_REFUNDED


def _under_way(payment: Payment, *, now: datetime) -> Face:
    if payment.parked_reason:
        return Face.CHECKING
    if not payment.confirmation_url:
        return Face.UNOPENED
    if payment.status == Status.PENDING and payment.gateway_state in ("", State.OPEN):
        return Face.CREATED
    if payment.status == Status.PENDING and payment.gateway_state == State.REQUIRES_ACTION:
        return Face.ACTION
    return Face.LATE if now - payment.updated_at > LATE_AFTER else Face.PROCESSING


def shown(payment: Payment, *, now: datetime, way_back: str = "") -> dict[str, Any]:
    """Return the template's variables for a payment at `now`, with the way back to the page that asked for it."""
    face = face_of(payment, now=now)
    look = LOOKS[face]
    last = _("Balance topped up") if payment.subscription is None else _("Plan active")
    paid = (
        _("Not paid") if look.steps[1] == "fail" else _("Paid") if look.steps[1] == "done" else _("Waiting for payment")
    )
    ends = None if look.steps[1] in ("", "now") else payment.updated_at
    return {
        "payment": payment,
        "face": face,
        "look": look,
        "template": f"payments/faces/{face}.html",
        "steps": [
            (look.steps[0], _("Order created"), payment.created_at),
            (look.steps[1], paid, payment.confirmed_at or ends),
            (look.steps[2], last, payment.confirmed_at),
        ],
        "failure": failure_of(payment),
        "card": _card(payment, now=now),
        "way_back": way_back,
    }


def _card(payment: Payment, *, now: datetime) -> Card | None:
    """What was paid for, as it stands at this instant."""
    if payment.subscription is None:
        return None
    row = Subscription.objects.select_related("customer", "price__plan").get(pk=payment.subscription.pk)
    return cards.one(row, now=now)


def name_of(payment: Payment) -> str:
    """Name the plan, or a top-up; words of the customer's own stay as they are."""
    plan = payment.plan or (payment.subscription.price.plan if payment.subscription else None)
    if plan is not None and payment.description in _names(plan):
        return plan.title
    return _("Top-up") if payment.description in _top_ups() else payment.description


def _names(plan: Plan) -> set[str]:
    return {plan.name, plan.name_ru}


@cache
def _top_ups() -> frozenset[str]:
    """What a top-up is called in each language."""
    names = set()
    for language, _name in settings.LANGUAGES:
        with override(language):
            names.add(_("Top-up"))
    return frozenset(names)


@require_safe
@never_cache
@login_required
def payment_page(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show how the payment stands. While it is open the gateway is asked: what the browser says counts for nothing."""
    mine = _mine(request, public_id)
    if mine.status in transitions.OPEN and mine.gateway_id and not mine.parked_reason:
        confirmation.confirm(mine.pk, now=timezone.now())
        mine = _mine(request, public_id)
    context = shown(mine, now=timezone.now(), way_back=next_url.of(request, mine))
    return render(request, "payments/payment.html", context)


@require_safe
@never_cache
@login_required
def status(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Answer the page's own question: the changing part of it, from the row. The gateway is not asked."""
    mine = _mine(request, public_id)
    context = shown(mine, now=timezone.now(), way_back=next_url.of(request, mine))
    answer = render(request, "payments/_status.html", context)
    answer["X-Payment-Status"] = context["payment"].status
    answer["X-Payment-Over"] = "no" if context["look"].moves else "yes"
    return answer


@require_POST
@never_cache
@login_required
def open_page(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Ask the gateway for its page again, when it did not answer the first time."""
    mine = _mine(request, public_id)
    if mine.status in transitions.OPEN and not mine.confirmation_url:
        onward = started(lambda: sessions.open_page(mine, now=timezone.now()))
        return HttpResponseRedirect(onward, status=303)
    return HttpResponseRedirect(resolve_url("payment", public_id), status=303)


@require_POST
@never_cache
@login_required
def cancel(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Cancel it at the gateway. Whatever came of that, the payment's page says it."""
    try:
        cancellation.cancel(_mine(request, public_id), now=timezone.now())
    except cancellation.NotCancellable:
        messages.info(request, _("The payment could not be cancelled any more. This is how it stands."))
    except DomainError:
        messages.error(request, _("The payment service does not answer just now. Try again in a minute."))
    return HttpResponseRedirect(resolve_url("payment", public_id), status=303)


def _mine(request: SignedInRequest, public_id: str) -> Payment:
    rows = Payment.objects.select_related("customer", "plan", "subscription__price__plan")
    return get_object_or_404(rows, public_id=public_id, customer=request.user)
