"""CSV that a spreadsheet reads as it was meant: no text is taken for a formula, and numbers stay numbers."""

import csv
import io
from collections.abc import Iterable, Sequence

# At the beginning of a file it tells spreadsheets that the text is UTF-8.
BOM = "\ufeff"
# OWASP (CSV Injection): spreadsheets take a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def escape_formula(text: str) -> str:
    """Return `text` quoted if a spreadsheet would read it as a formula."""
    return "'" + text if text.startswith(_FORMULA) else text


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return the rows as lines of CSV. Cells of type str are escaped; numbers, such as Decimal, are written as such."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerows([escape_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return lines.getvalue()
