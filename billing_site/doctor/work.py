"""The work: scheduler, workers, tasks, due books, parked things, and the last ledger check."""

from collections.abc import Iterator

from billing_site import health, ledger_checks, status, task_runs
from billing_site.doctor.result import Result, fails, ok, unknown, warning
from core import clock


def scheduler() -> Iterator[Result]:
    """Examine whether the scheduler shows that it lives, and whether it is the only one."""
    now = clock.now()
    age, places = status.beat_age(now=now), status.schedulers(now=now)
    if age is None:
        yield fails("scheduler", "it has never run", "Start beat: `celery --app billing_site beat`.")
    elif status.is_silent(age):
        yield fails("scheduler", f"no sign of life for {age:.0f} s", "Start beat; its log says why it ended.")
    else:
        yield ok("scheduler", f"showed life {age:.0f} s ago")
    if len(places) > 1:
        says = f"{len(places)} run at once: {'; '.join(places)}"
        yield warning("scheduler", says, "Stop all but one: each task is sent as often as that. No money is harmed.")


def workers() -> Iterator[Result]:
    """Examine for each queue whether a worker ends tasks."""
    part = health.workers(task_runs.states(now=clock.now()))
    for queue, figures in part["queues"].items():
        age = figures["last_task_seconds_ago"]
        if age is None or age > task_runs.PATIENCE.total_seconds():
            says = "no task has ever ended" if age is None else f"the last task ended {age:.0f} s ago"
            yield fails(f"worker {queue}", says, f"Start a worker with `--queues {queue}`; its log says why it ended.")
        else:
            yield ok(f"worker {queue}", f"the last task ended {age:.0f} s ago")


def schedule() -> Iterator[Result]:
    """Examine whether each periodic task runs without errors, and none is disabled."""
    states = task_runs.states(now=clock.now())
    disabled = [state.task for state in states if not state.every and state.task in task_runs.scheduled()]
    for state in states:
        if state.is_late:
            says = f"{state.task}: no run without an error for {state.succeeded_ago:.0f} s"
            yield fails("schedule", says, state.error or "Look for task_failed in the log of its worker.")
    for task in disabled:
        yield warning("schedule", f"{task} is disabled", "Enable it in the admin under Periodic tasks.")
    if not disabled and not any(state.is_late for state in states):
        yield ok("schedule", f"{len(states)} tasks, none late")


def books() -> Iterator[Result]:
    """Examine whether books are overdue."""
    found = status.books(now=clock.now())
    if found.held_back:
        do = "Is the clock right? Then run `manage.py bill_due --catch-up`."
        yield fails("books", f"{found.held_back} are overdue by more than BILLING_MAX_CATCH_UP and wait for staff", do)
    if found.overdue:
        yield fails("books", f"{found.overdue} are overdue", "Does a worker of the queue billing run?")
    if not found.held_back and not found.overdue:
        yield ok("books", f"{found.due} are due, none overdue")


def parked() -> Iterator[Result]:
    """Count what waits for staff."""
    counts = {name: count for name, count in status.parked().items() if count}
    for name, count in counts.items():
        table = status.PARKED[name][2]
        where = f"Decide in the admin: {table}." if table else "See docs/runbook.md, 'Parked things'."
        yield warning("parked", f"{count} {name.replace('_', ' ')} wait for staff", where)
    if not counts:
        yield ok("parked", "nothing waits for staff")


def ledger() -> Iterator[Result]:
    """Judge the last ledger check."""
    now = clock.now()
    judged, last = health.last_check(now=now), ledger_checks.last()
    if last is None:
        yield unknown("ledger check", "it has not run yet", "Run `manage.py check_ledger`.")
    elif judged["status"] == health.OK:
        yield ok("ledger check", f"{last.checks} checks were clean at {last.started_at:%Y-%m-%d %H:%M} UTC")
    elif last.wrong:
        do = "Follow docs/runbook.md, 'If check_ledger fails'."
        yield fails("ledger check", f"{last.wrong} wrong rows at {last.started_at:%Y-%m-%d %H:%M} UTC", do)
    else:
        says = last.error or f"the last one was at {last.started_at:%Y-%m-%d %H:%M} UTC"
        yield fails("ledger check", says, "Run `manage.py check_ledger`; does the scheduler run at night?")
