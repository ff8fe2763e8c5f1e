"""Figures by day and currency: revenue (subscriptions.revenue), cash (ledger.cash) and MRR (subscriptions.mrr).

Closed days are rolled up into DailyFigure; today, and what is not rolled up yet, is worked out when it is asked for.

What belongs to a day follows from when it took effect, not from when it was written: a billing run that is late dates
back what it does. So each night all closed days are worked out again from the rows and what differs is replaced. It
reads all charges once, as the nightly check of the ledger does. What is dated back into a closed day is therefore
missing until the next night, and nothing is counted twice, however often the roll-up runs.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Max

from core.database import patience
from ledger import cash
from ledger.models import Transaction
from subscriptions import mrr, revenue
from subscriptions.models import DailyFigure

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# So many days, or rows of the ledger, can be worked out while somebody waits for a page.
MOST_OPEN = timedelta(days=7)
MOST_ROWS = 50_000


@dataclass(slots=True)
class Figure:
    """The figures of a day, or of several days together, in minor units of one currency; see DailyFigure."""

    plans: Decimal = Decimal(0)
    usage: Decimal = Decimal(0)
    cash_in: int = 0
    cash_out: int = 0
    wallets: int = 0
    new: int = 0
    expansion: int = 0
    contraction: int = 0
    churn: int = 0
    reactivation: int = 0
    gained: int = 0
    lost: int = 0

    @property
    def moved(self) -> int:
        """The sum of the movements of the MRR."""
        return self.new + self.expansion + self.contraction + self.churn + self.reactivation

    def add(self, other: "Figure") -> None:
        """Add the figures of another day."""
        for name in NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


NAMES = [each.name for each in fields(Figure)]
Days = dict[tuple[date, str], Figure]


def compute(*, since: datetime, until: datetime, only: Iterable[int] | None = None) -> Days:
    """Work out each day from `since`, a midnight in UTC, up to `until`, by day and currency, from the rows themselves.

    `only` are the customers whose MRR may have moved since; without it all are looked at.
    """
    days: Days = {}
    for rows in (
        revenue.by_day(since=since, until=until),
        cash.by_day(since=since, until=until),
        mrr.by_day(since=since, until=until, only=only),
    ):
        for row in rows:
            values = row._asdict()
            figure = days.setdefault((values.pop("day"), values.pop("currency")), Figure())
            for name, value in values.items():
                setattr(figure, name, value)
    return days


@patience.within(None)
@transaction.atomic
def roll_up(*, now: datetime) -> int:
    """Work out all closed days anew and keep what differs; return how many rows were written or deleted."""
    today = midnight(now)
    with connection.cursor() as cursor:
        # It reads whole tables, as the check of the ledger does.
        cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL statement_timeout = 0; SET LOCAL jit = off")
    days = {key: figure for key, figure in compute(since=BEGINNING, until=today).items() if key[0] < today.date()}
    # The last closed day has a row for each currency, so that it is known how far the roll-up has come.
    for currency in {currency for _, currency in days}:
        days.setdefault((today.date() - timedelta(days=1), currency), Figure())
    kept = {(row.day, row.currency): row for row in DailyFigure.objects.select_for_update().all()}
    differing = [key for key, figure in days.items() if key not in kept or as_figure(kept[key]) != figure]
    DailyFigure.objects.bulk_create(
        [DailyFigure(day=day, currency=currency, **asdict(days[day, currency])) for day, currency in differing],
        update_conflicts=True, unique_fields=["currency", "day"], update_fields=NAMES, batch_size=1000,
    )  # fmt: skip
    gone = [row.pk for key, row in kept.items() if key not in days]
    DailyFigure.objects.filter(pk__in=gone).delete()
    return len(differing) + len(gone)


def by_currency(*, now: datetime) -> dict[str, dict[date, Figure]]:
    """Return all days up to now by currency: closed ones from the roll-up, the others from the rows themselves."""
    found: dict[str, dict[date, Figure]] = {}
    for day, currency, *values in DailyFigure.objects.values_list("day", "currency", *NAMES):
        found.setdefault(currency, {})[day] = Figure(*values)
    last = max((day for days in found.values() for day in days), default=None)
    for (day, currency), figure in open_days(last, now=now).items():
        found.setdefault(currency, {})[day] = figure
    return found


def takes_long(*, now: datetime) -> bool:
    """Return whether so much is not rolled up that no page can wait for it: until a first roll-up, or if it stopped."""
    last = DailyFigure.objects.aggregate(last=Max("day"))["last"]
    if last is not None and midnight(now).date() - last <= MOST_OPEN:
        return False
    return (Transaction.objects.aggregate(last=Max("id"))["last"] or 0) > MOST_ROWS


def open_days(last: date | None, *, now: datetime) -> Days:
    """Return the days after the last one that is rolled up, today included, of all currencies."""
    if last is None:
        return compute(since=BEGINNING, until=now)
    since = datetime.combine(last + timedelta(days=1), time(), UTC)
    return compute(since=since, until=now, only=mrr.moved(since=since))


def as_figure(row: DailyFigure) -> Figure:
    """Return the figures of a row."""
    return Figure(**{name: getattr(row, name) for name in NAMES})


def midnight(at: datetime) -> datetime:
    """Return the beginning of the day of an instant, in UTC."""
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)
