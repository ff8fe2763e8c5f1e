"""The search box of the staff desk: what a text, an id or four digits may mean, among what the reader may view."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import SEARCHED, User
from core.ids import new_id
from ledger.display import money
from ledger.models import Transaction
from ledger.money import Money
from payments.gateways.manual.models import ManualTransfer
from payments.models import Dispute, Payment, PaymentMethod, Refund
from subscriptions.models import Plan, Subscription

# How many hits of each kind are listed.
MOST = 20
# What is longer is cut: no id, name or address of ours has more.
LONGEST = 254
LARGEST_ID = 2**63 - 1

TITLES: dict[type[Model], str | Promise] = {
    User: _("Customers"),
    Payment: _("Payments"),
    Refund: _("Refunds"),
    Dispute: _("Disputes"),
    PaymentMethod: _("Saved cards and accounts"),
    Subscription: _("Subscriptions"),
    Transaction: _("Transactions"),
    ManualTransfer: _("Bank transfers"),
    Plan: _("Plans"),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """One row that was found, and its customer if it is not a customer itself."""

    row: Model
    customer: User | None = None

    @property
    def href(self) -> str:
        """The page of the row."""
        return page_of(self.row)

    @property
    def note(self) -> str:
        """Its amount and status, or the email address of a customer."""
        if isinstance(self.row, User):
            return f"{self.row.get_full_name()} {self.row.email}".strip()
        row: Any = self.row
        amount = getattr(row, "money", None)
        if isinstance(row, Transaction):
            amount = Money(row.amount, row.currency)
        state = getattr(row, "get_status_display", str)()
        return " · ".join(filter(None, [money(amount) if amount else "", state]))


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one kind. `has_more` if only the newest of them are listed."""

    title: str | Promise
    hits: list[Hit]
    has_more: bool = False


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Lead to the one row that was found, or list what was found."""
    term = clean(request.GET.get("q", ""))
    groups = find(request, term) if term else []
    hits = [hit for group in groups for hit in group.hits]
    if len(hits) == 1:
        return HttpResponseRedirect(hits[0].href)
    context = {
        **admin.site.each_context(request), "title": _("Search"), "term": term, "groups": groups,
        "sees_customers": may_view(request, User),
    }  # fmt: skip
    return TemplateResponse(request, "admin/desk/search.html", context)


def clean(text: str) -> str:
    """Return a text without null bytes, which no database takes, and without blanks around it."""
    return text.replace("\0", "").strip()[:LONGEST]


def find(request: HttpRequest, term: str) -> list[Group]:
    """Return what a text that is not blank may mean, by kind; only kinds that the reader may view."""
    groups = []
    for rows in _candidates(request, term):
        found = list(_with_customer(rows)[: MOST + 1])
        hits = [Hit(row, _customer(row)) for row in found[:MOST]]
        if hits:
            title = TITLES.get(rows.model, rows.model._meta.verbose_name_plural or "")
            groups.append(Group(title, hits, len(found) > MOST))
    return groups


def may_view(request: HttpRequest, model: type[Model]) -> bool:
    """Return whether the reader may view the rows of a model."""
    return admin.site.is_registered(model) and admin.site.get_model_admin(model).has_view_permission(request)


def page_of(row: Model) -> str:
    """Return the address of a row's page; of a customer the page with everything."""
    if isinstance(row, User):
        return reverse("admin:customer", args=[row.pk])
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _candidates(request: HttpRequest, term: str) -> Iterator[QuerySet[Any]]:
    """Yield the rows of each kind that a term may mean, by indexes only."""
    if may_view(request, User):
        yield _customers(term)
    if may_view(request, Plan):
        # A whole name only: a part of it would stand beside the customer who was looked for.
        yield Plan.objects.filter(Q(code__iexact=term) | Q(name__iexact=term) | Q(name_ru__iexact=term))
    if re.search(r"\s", term):
        return
    if model_and_field := _public_ids().get(term.partition("_")[0].lower() if "_" in term else ""):
        model, field = model_and_field
        if may_view(request, model):
            yield model._default_manager.filter(**{f"{field}__startswith": term.lower()}).order_by("-pk")
            return
    yield from (rows for rows in _by_key(term) if may_view(request, rows.model))


def _by_key(term: str) -> Iterator[QuerySet[Any]]:
    """Yield rows by ids of gateways, by key or number, and cards by their last digits."""
    for model in (Payment, Refund, Dispute, PaymentMethod):
        wanted = Q(gateway__in=list(settings.GATEWAY_CLASSES), gateway_id=term)
        if model is PaymentMethod and re.fullmatch("[0-9]{4}", term):
            wanted |= Q(last4=term) & ~Q(last4="")
        yield model._default_manager.filter(wanted).order_by("-pk")
    number = _number(term)
    yield Transaction.objects.filter(Q(key=term) if number is None else Q(key=term) | Q(pk=number)).order_by("-pk")
    if re.fullmatch("[0-9]{10}", term):
        yield ManualTransfer.objects.filter(reference=term)


def _customers(term: str) -> QuerySet[User]:
    """Return the customers whose id or address this is, or who have each word of it in a name or the address."""
    exact = Q(pk=_number(term)) if _number(term) is not None else Q()
    if "@" in term:
        known = User.objects.alias(folded=Lower("email")).filter(folded=Lower(Value(term)))
        if known.exists():
            return known
    words = Q()
    for word in term.split():
        # The index finds any three letters, and fewer at the beginning of a word.
        how = "icontains" if len(word) > 2 else "istartswith"
        each = Q()
        for name in SEARCHED:
            each |= Q(**{f"{name}__{how}": word})
        words &= each
    found = User.objects.filter(exact | words)
    # Two frequent names may be rare together: then PostgreSQL must not look for them from the newest customer on.
    return found.order_by(F("pk") * -1) if len(term.split()) > 1 else found.order_by("-pk")


def _number(term: str) -> int | None:
    """Return the id that a term is; None if it cannot be one."""
    return int(term) if re.fullmatch("[0-9]{1,19}", term) and int(term) <= LARGEST_ID else None


def _public_ids() -> dict[str, tuple[type[Model], str]]:
    """Return the model and the field of each prefix of public ids, such as `pay`, among the tables of the desk."""
    fields = ((model, field) for model in admin.site._registry for field in model._meta.fields)
    return {
        field.default.args[0]: (model, field.name)
        for model, field in fields
        if isinstance(field.default, partial) and field.default.func is new_id
    }


def _with_customer(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Have the customers of the rows read in the same query."""
    names = {field.name for field in rows.model._meta.fields if field.is_relation}
    related: Iterable[str] = [
        path for first, path in (("customer", "customer"), ("payment", "payment__customer")) if first in names
    ]
    return rows.select_related(*related) if related else rows


def _customer(row: Any) -> User | None:
    """Return the customer of a row; None for a customer, and for a row without one."""
    found = getattr(row, "customer", None) or getattr(getattr(row, "payment", None), "customer", None)
    return found if isinstance(found, User) else None
