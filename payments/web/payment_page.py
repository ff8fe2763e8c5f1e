"""The page of a payment: its states, what each shows, and the views that show, poll, open and cancel the payment.

The page says "No money has been taken" only if the gateway said so: failed, cancelled, expired.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.web.auth import SignedInRequest, button
from core.errors import DomainError
from ledger.money import Money
from payments import cancellation, change_texts, confirmation, paid_changes, sessions, transitions
from payments.failures import failure_of
from payments.gateways import registry
from payments.gateways.sessions import State
from payments.models import PaidChange, Payment, Refund
from payments.web import next_url, outcome
from payments.web.forms import start_payment
from payments.web.policy import leads_to_gateways
from subscriptions.models import Subscription
from subscriptions.web import cards
from subscriptions.web.cards import Card

Status = Payment.Status

# After this time without news the page asks the customer not to pay again.
LATE_AFTER = timedelta(seconds=60)


class PageState(StrEnum):
    """A state of the page. Each has a template named after its value in templates/payments/states/."""

    UNOPENED = "unopened"
    CREATED = "created"
    ACTION = "action"
    PROCESSING = "processing"
    LATE = "late"
    PART_ARRIVED = "part_arrived"
    CHECKING = "checking"
    CLOSING = "closing"
    SUCCEEDED = "succeeded"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# States in which nothing happens until the customer acts.
WAITS_FOR_CUSTOMER = frozenset({PageState.UNOPENED, PageState.CREATED, PageState.ACTION})


@dataclass(frozen=True, slots=True)
class Appearance:
    """How the page looks in one of its states."""

    # CSS class of the box: its colour.
    tone: str
    heading: str | Promise
    # CSS classes of the first two steps (order, payment): done, now, fail, or empty.
    steps: tuple[str, str]
    # Whether the state can still change, so that the page polls.
    moves: bool = False

    @property
    def icon(self) -> str:
        """The icon of the page's heading (core.templatetags.icons)."""
        return {"ok": "check", "info": "clock", "warn": "alert"}.get(self.tone, "x")


APPEARANCES = {
    PageState.UNOPENED: Appearance("warn", gettext_lazy("The payment page did not open"), ("done", ""), moves=True),
    PageState.CREATED: Appearance("info", gettext_lazy("Continue to payment"), ("done", "now"), moves=True),
    PageState.ACTION: Appearance(
        "info", gettext_lazy("Confirm the payment with your bank"), ("done", "now"), moves=True
    ),
    PageState.PROCESSING: Appearance("info", gettext_lazy("Confirming your payment"), ("done", "now"), moves=True),
    PageState.LATE: Appearance("warn", gettext_lazy("Your bank has not answered yet"), ("done", "now"), moves=True),
    PageState.PART_ARRIVED: Appearance(
        "info", gettext_lazy("Part of your transfer has arrived"), ("done", "now"), moves=True
    ),
    PageState.CHECKING: Appearance("warn", gettext_lazy("We are checking this payment"), ("done", "now")),
    PageState.CLOSING: Appearance(
        "warn", gettext_lazy("You do not need this payment any more"), ("done", ""), moves=True
    ),
    PageState.SUCCEEDED: Appearance("ok", gettext_lazy("Payment received"), ("done", "done")),
    PageState.PARTLY_REFUNDED: Appearance("ok", gettext_lazy("Payment partly refunded"), ("done", "done")),
    PageState.REFUNDED: Appearance("ok", gettext_lazy("Payment refunded"), ("done", "done")),
    PageState.FAILED: Appearance("bad", gettext_lazy("Your bank declined the payment"), ("done", "fail")),
    PageState.REFUSED: Appearance("bad", gettext_lazy("The payment was not accepted"), ("done", "fail")),
    PageState.CANCELLED: Appearance("", gettext_lazy("The payment was cancelled"), ("done", "fail")),
    PageState.EXPIRED: Appearance("warn", gettext_lazy("The payment page has expired"), ("done", "fail")),
}


def page_state(payment: Payment, *, now: datetime) -> PageState:
    """Return the state of the payment's page at `now`."""
    match Status(payment.status):
        case Status.CONFIRMED:
            return _confirmed(payment)
        case Status.FAILED:
            return PageState.REFUSED if payment.failure_code == "gateway_refused" else PageState.FAILED
        case Status.CANCELLED:
            return PageState.CANCELLED
        case Status.EXPIRED:
            return PageState.EXPIRED
        case Status.PENDING | Status.UNKNOWN:
            return _open(payment, now=now)


def _confirmed(payment: Payment) -> PageState:
    if not payment.amount_refunded:
        return PageState.SUCCEEDED
    return PageState.REFUNDED if not payment.refundable else PageState.PARTLY_REFUNDED


def _open(payment: Payment, *, now: datetime) -> PageState:
    if payment.parked_reason:
        return PageState.CHECKING
    if payment.closing_at is not None:
        return PageState.CLOSING
    if not payment.confirmation_url and not payment.is_charge:
        return PageState.UNOPENED
    if payment.status == Status.PENDING and payment.gateway_state in ("", State.OPEN) and not payment.is_charge:
        return PageState.CREATED
    if payment.status == Status.PENDING and payment.gateway_state == State.REQUIRES_ACTION:
        return PageState.ACTION
    if _is_transfer(payment) and payment.gateway_state == State.PROCESSING:
        return PageState.PART_ARRIVED
    return PageState.LATE if now - payment.updated_at > LATE_AFTER else PageState.PROCESSING


def _is_transfer(payment: Payment) -> bool:
    """Tell whether the customer sends the money, and sees on a page of ours how."""
    return payment.gateway in settings.GATEWAY_CLASSES and registry.can(payment.gateway).is_manual


def page_context(payment: Payment, *, now: datetime, return_url: str = "") -> dict[str, Any]:
    """Return the template context of a payment's page at `now`. `return_url` is the URL of the page to return to."""
    state = page_state(payment, now=now)
    appearance = APPEARANCES[state]
    ended_at = None if appearance.steps[1] in ("", "now") else payment.updated_at
    card = _card(payment, now=now)
    change = paid_changes.of(payment)
    return {
        "payment": payment,
        "state": state,
        "appearance": appearance,
        "template": f"payments/states/{state}.html",
        "steps": [
            (appearance.steps[0], _("Order created"), payment.created_at),
            (appearance.steps[1], _payment_step(state, appearance), payment.confirmed_at or ended_at),
            _last_step(payment, card, change, appearance),
        ],
        "failure": failure_of(payment),
        "change": change,
        "not_changed": change_texts.reason(change) if change else "",
        **_refunded(payment),
        "card": card,
        "outcome": outcome.of(payment, card, now=now) if state is PageState.SUCCEEDED else None,
        "return_url": return_url,
        # Whether the gateway cannot close its page, so that it ends by itself.
        "is_transfer": _is_transfer(payment),
        "ends_by_itself": state is PageState.CLOSING and not registry.can(payment.gateway).cancels_pages,
    }


def _refunded(payment: Payment) -> dict[str, Money]:
    """Return what has gone and what is going back to the card or account, what went to the balance, and mistakes."""
    rows = payment.refunds.exclude(status=Refund.Status.FAILED) if payment.amount_refunded else Refund.objects.none()
    sums = dict.fromkeys(("to_card", "to_card_soon", "to_balance", "taken_back"), 0)
    for row in rows:
        sums[_way_of(row)] += row.amount
    return {name: Money(amount, payment.refunded.currency) for name, amount in sums.items()}


def _way_of(refund: Refund) -> str:
    """Return the name under which the page counts a refund that has not failed."""
    if refund.is_void:
        return "taken_back"
    if refund.destination == Refund.Destination.WALLET:
        return "to_balance"
    return "to_card" if refund.status == Refund.Status.SUCCEEDED else "to_card_soon"


def _payment_step(state: PageState, appearance: Appearance) -> str:
    """Return the text of the second step: what has become of the money."""
    match appearance.steps[1]:
        case "fail":
            return _("Not paid")
        case "done":
            return _("Paid")
    waits = state in WAITS_FOR_CUSTOMER or state is PageState.PART_ARRIVED
    return _("Waiting for payment") if waits else _("Checking the payment")


def _last_step(
    payment: Payment, card: Card | None, change: PaidChange | None, appearance: Appearance
) -> tuple[str, str, datetime | None]:
    """Return mark, text and time of the third step: what the money does."""
    has_failed = appearance.steps[1] == "fail"
    if change is not None:
        mark = "done" if change.made_at else "fail" if change.refusal else ""
        return mark, change_texts.step(change, has_failed=has_failed), change.made_at
    if card is None:
        if payment.confirmed_at:
            return "done", _("Balance topped up"), payment.confirmed_at
        return "", _("Balance not topped up") if has_failed else _("Balance top-up"), None
    if payment.confirmed_at or has_failed:
        return _of_plan(card, payment)
    return "", _("Plan renewal") if card.is_live else _("Plan start"), None


def _of_plan(card: Card, payment: Payment) -> tuple[str, str, datetime | None]:
    """Return the third step of a payment that is over: what has become of the subscription."""
    match card.status:
        case Subscription.Status.PENDING:
            return "", _("Plan start") if payment.confirmed_at else _("Plan not started"), None
        case Subscription.Status.TRIALING | Subscription.Status.ACTIVE | Subscription.Status.PAST_DUE:
            return "done", _("Plan active"), payment.confirmed_at
        case Subscription.Status.PAUSED:
            return "done", _("Plan paused"), None
        case Subscription.Status.SUSPENDED:
            return "fail", _("Plan suspended"), None
        case Subscription.Status.CANCELLED | Subscription.Status.EXPIRED:
            has_run = card.state.started_at is not None
            return ("done", _("Plan ended"), card.state.ended_at) if has_run else ("", _("Plan not started"), None)


def _card(payment: Payment, *, now: datetime) -> Card | None:
    """Return the card of the subscription that the payment is for, if any."""
    if payment.subscription is None:
        return None
    payment.subscription.customer = payment.customer
    return cards.one(payment.subscription, now=now)


@require_safe
@login_required
@leads_to_gateways
def payment_page(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show the payment's state. An open payment is checked at the gateway first; the URL's parameters are ignored."""
    payment = _own_payment(request, public_id)
    if payment.status in transitions.OPEN and payment.gateway_id and not payment.parked_reason:
        confirmation.confirm(payment.pk, now=timezone.now())
        payment = _own_payment(request, public_id)
    context = page_context(payment, now=timezone.now(), return_url=next_url.for_payment(request, payment))
    return render(request, "payments/payment.html", context)


@require_safe
@login_required
@leads_to_gateways
def status(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Return the part of the page that changes, for polling. Reads the row only and does not call the gateway."""
    payment = _own_payment(request, public_id)
    context = page_context(payment, now=timezone.now(), return_url=next_url.for_payment(request, payment))
    answer = render(request, "payments/_status.html", context)
    answer["X-Payment-Status"] = context["payment"].status
    answer["X-Payment-Over"] = "no" if context["appearance"].moves else "yes"
    return answer


@button("payment", "public_id")
def open_page(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Open the page at the gateway again, if it did not answer the first time."""
    payment = _own_payment(request, public_id)
    is_unopened = not payment.confirmation_url and not payment.is_charge
    if payment.status in transitions.OPEN and is_unopened and payment.closing_at is None:
        url = start_payment(lambda: sessions.open_page(payment, now=timezone.now()))
        return HttpResponseRedirect(url, status=303)
    return HttpResponseRedirect(resolve_url("payment", public_id), status=303)


@button("payment", "public_id")
def cancel(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Cancel the payment and redirect to its page, which shows the result."""
    try:
        cancellation.cancel(_own_payment(request, public_id), now=timezone.now())
    except cancellation.NotCancellable:
        messages.info(request, _("It is too late to cancel this payment. Its current status is below."))
    except DomainError:
        messages.error(request, _("The payment service is not responding. Try again in a minute."))
    return HttpResponseRedirect(resolve_url("payment", public_id), status=303)


def _own_payment(request: SignedInRequest, public_id: str) -> Payment:
    related = ("customer", "plan", "method", "subscription__price__plan", "change__price__plan")
    rows = Payment.objects.select_related(*related)
    return get_object_or_404(rows, public_id=public_id, customer=request.user)
