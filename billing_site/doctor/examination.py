"""All examinations, in order. Each is isolated: one that fails says so, and the others go on."""

from collections.abc import Callable, Iterator, Sequence

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError

from billing_site.doctor import database, gateways, servers, work
from billing_site.doctor.result import Result, Verdict, fails
from billing_site.redaction import without_secrets

Examination = Callable[[], Iterator[Result]]
WITHOUT_DATABASE: tuple[Examination, ...] = (
    servers.configuration, servers.broker, servers.the_cache, servers.mail, servers.disk,
)  # fmt: skip
WITH_DATABASE: tuple[Examination, ...] = (
    database.server, database.indexes, database.migrations, database.rights, database.parameters, database.clocks,
    gateways.examine, work.scheduler, work.workers, work.schedule, work.books, work.parked, work.ledger,
)  # fmt: skip


def examine() -> list[Result]:
    """Examine everything. Without a database, or with tables missing, what needs them is left out."""
    results = [result for each in WITHOUT_DATABASE for result in _isolated(each)]
    for each in WITH_DATABASE:
        results += (found := _isolated(each))
        if each in (database.server, database.migrations) and any(_fails(result) for result in found):
            break
    return results


def exit_code(results: Sequence[Result]) -> int:
    """Return 1 if something fails, else 0. Warnings and what is not known are no failure."""
    return int(any(_fails(result) for result in results))


def _fails(result: Result) -> bool:
    return result.verdict is Verdict.FAILS


def _isolated(examination: Examination) -> list[Result]:
    """Return what an examination says, without secrets; its own error is one of its results."""
    results: list[Result] = []
    try:
        results.extend(examination())
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is broken, the doctor must go on
        name = f"{examination.__module__.rpartition('.')[2]}: {examination.__name__.replace('_', ' ')}"
        do = (
            "Start PostgreSQL, or correct DATABASE_URL."
            if isinstance(error, DatabaseError)
            else "Report this as a bug."
        )
        results.append(fails(name, f"{type(error).__name__}: {error}".strip(), do))
    return [Result(each.part, each.verdict, _one_line(each.says), _one_line(each.do)) for each in results]


def _one_line(text: str) -> str:
    return " ".join(str(without_secrets(text)).split())
