"""Write an export as CSV while it is read, a few thousand rows at a time, from one snapshot of the database.

The cursor of the server lives within one transaction, so that a pooler in transaction mode does not matter. The last
lines are the totals: a file without them is not complete.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext

from billing_site.desk.exports.table import Column, Extract, Kind
from billing_site.integrity import snapshot
from core.csv_text import BOM, csv_text
from ledger.money import Money

# Rows that are read and written at a time.
BATCH = 2_000
# How long whoever downloads may take for a batch before the database ends the transaction.
PATIENCE = "10min"


@dataclass(slots=True)
class Tally:
    """How much was written so far: rows, and minor units by currency and name of the column."""

    rows: int = 0
    sums: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, currency: str, name: str, amount: int) -> None:
        """Add minor units to the sum of a column."""
        known = self.sums[currency]
        known[name] = known.get(name, 0) + amount

    def totals(self, names: Sequence[str]) -> list[dict[str, str]]:
        """Return the sums of each currency as plain decimals, with their currency."""
        return [
            {"currency": currency} | {name: Money(sums.get(name, 0), currency).plain() for name in names}
            for currency, sums in sorted(self.sums.items())
        ]


def summed(columns: Sequence[Column]) -> list[str]:
    """Return the names of the columns that the totals have."""
    return [column.name for column in columns if column.kind is Kind.MONEY and column.is_summed]


def stream(extract: Extract, tally: Tally) -> Iterator[bytes]:
    """Return the file piece by piece, in UTF-8, its texts in the current language. `tally` grows with each piece.

    Read it with no transaction open: it has one of its own until it is read to the end or closed.
    """
    columns = extract.export.columns
    header = [f"{column.heading}{_suffix(column, extract)}" for column in columns]
    total = gettext("Total")
    return _pieces(extract, tally, header, total)


def _pieces(extract: Extract, tally: Tally, header: list[str], total: str) -> Iterator[bytes]:
    columns = extract.export.columns
    with snapshot():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{PATIENCE}'")
        with connection.chunked_cursor() as cursor:
            cursor.execute(extract.export.sql, extract.parameters())
            write = _Lines(columns, tally)
            yield ((BOM if extract.has_bom else "") + csv_text([header])).encode()
            while rows := cursor.fetchmany(BATCH):
                yield csv_text(map(write, rows)).encode()
    yield csv_text(_total_rows(extract, tally, total)).encode()


def _suffix(column: Column, extract: Extract) -> str:
    """Name the time zone of a column of instants or days."""
    return {Kind.TIME: " (UTC)", Kind.DAY: f" ({extract.zone})"}.get(column.kind, "")


class _Lines:
    """Turns a row of the database into one of the file, and adds its money to the tally."""

    def __init__(self, columns: Sequence[Column], tally: Tally) -> None:
        names = [column.name for column in columns]
        self.tally = tally
        # Position, position of the currency, and the name if it is summed.
        self.money = [
            (at, names.index(column.currency), column.name if column.is_summed else "")
            for at, column in enumerate(columns)
            if column.kind is Kind.MONEY
        ]
        writers: dict[Kind, Callable[[Any], object]] = {Kind.TIME: _instant, Kind.DAY: date.isoformat}
        self.others = [(at, writers[column.kind]) for at, column in enumerate(columns) if column.kind in writers]

    def __call__(self, row: Sequence[Any]) -> list[object]:
        cells = list(row)
        self.tally.rows += 1
        for at, of_currency, name in self.money:
            amount, currency = row[at], row[of_currency]
            if amount is not None:
                cells[at] = Money(int(amount), currency).decimal()
                if name:
                    self.tally.add(currency, name, int(amount))
        for at, write in self.others:
            if row[at] is not None:
                cells[at] = write(row[at])
        return cells


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


def _total_rows(extract: Extract, tally: Tally, total: str) -> Iterator[list[object]]:
    """Yield a line of totals for each currency; one without sums if nothing has moved in any."""
    columns = extract.export.columns
    currencies = {column.currency for column in columns if column.kind is Kind.MONEY}
    for currency in sorted(tally.sums) or [extract.currency]:
        sums = tally.sums.get(currency, {})
        cells: list[object] = []
        for column in columns:
            if column.name in currencies:
                cells.append(currency)
            elif currency and column.kind is Kind.MONEY and column.is_summed:
                cells.append(Money(sums.get(column.name, 0), currency).decimal())
            else:
                cells.append(None)
        cells[0] = f"{total}: {extract.span}"
        yield cells
