"""`manage.py reconcile`: check open payments, then compare with each gateway's own list.

Exit code 0: nothing is open, 1: discrepancies are left to staff, 2: a gateway could not be asked.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from core import clock
from payments import comparison, open_orders, reconciliation
from payments.gateways.registry import UnknownGateway
from payments.models import Discrepancy
from payments.reports import Comparison

LEFT, NOT_ASKED = 1, 2
# What of a report is counted.
COUNTS = (
    "payments_there", "payments_here", "refunds_there", "refunds_here", "disputes_there", "fees_posted",
    "payouts_posted", "mended", "left",
)  # fmt: skip


class Command(BaseCommand):
    help = (
        "Check open payments at their gateways, then compare the last three days with each gateway's list and mend "
        "what is safe. Exit code 1 when discrepancies are left, 2 when a gateway could not be asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--full", action="store_true", help="compare everything since the first payment")
        parser.add_argument("--gateway", metavar="NAME", help="compare with this gateway only")
        parser.add_argument("--dry-run", action="store_true", help="only show the differences, and write nothing")
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        swept = 0 if options["dry_run"] else sweep(now)
        try:
            with progress(cast(IO[str], self.stderr._out)) as watch:
                results = comparison.compare_all(
                    now=now, only=options["gateway"], full=options["full"], is_dry_run=options["dry_run"], watch=watch
                )
        except UnknownGateway as error:
            raise CommandError(str(error), returncode=NOT_ASKED) from error
        output = [json.dumps(as_json(results, swept), indent=2)] if options["json"] else lines(results, swept)
        for line in output:
            self.stdout.write(line)
        if code := exit_code(results):
            sys.exit(code)


def sweep(now: datetime) -> int:
    """Ask about all that is due at the gateways: open payments, refunds and disputes; return how many were handled."""
    open_orders.mark_ended(now=now)
    return sum(reconciliation.check_gateway(gateway, now=now) for gateway in reconciliation.due_gateways(now=now))


def exit_code(results: Iterable[Comparison]) -> int:
    """Return 2 if a list is incomplete, else 1 if discrepancies are left, else 0."""
    if any(not result.report.is_complete for result in results):
        return NOT_ASKED
    return LEFT if any(result.left for result in results) else 0


@contextmanager
def progress(stream: IO[str]) -> Iterator[Callable[[Comparison, datetime], None] | None]:
    """Show on a terminal how far the comparison is; yields what to call with it, None if it is no terminal."""
    console = Console(file=stream)
    if not console.is_terminal:
        yield None
        return
    with console.status("Comparing") as status:

        def watch(run: Comparison, reached: datetime) -> None:
            report = run.report
            share = (reached - report.since) / (report.until - report.since)
            counts = f"{report.payments_there} payments listed, {len(run.found)} differ"
            status.update(f"{report.gateway}: {reached:%Y-%m-%d}, {share:.0%} · {counts}")

        yield watch


def lines(results: Iterable[Comparison], swept: int) -> Iterator[str]:
    """Yield the result as text."""
    yield f"Open payments checked: {swept}"
    for result in results:
        report = result.report
        yield (
            f"{report.gateway}, {report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC: "
            f"{report.payments_there} listed · {report.payments_here} of ours · {report.mended} mended · "
            f"{report.left} left · {report.refunds_there} refunds · {report.disputes_there} disputes · "
            f"{report.fees_posted} fees · {report.payouts_posted} payouts"
        )
        for failure in report.failures:
            yield f"  INCOMPLETE. {failure}"
        for row in result.found:
            yield f"  {'mended' if row.is_mended else 'LEFT'}  {sentence(row)}"
    yield "What to do: docs/runbook.md, 'Reconciliation'. What gateways owe: manage.py clearing"


def sentence(row: Discrepancy) -> str:
    """Return a discrepancy on one line."""
    who = " ".join(filter(None, (row.gateway_id, str(row.payment or ""))))
    what = "" if row.subject == Discrepancy.Subject.PAYMENT else f"{row.subject} "
    text = f"{what}{row.get_kind_display()}: {who} · here: {row.ours or 'nothing'} · there: {row.theirs or 'nothing'}"
    return f"{text} · {row.outcome}".removesuffix(" · ")


def as_json(results: Iterable[Comparison], swept: int) -> dict[str, Any]:
    """Return the whole result as one object."""
    results = list(results)
    return {"exit_code": exit_code(results), "swept": swept, "gateways": [_report(result) for result in results]}


def _report(result: Comparison) -> dict[str, Any]:
    report = result.report
    return {
        "gateway": report.gateway,
        "report": report.pk,
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "complete": report.is_complete,
        "failures": report.failures,
        **{name: getattr(report, name) for name in COUNTS},
        "discrepancies": [
            {
                "subject": row.subject, "kind": row.kind, "gateway_id": row.gateway_id,
                "payment": str(row.payment) if row.payment else None,
                "ours": row.ours, "theirs": row.theirs, "mended": row.is_mended, "outcome": row.outcome,
            }
            for row in result.found
        ],
    }  # fmt: skip
