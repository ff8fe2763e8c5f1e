"""What the site is doing, read from the database and the broker at each scrape: every web process says the same."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from django.core.cache import cache
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from billing_site import ledger_checks, status, task_runs
from billing_site.metrics import part
from core import clock


def collect() -> Iterator[Metric]:
    """Yield the metrics of database, cache and broker. What cannot be read is left out, and its `up` is 0."""
    yield from _part("database", _of_database)
    yield from _part("broker", _of_broker)
    works = not cache.trouble()  # type: ignore[attr-defined]
    yield GaugeMetricFamily("billing_cache_up", "1 if the cache answers and takes writes.", value=int(works))


def _part(name: str, collect: Callable[[], Iterable[Metric]]) -> Iterator[Metric]:
    """Yield the metrics of a server, if they can be read, and whether they could."""
    found = part.read(name, collect)
    yield GaugeMetricFamily(f"billing_{name}_up", f"1 if the {name} answers.", value=int(found is not None))
    yield from found or []


def _of_database() -> Iterator[Metric]:
    now = clock.now()
    yield from _books(now)
    yield _gauge("billing_parked", "Rows that wait for staff, by kind.", "kind", status.parked())
    yield _gauge("billing_waiting", "Rows that are due and wait for a sweep, by kind.", "kind", status.waiting(now=now))
    yield from _tasks(now)
    age = status.beat_age(now=now)
    if age is not None:
        yield GaugeMetricFamily("billing_beat_age_seconds", "Since the scheduler last showed that it lives.", value=age)
    yield from _ledger_check(now)


def _of_broker() -> Iterator[Metric]:
    broker = status.broker()
    yield _gauge("billing_queue_length", "Tasks that wait in a queue of the broker.", "queue", broker.queues)
    about = "0 if the broker answers and refuses tasks, as when its memory is full."
    yield GaugeMetricFamily("billing_broker_takes_tasks", about, value=int(not broker.refusal))


def _books(now: datetime) -> Iterator[Metric]:
    books = status.books(now=now)
    for name, about, value in (
        ("due", "Books that are due.", books.due),
        ("overdue", "Books that have been due for more than three minutes.", books.overdue),
        ("held_back", "Books overdue for longer than BILLING_MAX_CATCH_UP, which wait for staff.", books.held_back),
        ("oldest_due_seconds", "How long the book that waits longest has been due.", books.oldest_seconds),
    ):
        yield GaugeMetricFamily(f"billing_books_{name}", about, value=value)


def _tasks(now: datetime) -> Iterator[Metric]:
    tasks = task_runs.states(now=now)
    ran = [task for task in tasks if task.runs]
    every = {task.task: task.every for task in tasks if task.every}
    yield _gauge("billing_task_interval_seconds", "Seconds between two runs of a task.", "task", every)
    ages = {task.task: task.succeeded_ago for task in ran if task.succeeded_ago is not None}
    yield _gauge("billing_task_success_age_seconds", "Since a task last ended without an error.", "task", ages)
    late = {task.task: int(task.is_late) for task in tasks}
    yield _gauge("billing_task_late", "1 if three runs of a task without an error are missing.", "task", late)
    last = {task.task: task.seconds for task in ran}
    yield _gauge("billing_task_last_seconds", "How long the last run of a task took.", "task", last)
    for name, about, values in (
        ("seconds", "How long all runs of a task took together.", {task.task: task.total_seconds for task in ran}),
        ("runs", "Runs of a task.", {task.task: task.runs for task in ran}),
        ("failures", "Runs of a task that ended with an error.", {task.task: task.failures for task in ran}),
    ):
        family = CounterMetricFamily(f"billing_task_{name}", about, labels=["task"])
        for task, value in values.items():
            family.add_metric([task], value)
        yield family


def _ledger_check(now: datetime) -> Iterator[Metric]:
    last = ledger_checks.last()
    if last is None:
        return
    for name, about, value in (
        ("age_seconds", "Since the last run of all integrity checks.", (now - last.started_at).total_seconds()),
        ("seconds", "How long it took.", last.seconds),
        ("wrong_rows", "Wrong rows that it found.", last.wrong),
        ("failed", "1 if it did not come to an end.", int(bool(last.error))),
    ):
        yield GaugeMetricFamily(f"billing_check_ledger_{name}", about, value=value)


def _gauge(name: str, about: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
