"""What came out of a scenario, on a terminal: tables to read, and a bar while it is being played."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from subscriptions.simulation.fields import on_one_line
from subscriptions.simulation.play import Outcome, written
from subscriptions.simulation.scenario import Request, Scenario, Subscribe

# How many steps pass between two looks of the bar: drawing must not cost more than playing.
STRIDE = 500


@contextmanager
def progress(scenario: Scenario, console: Console) -> Iterator[Callable[[int], None]]:
    """Show a bar on `console` if it is a terminal; yields what to call with the number of steps done."""
    columns = TextColumn("Playing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("playing", total=len(scenario.events) + len(scenario.tick_range))
        waiting = 0

        def advance(steps: int) -> None:
            nonlocal waiting
            waiting += steps
            if waiting >= STRIDE:
                bar.advance(task, waiting)
                waiting = 0

        yield advance


def show(outcome: Outcome, scenario: Scenario, console: Console) -> None:
    """Print the outcome as tables."""
    if scenario.title:
        console.print(as_it_is(scenario.title), style="bold")
    if scenario.story:
        console.print(Text("\n".join(map(on_one_line, scenario.story.splitlines()))))
    console.print(customers(outcome, scenario.currency))
    console.print(subscriptions(outcome, scenario.currency))
    console.print(transactions(outcome, scenario.currency))
    for index in outcome["rejected"]:
        step = scenario.events[index]
        what = f"{step.do} {step.name if isinstance(step, Subscribe | Request) else step.customer}"
        console.print(as_it_is(f"Refused: events[{index}], {what} at {written(step.at)}"))


def as_it_is(text: str) -> Text:
    """Return the user's text to be printed letter by letter: no markup, no emoji names, no control characters."""
    return Text(on_one_line(text))


def table(title: str, *columns: str) -> Table:
    """Make an empty table. Columns named with a leading `>` stand to the right."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        made.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return made


def customers(outcome: Outcome, currency: str) -> Table:
    made = table("Customers", "customer", f">balance {currency}", f">debt {currency}")
    for name, customer in outcome["customers"].items():
        made.add_row(as_it_is(name), customer["balance"], customer["debt"])
    return made


def subscriptions(outcome: Outcome, currency: str) -> Table:
    made = table("Subscriptions", "subscription", "status", f">charged {currency}", "access")
    for name, subscription in outcome["subscriptions"].items():
        spans = [f"{short(start)} - {short(end)}" for start, end in subscription["access"]]
        made.add_row(as_it_is(name), subscription["status"], subscription["charged"], "\n".join(spans) or "never")
    return made


def transactions(outcome: Outcome, currency: str) -> Table:
    made = table(
        "Transactions", "at", "customer", "subscription", "reason", f">amount {currency}", f">balance {currency}"
    )
    for row in outcome["transactions"]:
        names = as_it_is(row["customer"]), as_it_is(row["subscription"] or "")
        made.add_row(short(row["at"]), *names, row["reason"], row["amount"], row["balance"])
    return made


def short(instant: str | None) -> str:
    return instant.replace("T", " ").removesuffix("Z") if instant else "now"
