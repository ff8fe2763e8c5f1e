"""Rows as CSV that a spreadsheet opens without running anything."""

import csv
from collections.abc import Iterable, Iterator

from ledger.web.log import Line

HEADER = ["date", "reason", "description", "amount", "currency", "balance_after"]
# OWASP: a cell that begins with one of these is taken for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    def write(self, text: str) -> str:
        return text


def safe(text: str) -> str:
    """Keep a spreadsheet from reading `text` as a formula. Amounts are numbers and do not come through here."""
    return "'" + text if text.startswith(_FORMULA) else text


def csv_of(lines: Iterable[Line]) -> Iterator[str]:
    """Write lines one by one, with the mark by which spreadsheets know UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow(HEADER))
    for line in lines:
        money, balance = line.money, line.balance
        cells = [
            line.at.isoformat(),
            line.reason,
            safe(line.description),
            money.plain(),
            money.currency,
            balance.plain(),
        ]
        yield str(writer.writerow(cells))
