"""The page of one customer: who, money, subscriptions, what is open, what staff may do, and the timeline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Case, Exists, F, Model, OuterRef, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import User
from billing_site.desk import approvals, timeline
from billing_site.desk.search import may_view
from events.models import Event, Mail, StaffAct, UnreachableAddress
from ledger.display import money
from ledger.models import Account
from ledger.money import Money
from payments import bank_transfers, refunds, transitions
from payments.collection import states as collection_states
from payments.models import Adjustment, AutoTopUp, Collection, Dispute, Payment, PaymentMethod, Refund
from subscriptions import overview
from subscriptions.engine.calendar import to_datetime, to_micros
from subscriptions.engine.runway import runway
from subscriptions.forecast import HORIZON
from subscriptions.labels import STATUSES
from subscriptions.models import Subscription
from subscriptions.overview import SubscriptionState, View
from subscriptions.web import cards

Link = tuple[str | Promise, str]

# How many payments and other rows the page names; the lists have all.
MOST = 8
LISTS: tuple[tuple[type[Model], str | Promise], ...] = (
    (Payment, _("Payments")), (Adjustment, _("Adjustments")), (Subscription, _("Subscriptions")),
    (Event, _("Events")), (Mail, _("Emails")), (PaymentMethod, _("Saved cards and accounts")),
    (Collection, _("Automatic payments")), (StaffAct, _("What staff did")),
)  # fmt: skip
# Rows that are open or in use, of several tables in one statement: kind, id, name, state, amount, currency, time.
OPEN = """
    (SELECT 'refund', refund.id, refund.public_id, refund.status, refund.amount, refund.currency, refund.created_at
       FROM payments_refund AS refund JOIN payments_payment AS payment ON payment.id = refund.payment_id
      WHERE payment.customer_id = %(customer)s AND refund.status = 'pending' ORDER BY refund.id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'dispute', dispute.id, dispute.public_id, dispute.status, dispute.amount, dispute.currency,
            dispute.answer_by
       FROM payments_dispute AS dispute JOIN payments_payment AS payment ON payment.id = dispute.payment_id
      WHERE payment.customer_id = %(customer)s AND dispute.status = 'open' ORDER BY dispute.id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'collection', id, public_id, status, amount, currency, next_at FROM payments_collection
      WHERE customer_id = %(customer)s AND status = ANY(%(collecting)s) ORDER BY id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'rule', id, public_id, '', amount, currency, NULL FROM payments_autotopup
      WHERE customer_id = %(customer)s AND ended_at IS NULL AND stopped_at IS NULL ORDER BY id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'method', id, trim(brand || ' ' || CASE WHEN last4 = '' THEN '' ELSE '•••• ' || last4 END), public_id, NULL,
            '', expires_on FROM payments_paymentmethod
      WHERE customer_id = %(customer)s AND removed_at IS NULL ORDER BY id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'address', id, address, reason, NULL, '', bounced_at FROM events_unreachableaddress
      WHERE lower(address) = lower(%(address)s))
"""
MODELS: dict[str, type[Model]] = {
    "refund": Refund, "dispute": Dispute, "collection": Collection, "rule": AutoTopUp, "method": PaymentMethod,
    "address": UnreachableAddress,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wallet:
    """A customer's money in one currency."""

    available: Money
    debt: Money
    # When it is spent at the present use, if within a year.
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """A subscription at this instant, with what the reader may do to it."""

    state: SubscriptionState
    acts: list[Link]

    @property
    def label(self) -> tuple[str, str, str | Promise]:
        """Tone, sign and text of its status."""
        return STATUSES[self.state.status]


class Paid(NamedTuple):
    """A payment, with what the reader may do to it."""

    row: Payment
    status: str
    acts: list[Link]


class OpenRow(NamedTuple):
    """A row that is open or in use. The time is when it must be answered, is tried next, expires or bounced."""

    kind: str
    href: str
    name: str
    state: str
    amount: str
    at: datetime | None


@require_safe
def customer_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show all about one customer that the reader may view."""
    if not may_view(request, User):
        raise PermissionDenied
    customer, now = get_object_or_404(_customers(), pk=pk), timezone.now()
    chosen = request.GET.get("kind", "")
    chosen = chosen if chosen in timeline.FILTERS else "all"
    context = {
        **admin.site.each_context(request), "title": customer, "customer": customer, "acts": acts_on(request, customer),
        "wallets": [], "held": [], "payments": _payments(request, customer), "open": _open(request, customer),
        "approvals": approvals.of(request, customer),
        "lists": lists_of(request, customer), "may_view_as": request.user.has_perm("accounts.view_as_user"),
        "filters": [(name, label, name == chosen) for name, (label, _kinds) in timeline.FILTERS.items()],
        "chosen": chosen, "before": request.GET.get("before", ""),
        "timeline": timeline.of(customer, kinds=_visible(request, chosen), before=request.GET.get("before", "")),
        "edit_url": reverse("admin:accounts_user_change", args=[customer.pk]),
    }  # fmt: skip
    if may_view(request, Account) or may_view(request, Subscription):
        held = overview.of(customer, now=now)
        if may_view(request, Account):
            context["wallets"] = [_wallet(view, now=now) for view in held.views]
        if may_view(request, Subscription):
            rows = held.rows().select_related("customer").filter(ended_at=None).order_by("-id")
            shown: Any = admin.site.get_model_admin(Subscription)
            context["held"] = [Held(card.state, shown.links_with(request, card)) for card in cards.cards(rows, held)]
    return TemplateResponse(request, "admin/desk/customer.html", context)


def _customers() -> QuerySet[User]:
    """Return the users, each with what decides which acts are possible: otherwise each act would ask by itself."""
    # What is owed is below zero.
    held = Account.objects.filter(owner=OuterRef("pk")).exclude(balance=0)
    return User.objects.annotate(
        has_second_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"))),
        has_money=Exists(held.filter(kind=Account.Kind.WALLET)),
        owes=Exists(held.filter(kind=Account.Kind.DEBT)),
    )


def acts_on(request: HttpRequest, row: Model) -> list[Link]:
    """Return title and address of each act on a row that is possible now and permitted to the reader."""
    links = getattr(admin.site.get_model_admin(type(row)), "links", None)
    return list(links(request, row)) if links else []


def lists_of(request: HttpRequest, customer: User) -> list[Link]:
    """Return the lists of a customer's rows that the reader may view."""
    return [
        (name, f"{_list(model)}?customer__id__exact={customer.pk}") for model, name in LISTS if may_view(request, model)
    ]


def _list(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _visible(request: HttpRequest, chosen: str) -> list[str]:
    _label, kinds = timeline.FILTERS[chosen]
    return [kind for kind in kinds if may_view(request, timeline.PARTS[kind].model)]


def _wallet(view: View, *, now: datetime) -> Wallet:
    end = runway(view.book, to_micros(now + HORIZON))
    available, debt = view.spendable, Money(view.debt, view.currency)
    return Wallet(available, debt, to_datetime(end.ends_at) if end else None)


def _payments(request: HttpRequest, customer: User) -> list[Paid]:
    """Return the payments that are open or wait for staff, then the last ones."""
    if not may_view(request, Payment):
        return []
    is_open = Q(status__in=transitions.OPEN) | (~Q(parked_reason="") & Q(amount_refunded=0))
    ordered = (
        Payment.objects.filter(customer=customer)
        .annotate(has_dispute=Exists(refunds.disputes_of(OuterRef("pk"))))
        .select_related("customer")
        .order_by(Case(When(is_open, then=Value(0)), default=Value(1)), F("id").desc())
    )
    rows = list(ordered[:MOST])
    transfers = bank_transfers.transfers_of(rows)
    shown: Any = admin.site.get_model_admin(Payment)
    return [Paid(row, _status(row), shown.links_with(request, row, transfers.get(row.pk))) for row in rows]


def _status(payment: Payment) -> str:
    """Return the status of a payment, or that it waits for staff."""
    waits = payment.parked_reason and not payment.amount_refunded
    return gettext("waits for a decision") if waits else payment.get_status_display()


def _open(request: HttpRequest, customer: User) -> dict[str, list[OpenRow]]:
    """Return what else is open or in use, by kind."""
    found: dict[str, list[OpenRow]] = {kind: [] for kind in MODELS}
    seen = {kind for kind, model in MODELS.items() if may_view(request, model)}
    parameters: dict[str, Any] = {
        "customer": customer.pk, "most": MOST, "address": customer.email, "collecting": list(collection_states.OPEN),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(OPEN, parameters)
        rows: Iterable[Any] = cursor.fetchall()
    for kind, pk, name, state, amount, currency, at in rows:
        model = MODELS[kind]
        href = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
        shown = money(Money(amount, currency)) if amount else ""
        states: Any = getattr(model, "Status", None)
        label = states(state).label if states else state
        if kind in seen:
            found[kind].append(OpenRow(kind, href, name or state, str(label), shown, at))
    return found
