"""Figures by currency and span: revenue, cash, MRR, what we owe customers, failed payments.

What each figure means is written in subscriptions.revenue, subscriptions.mrr and ledger.cash. Besides:
- churn rate: the MRR that churned in the span by the MRR at its start; of customers likewise.
- runway: for how many days all balances last if customers go on as in the last 30 closed days: what we owe them by a
  day's revenue.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from babel.dates import format_date
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext, gettext_lazy

from core import charts
from core.dates import day as day_text
from core.dates import locale_of
from ledger import display
from ledger.money import Money
from payments import failed_payments
from subscriptions import daily, mrr, tasks
from subscriptions.daily import Figure

UNITS = {"month": gettext_lazy("months"), "week": gettext_lazy("weeks"), "day": gettext_lazy("days")}
# A longer row of bars cannot be read.
MOST = 120
# Spans if none is chosen, in days back from today; months: twelve of them.
USUAL = {"week": 7 * 25, "day": 29}
MONTHS = 12
RUNWAY_OVER = 30
# In the cache for so many seconds while a roll-up that somebody has asked for may still run: the task's own limit.
ASKED, ASKED_FOR = "figures-asked", 840


class SpanForm(forms.Form):
    """Which figures: a currency, a unit of time, and the first and last day."""

    currency = forms.ChoiceField(label=gettext_lazy("Currency"), required=False)
    by = forms.ChoiceField(label=gettext_lazy("By"), choices=list(UNITS.items()), required=False)

    def __init__(self, data: Mapping[str, Any], *, currencies: list[str], today: date) -> None:
        super().__init__(data)
        self.today, self.currencies = today, currencies
        self.fields["currency"].choices = [(each, each) for each in currencies]  # type: ignore[attr-defined]
        # `from` is a word of Python.
        for name, label in (("from", gettext_lazy("From")), ("to", gettext_lazy("To"))):
            widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            self.fields[name] = forms.DateField(label=label, required=False, input_formats=["%Y-%m-%d"], widget=widget)

    def clean(self) -> dict[str, Any]:
        """Fill in what was not chosen; refuse a span that ends before it begins or has more than MOST parts."""
        found: dict[str, Any] = super().clean() or {}
        if self.errors:
            return found
        found["currency"] = found["currency"] or (self.currencies[0] if self.currencies else "")
        unit = found["by"] = found["by"] or "month"
        last = found["to"] = min(found["to"] or self.today, self.today)
        first = found["from"] = found["from"] or usual_start(unit, last)
        if first > last:
            self.add_error("from", gettext("From: the first day is not after the last one and not after today."))
        elif len(buckets(unit, first, last)) > MOST:
            said = gettext("From: choose at most %(most)d %(units)s.")
            self.add_error("from", said % {"most": MOST, "units": UNITS[unit]})
        return found


@dataclass(slots=True)
class Bucket:
    """A month, week or day of the span, cut to the span: its first day, its figures, and the sums at its end."""

    first: date
    figure: Figure = field(default_factory=Figure)
    failed: int = 0
    failed_amount: int = 0
    liability: int = 0


def context(query: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return what the page shows for these values of its form; only the form if they are wrong.

    Nobody waits for figures that take long: the page says so, and a worker rolls them up.
    """
    if daily.takes_long(now=now):
        _roll_up_soon()
        return {"title": gettext("Figures"), "is_pending": True}
    days = daily.by_currency(now=now)
    form = SpanForm(query, currencies=sorted(days), today=now.astimezone(UTC).date())
    shown: dict[str, Any] = {"title": gettext("Figures"), "form": form}
    if not form.is_valid() or not days:
        return shown
    chosen = form.cleaned_data
    # The form shows what was filled in for the reader.
    form.data = {name: value.isoformat() if isinstance(value, date) else value for name, value in chosen.items()}
    return shown | _page(
        days[chosen["currency"]], now=now, **{("first" if k == "from" else k): chosen[k] for k in chosen}
    )


def _roll_up_soon() -> None:
    """Have a worker roll up the figures, once for all who ask within a while."""
    if cache.add(ASKED, True, timeout=ASKED_FOR):
        tasks.roll_up_figures.delay()


def _page(
    days: Mapping[date, Figure], *, currency: str, by: str, first: date, to: date, now: datetime
) -> dict[str, Any]:
    before, span, after = Figure(), Figure(), Figure()
    parts = [Bucket(each) for each in buckets(by, first, to)]
    for at, figure in days.items():
        (before if at < first else after if at > to else span).add(figure)
        if first <= at <= to:
            _part_of(parts, at).figure.add(figure)
    since, until = (datetime.combine(each, time(), UTC) for each in (first, to + timedelta(days=1)))
    for at, failed in failed_payments.by_day(currency, since=since, until=until).items():
        part = _part_of(parts, at)
        part.failed += failed.payments
        part.failed_amount += failed.amount
    liability = before.wallets
    for part in parts:
        liability = part.liability = liability + part.figure.wallets
    present = mrr.at_present().get(currency, 0)

    def text(amount: int) -> str:
        return display.money(Money(amount, currency))

    start, end = before.moved, present - after.moved
    return {
        "facts": _facts(text, parts, before, span, after, revenue_of_a_day(days, now=now)),
        "identity": {
            "start": text(start),
            "moves": [(name, text(getattr(span, part))) for part, name in _movements().values()],
            "end": text(end),
            "is_right": start + span.moved == end,
        },
        "span_text": f"{_moment_text(first)} – {_moment_text(to)}",
        "charts": _charts(by, text, parts),
    }


def _facts(
    text: Callable[[int], str], parts: list[Bucket], before: Figure, span: Figure, after: Figure, spent: float
) -> list[tuple[str, str, str]]:
    """Return the figures of the whole span: name, value, and a note."""
    customers = before.gained - before.lost
    owed, failed = parts[-1].liability, sum(part.failed for part in parts)
    at_risk = text(sum(part.failed_amount for part in parts))
    usage = gettext("of it %(amount)s usage") % {"amount": text(round(span.usage))}
    lost = gettext("customers: %(rate)s") % {"rate": _rate(span.lost, customers)}
    paying = gettext("%(count)d paying customers today") % {
        "count": sum(each.gained - each.lost for each in (before, span, after))
    }
    days = gettext("%(count)d days") % {"count": int(owed / spent)} if spent else gettext("nothing is spent")
    return [
        (gettext("MRR at the end"), text(before.moved + span.moved), paying),
        (gettext("Revenue"), text(round(span.plans + span.usage)), usage),
        (gettext("Cash in"), text(span.cash_in), gettext("out: %(amount)s") % {"amount": text(span.cash_out)}),
        (gettext("Churn rate"), _rate(-span.churn, before.moved), lost),
        (gettext("We owe customers"), text(owed), gettext("balances not used yet")),
        (gettext("Balances last for"), days, gettext("at the revenue of the last 30 days")),
        (gettext("Failed payments"), str(failed), at_risk),
    ]


def _charts(by: str, text: Callable[[int], str], parts: list[Bucket]) -> list[charts.Chart]:
    names = [bucket_name(by, part.first) for part in parts]
    first = {"month": gettext("Month"), "week": gettext("Week from"), "day": gettext("Day")}[by]

    def chart(label: str, key: dict[str, str], values: Callable[[Bucket], list[int]], **terms: Any) -> charts.Chart:
        columns = [(name, values(part)) for name, part in zip(names, parts, strict=True)]
        return charts.bars(columns, label=label, first=first, key=key, **{"text": text} | terms)

    moves = _movements()
    total = gettext("Total")
    return [
        chart(gettext("Revenue"), {"c1": gettext("Plans"), "c2": gettext("Usage, not part of MRR")},
              lambda part: [round(part.figure.plans), round(part.figure.usage)], total=total),
        chart(gettext("MRR movements"), {css: name for css, (_, name) in moves.items()},
              lambda part: [getattr(part.figure, each) for each, _ in moves.values()], total=gettext("Change")),
        chart(gettext("Cash"), {"c1": gettext("In"), "c4": gettext("Out")},
              lambda part: [part.figure.cash_in, -part.figure.cash_out], total=total),
        chart(gettext("We owe customers"), {"c1": gettext("At the end")}, lambda part: [part.liability]),
        chart(gettext("Failed payments"), {"c4": gettext("Payments")}, lambda part: [part.failed], text=str),
    ]  # fmt: skip


def _movements() -> dict[str, tuple[str, str]]:
    """Return the movements of the MRR by the CSS class of their colour: the figure's name, and its name for people."""
    return {
        "c1": ("new", gettext("New")),
        "c2": ("expansion", gettext("Expansion")),
        "c5": ("reactivation", gettext("Reactivation")),
        "c3": ("contraction", gettext("Contraction")),
        "c4": ("churn", gettext("Churn")),
    }


def revenue_of_a_day(days: Mapping[date, Figure], *, now: datetime) -> float:
    """Return the average revenue of the last RUNWAY_OVER closed days, in minor units."""
    today = now.astimezone(UTC).date()
    last = [figure for at, figure in days.items() if today - timedelta(days=RUNWAY_OVER) <= at < today]
    return float(sum(figure.plans + figure.usage for figure in last)) / RUNWAY_OVER


def usual_start(by: str, last: date) -> date:
    """Return the first day of the span that is shown if none is chosen."""
    if by != "month":
        return last - timedelta(days=USUAL[by])
    months = last.year * 12 + last.month - MONTHS
    return date(months // 12, months % 12 + 1, 1)


def buckets(by: str, first: date, last: date) -> list[date]:
    """Return the first day of each month, week (from Monday) or day of a span; the first one begins with the span."""
    starts = [first]
    while True:
        at = starts[-1]
        if by == "month":
            following = date(at.year + at.month // 12, at.month % 12 + 1, 1)
        else:
            following = at + timedelta(days=7 - at.weekday() if by == "week" else 1)
        if following > last:
            return starts
        starts.append(following)


def bucket_name(by: str, first: date) -> str:
    """Return the name of a month, week or day: `Nov 2026`, `24 Nov`."""
    name: str = format_date(first, "LLL y" if by == "month" else "d MMM", locale=locale_of())
    return name


def _part_of(parts: list[Bucket], at: date) -> Bucket:
    return next(part for part in reversed(parts) if part.first <= at)


def _rate(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _moment_text(at: date) -> str:
    return day_text(datetime.combine(at, time(), UTC))
