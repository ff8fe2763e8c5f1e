"""Payments that failed, by day: a figure for staff."""

from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from payments.models import Payment


class Failed(NamedTuple):
    """How many payments failed on a day, and what they would have brought, in minor units of their currency."""

    payments: int
    amount: int


def by_day(currency: str, *, since: datetime, until: datetime) -> dict[date, Failed]:
    """Return the payments that failed from `since` up to `until` by the day in UTC on which we heard of it."""
    failed = Payment.objects.filter(status="failed", currency=currency, updated_at__gte=since, updated_at__lt=until)
    days = failed.values(day=TruncDate("updated_at")).annotate(count=Count("pk"), total=Sum("amount"))
    return {row["day"]: Failed(row["count"], row["total"]) for row in days.order_by()}
