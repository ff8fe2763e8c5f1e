"""Acts on a customer that wait for a second person, with the review pages of their decisions."""

from typing import Any, NamedTuple

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise

from accounts.models import User
from billing_site.desk.search import may_view
from ledger.display import money
from payments.models import Adjustment

# More than these are in the list of adjustments.
MOST = 8


class Approval(NamedTuple):
    """An act that waits, who has asked for it, and the decisions that the reader may take."""

    row: Adjustment
    href: str
    amount: str
    acts: list[tuple[str | Promise, str]]


def of(request: HttpRequest, customer: User) -> list[Approval]:
    """Return the acts that wait, the newest first, if the reader may view them. One query."""
    if not may_view(request, Adjustment):
        return []
    rows = Adjustment.objects.filter(customer=customer, status=Adjustment.Status.WAITING).select_related("asked_by")
    shown: Any = admin.site.get_model_admin(Adjustment)
    return [
        Approval(
            row, reverse("admin:payments_adjustment_change", args=[row.pk]), money(row.money), shown.links(request, row)
        )
        for row in rows.order_by("-id")[:MOST]
    ]
