"""`manage.py export`: write an export as CSV, the same bytes as the download on the staff desk."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from billing_site.desk.exports.csv_stream import Tally, stream, summed
from billing_site.desk.exports.form import EXPORTS, ExportForm
from billing_site.desk.exports.table import Extract
from core import clock


class Command(BaseCommand):
    help = "Write a file of money as CSV: " + ", ".join(EXPORTS) + "."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help=", ".join(EXPORTS))
        parser.add_argument("--from", metavar="YYYY-MM-DD", help="the first day; balances need none")
        parser.add_argument("--to", metavar="YYYY-MM-DD", help="the last day, which is included")
        parser.add_argument("--currency", metavar="CODE", default="", help="this currency only, such as EUR")
        parser.add_argument("--bom", action="store_true", help="begin with a byte order mark, for Excel")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write to FILE, not to the terminal")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON; needs --output")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path | None = options["output"]
        if options["json"] and file is None:
            raise CommandError("--json needs --output: without it the file itself is printed.")
        form = ExportForm({name: options[name] for name in ("name", "from", "to", "currency", "bom")}, now=clock.now())
        if not form.is_valid():
            raise CommandError("\n".join(form.problems()))
        extract, tally = form.extract(), Tally()
        pieces = watched(stream(extract, tally), tally, Console(file=cast(IO[str], self.stderr._out)))
        write(pieces, file) if file else write_out(pieces, cast(IO[str], self.stdout._out))
        if options["json"]:
            self.stdout.write(json.dumps(summary(extract, tally) | {"file": str(file)}, indent=2))
        elif file:
            self.stdout.write(f"{file}: {said(extract, tally)}")
            self.stdout.write("Next: manage.py check_ledger, which checks the ledger that the totals are of.")


def write(pieces: Iterator[bytes], file: Path) -> None:
    """Write the file under another name until it is complete. Raises CommandError if it cannot be written."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as output:
            output.writelines(pieces)
        part.replace(file)
    except OSError as error:
        raise CommandError(f"output: {file} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def write_out(pieces: Iterator[bytes], output: IO[str]) -> None:
    """Print the file."""
    binary = getattr(output, "buffer", None)
    for piece in pieces:
        if binary is None:
            output.write(piece.decode())
        else:
            binary.write(piece)


def watched(pieces: Iterator[bytes], tally: Tally, console: Console) -> Iterator[bytes]:
    """Yield the pieces; on a terminal, show how many rows were written."""
    if not console.is_terminal:
        yield from pieces
        return
    with console.status("0 rows") as status:
        for piece in pieces:
            status.update(f"{tally.rows:,} rows")
            yield piece


def summary(extract: Extract, tally: Tally) -> dict[str, Any]:
    """Return what was written, with totals as plain decimals."""
    first, names = extract.first if extract.export.has_start else None, summed(extract.export.columns)
    return {
        "name": extract.export.name, "from": first and str(first), "to": str(extract.last), "time_zone": extract.zone,
        "currency": extract.currency or None, "rows": tally.rows, "totals": tally.totals(names),
    }  # fmt: skip


def said(extract: Extract, tally: Tally) -> str:
    """Return the same as a line of text."""
    names = summed(extract.export.columns)
    totals = [f"{name} {each[name]} {each['currency']}" for each in tally.totals(names) for name in names]
    return f"{tally.rows:,} rows of {extract.export.name}, {extract.span}. " + (", ".join(totals) or "No money moved.")
