"""The page that pays for a subscription that waits for money: an order, or one that is suspended or past due."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.web.auth import SignedInRequest
from core import idempotency
from core.errors import DomainError
from ledger.money import Money
from payments import checkout
from payments.checkout_request import CheckoutRequest, find_payment
from payments.web.forms import PayForm, go_on, no_way_to_pay, refuse, saving_of, start_payment
from payments.web.policy import leads_to_gateways
from subscriptions import dues, overview
from subscriptions.models import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What is asked, and what it is made of."""

    amount: Money
    due: Money
    debt: Money
    # An hour of the other services that draw on the balance.
    use: Money
    # Older subscriptions, which the payment for a past due one pays first.
    older: Money
    # What the balance pays, as a negative amount.
    from_balance: Money
    rounding: Money


def bill_of(row: Subscription, *, now: datetime) -> Bill | None:
    """Return what the subscription is asked to pay, None if it waits for no money."""
    currency = row.price.currency
    asked = dues.one(overview.peek(row.customer, currency, now=now), row)
    if asked is None or not asked.amount:
        return None
    return Bill(
        amount=Money(asked.amount, currency),
        due=Money(asked.due, currency),
        debt=Money(asked.debt, currency),
        use=Money(asked.use, currency),
        older=Money(asked.older, currency),
        from_balance=Money(-asked.from_balance, currency),
        rounding=Money(asked.rounding, currency),
    )


def _request(request: SignedInRequest, row: Subscription, *, now: datetime) -> CheckoutRequest:
    saving = saving_of(request, now=now)
    return {
        "subscription": row,
        "gateway": request.POST.get("method", ""),
        "idempotency_key": idempotency.key_of("form", request.POST.get("form_key")),
        "save_method": saving["save_method"],
        "agreement": saving["agreement"],
    }


def paid_before(request: SignedInRequest, row: Subscription, *, now: datetime) -> str | None:
    """Return the URL that this form led to when it was sent before; None if it was not."""
    payment = find_payment(request.user, _request(request, row, now=now))
    return go_on(payment, now=now) if payment else None


def pay(request: SignedInRequest, form: PayForm, row: Subscription, *, now: datetime) -> str:
    """Start the payment and return the URL to redirect to. Raises DomainError."""
    terms = _request(request, row, now=now)
    terms["amount"] = form.cleaned_data["shown"]
    return start_payment(partial(checkout.start, request.user, now=now, **terms))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@leads_to_gateways
def subscription_payment(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show what the subscription is asked to pay, or start the payment if it is still the amount on the button."""
    now = timezone.now()
    rows = Subscription.objects.select_related("customer", "price__plan")
    row = get_object_or_404(rows, public_id=public_id, customer=request.user)
    bill = bill_of(row, now=now)
    form = PayForm(request.POST or None, amount=bill.amount if bill else None, customer=request.user)
    try:
        if sent_before := paid_before(request, row, now=now):
            return HttpResponseRedirect(sent_before, status=303)
        if request.method == "POST" and bill and form.is_valid():
            return HttpResponseRedirect(pay(request, form, row, now=now), status=303)
    except DomainError as error:
        refuse(form, error)
    if bill is None:
        messages.info(request, _("There is nothing to pay for it now."))
        return HttpResponseRedirect(resolve_url("subscription", public_id), status=303)
    context = {"form": form, "bill": bill, "price": row.price, "no_way_to_pay": no_way_to_pay(bill.amount)}
    return render(request, "payments/subscription_payment.html", context, status=422 if form.errors else 200)
