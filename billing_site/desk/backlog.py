"""What waits for staff, as the first page of the desk shows it: how many rows of each kind, and the list of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import Model, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from billing_site.status import PARKED
from core.dates import day
from payments.models import Adjustment, Discrepancy, Dispute, Payment, Refund, WebhookEvent
from subscriptions import billing_run
from subscriptions.models import BillingClock

# Nobody reads a longer list to its end: more are not counted.
MOST = 1000
# A failed refund is old news after this.
RECENT = timedelta(days=30)
# Gateways answer most refunds at once. One that has taken longer than this is worth a look.
PATIENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of rows that wait for staff."""

    # Which rows, and the filter of the admin's list that shows just these.
    name: str | Promise
    model: type[Model]
    which: Q
    filters: dict[str, str]
    # `bad` if money or a deadline is at stake, `warn` otherwise.
    tone: str = "warn"


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many rows of one kind wait. `count` is MOST at most; `is_more` says that there are more."""

    name: str | Promise
    href: str
    count: int
    tone: str
    is_more: bool = False
    note: str = ""


def waiting(*, now: datetime) -> list[Waiting]:
    """Return all that may wait for staff, in the order in which they read it. A new kind is one more entry."""
    recent, old = now - RECENT, now - PATIENCE
    held_back = Q(pk__in=billing_run.waiting(now).order_by().values("pk"))
    parked = {name: (model, which) for name, (model, which, _) in PARKED.items()}
    empty, text = {"parked_reason__isempty": "0"}, {"parked_reason__gt": ""}
    return [
        Waiting(_("Disputes to answer"), Dispute, Q(status="open"), {"status__exact": "open"}, "bad"),
        Waiting(_("Adjustments to approve"), Adjustment, Q(status="waiting"), {"status__exact": "waiting"}),
        Waiting(_("Parked payments"), *parked["payments"], empty, "bad"),
        Waiting(_("Failed refunds, last 30 days"), Refund, Q(status="failed", created_at__gte=recent),
                {"status__exact": "failed", "created_at__gte": recent.isoformat()}, "bad"),
        Waiting(_("Parked refunds"), *parked["refunds"], text),
        Waiting(_("Parked disputes"), *parked["disputes"], text),
        Waiting(_("Payments without an answer"), Payment, Q(status="unknown", parked_reason=""),
                {"status__exact": "unknown", "parked_reason__isempty": "1"}),
        Waiting(_("Refunds without an answer for a day"), Refund, Q(status="pending", created_at__lt=old),
                {"status__exact": "pending", "created_at__lt": old.isoformat()}),
        Waiting(_("Discrepancies with gateways"), Discrepancy, Q(is_mended=False), {"is_mended__exact": "0"}),
        Waiting(_("Parked books"), *parked["books"], {"attention": "parked"}, "bad"),
        Waiting(_("Overdue books"), BillingClock, held_back, {"attention": "waiting"}, "bad"),
        Waiting(_("Parked collections"), *parked["collection_plans"], empty),
        Waiting(_("Parked payment methods"), *parked["payment_methods"], text),
        Waiting(_("Parked webhook events"), *parked["webhook_events"], {"status__exact": "parked"}),
        Waiting(_("Webhooks that fail"), WebhookEvent, Q(status="received", tries__gt=0, next_try_at__isnull=False),
                {"status__exact": "received", "tries__gt": "0", "next_try_at__isnull": "0"}),
        Waiting(_("Parked emails"), *parked["mails"], {"state__exact": "parked"}),
    ]  # fmt: skip


def of(request: HttpRequest, *, now: datetime) -> list[Backlog]:
    """Return what waits, without the tables that this member of staff may not view. One query for all counts."""
    seen = [each for each in waiting(now=now) if admin.site.get_model_admin(each.model).has_view_permission(request)]
    if not seen:
        return []
    counts = _counts(seen)
    nearest = _nearest() if any(each.model is Dispute and n for each, n in zip(seen, counts, strict=True)) else ""
    return [
        Backlog(
            each.name,
            f"{_list_of(each.model)}?{urlencode(each.filters)}",
            min(count, MOST),
            each.tone if count else "",
            is_more=count > MOST,
            note=nearest if each.filters == {"status__exact": "open"} and count else "",
        )
        for each, count in zip(seen, counts, strict=True)
    ]


def _counts(entries: Iterable[Waiting]) -> list[int]:
    """Return for each entry how many rows there are, MOST + 1 at most."""
    parts: list[str] = []
    params: list[Any] = []
    for each in entries:
        rows = each.model._default_manager.filter(each.which).order_by().values("pk")[: MOST + 1]
        sql, values = rows.query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS rows)")  # noqa: S608 - the statement is the ORM's own
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        row: Any = cursor.fetchone()
    return list(row)


def _nearest() -> str:
    """Return by when the next dispute must be answered, in words; empty if no gateway has named a date."""
    first = Dispute.objects.filter(status="open", answer_by__isnull=False).order_by("answer_by").first()
    return str(_("answer by %(day)s") % {"day": day(first.answer_by)}) if first and first.answer_by else ""


def _list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
