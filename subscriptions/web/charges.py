"""What a subscription was charged, for its page: a row for each period paid ahead, and for each day of metered use."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from django.db.models import Count, Max, Min, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from ledger.money import Money
from subscriptions.models import Charge, Price, Subscription

# How many rows the table has, the newest first, and how many slices one day shows.
ROWS = 24
SLICES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRow:
    """A row of the table: a period paid in advance, or a day of metered use in the reader's time zone."""

    plan: str
    start: datetime
    # The last day of it. None if it is within one day.
    end: datetime | None = None
    amount: Money
    # The transaction that explains it; None for a day of many charges and for a charge of zero.
    transaction: int | None = None
    # The unused time that was refunded later, and its transaction.
    refunded: Money | None = None
    refund: int | None = None
    refunded_at: datetime | None = None
    # A day: how many charges it had, if more than one; and those of the day that is open, the oldest first.
    count: int = 0
    slices: tuple[Charge, ...] = ()

    @property
    def day(self) -> date:
        return timezone.localtime(self.start).date()


@dataclass(frozen=True, slots=True)
class Table:
    """The newest charges of a subscription."""

    rows: list[ChargeRow]

    @property
    def has_plans(self) -> bool:
        """Whether the rows are of more than one plan."""
        return len({row.plan for row in self.rows}) > 1

    @property
    def has_more(self) -> bool:
        """Whether there may be older ones."""
        return len(self.rows) >= ROWS


def table(row: Subscription, *, opened: date | None = None) -> Table:
    """Return the newest charges of a subscription, with the slices of the day that is opened. Reads only."""
    charges = Charge.objects.filter(subscription=row)
    ahead = charges.filter(price__metered=False).select_related("refund", "price__plan").order_by("-period_start")
    rows = [*(_period(charge) for charge in ahead[:ROWS]), *_days(charges, opened)]
    return Table(sorted(rows, key=lambda each: each.start, reverse=True)[:ROWS])


def _period(charge: Charge) -> ChargeRow:
    refund, currency, end = charge.refund, charge.price.currency, charge.ended_at or charge.period_end
    return ChargeRow(
        plan=charge.price.plan.title,
        start=charge.period_start,
        end=None if timezone.localdate(charge.period_start) == timezone.localdate(end) else end,
        amount=Money(charge.amount, currency),
        transaction=charge.transaction_id or charge.debt_transaction_id,
        refunded=Money(refund.amount, currency) if refund else None,
        refund=refund.pk if refund else None,
        refunded_at=refund.effective_at if refund else None,
    )


def _days(charges: QuerySet[Charge], opened: date | None) -> list[ChargeRow]:
    """Return the days of metered use. Slices that cost nothing, because their unit was paid before, are left out."""
    zone = timezone.get_current_timezone()
    paid = charges.filter(price__metered=True, amount__gt=0)
    days = list(
        paid.annotate(day=TruncDate("period_start", tzinfo=zone))
        .values("day", "price")
        .annotate(
            start=Min("period_start"),
            end=Max("period_end"),
            transaction=Min("transaction"),
            total=Sum("amount"),
            count=Count("pk"),
        )
        .order_by("-start")[:ROWS]
    )
    prices = Price.objects.select_related("plan").in_bulk({each["price"] for each in days})
    slices = _slices(paid, opened, zone) if opened in {each["day"] for each in days} else []
    return [
        ChargeRow(
            plan=prices[each["price"]].plan.title,
            start=each["start"],
            end=_later_day(each["start"], each["end"], zone),
            amount=Money(each["total"], prices[each["price"]].currency),
            # A single one is explained in place.
            transaction=each["transaction"] if each["count"] == 1 else None,
            count=each["count"] if each["count"] > 1 else 0,
            slices=tuple(one for one in slices if one.price_id == each["price"]) if each["day"] == opened else (),
        )
        for each in days
    ]


def _later_day(start: datetime, end: datetime, zone: tzinfo) -> datetime | None:
    """Return the last instant of use if it is on a later day than the first: a charge can be for several days."""
    last = end - timedelta(microseconds=1)
    return last if last.astimezone(zone).date() > start.astimezone(zone).date() else None


def _slices(paid: QuerySet[Charge], opened: date | None, zone: tzinfo) -> list[Charge]:
    assert opened is not None
    start = datetime.combine(opened, time(), zone)
    end = datetime.combine(opened + timedelta(days=1), time(), zone)
    return list(paid.filter(period_start__gte=start, period_start__lt=end).order_by("period_start")[:SLICES])
