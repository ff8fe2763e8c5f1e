"""R7: play a scenario on the model and return the outcome in the format of `manage.py simulate --json`."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.subscriptions.engine.model import operations
from tests.subscriptions.engine.model.calendar import parse, text
from tests.subscriptions.engine.model.cash import minor
from tests.subscriptions.engine.model.cash import text as money
from tests.subscriptions.engine.model.settlement import settle
from tests.subscriptions.engine.model.state import Book, Refused, Sub, new_book, new_sub


def play(scenario: dict[str, Any]) -> dict[str, Any]:
    """Play every tick and event up to `until`. Ticks go before events at the same instant (R1 allows both)."""
    currency, until = scenario["currency"], parse(scenario["until"])
    plans = {plan["code"]: full(plan, currency) for plan in scenario["plans"]}
    events = [{**event, "at": parse(event["at"])} for event in scenario["events"]]
    ticks = list(tick_instants(scenario.get("ticks"), events[0]["at"] if events else until, until))
    books: dict[str, Book] = {}
    subs: dict[str, Sub] = {}
    owners: dict[str, str] = {}
    rejected = []
    for index, event in enumerate(events):
        while ticks and ticks[0] <= event["at"]:
            settle_all(books, ticks.pop(0))
        customer = event.get("customer") or owners[event["subscription"]]
        book = books.setdefault(customer, new_book(customer, event["at"]))
        owners.setdefault(event.get("as", ""), customer)
        settle(book, event["at"])
        try:
            act(book, event, plans, subs, currency)
        except Refused:
            rejected.append(index)
    for instant in [*ticks, until]:
        settle_all(books, instant)
    return outcome(books, currency, rejected)


def full(plan: dict[str, Any], currency: str) -> dict[str, Any]:
    defaults = {"interval_count": 1, "metered": False, "trial_days": 0, "grace_days": 0}
    return {**defaults, **plan, "amount": minor(plan["amount"], currency)}


def tick_instants(ticks: dict[str, Any] | None, first: datetime, until: datetime) -> Iterator[datetime]:
    if ticks is None:
        return
    down = [(parse(start), parse(end)) for start, end in ticks.get("down", [])]
    instant = first
    while instant <= until:
        if not any(start <= instant < end for start, end in down):
            yield instant
        instant += timedelta(seconds=ticks["every_seconds"])


def settle_all(books: dict[str, Book], instant: datetime) -> None:
    for book in books.values():
        settle(book, instant)


def act(book: Book, event: dict[str, Any], plans: dict[str, Any], subs: dict[str, Sub], currency: str) -> None:
    at = event["at"]
    match event["do"]:
        case "top_up":
            operations.top_up(book, at, minor(event["amount"], currency))
        case "withdraw":
            operations.withdraw(book, at, minor(event["amount"], currency))
        case "subscribe":
            counts = event.get("quantity", 1), event.get("periods", 1), event.get("auto_renew", True)
            sub = subs[event["as"]] = new_sub(event["as"], plans[event["plan"]], *counts)
            operations.subscribe(book, at, sub)
        case "change_plan":
            plan, when, then = plans[event["plan"]], event.get("when", "now"), event.get("effective_at")
            operations.change_plan(book, at, subs[event["subscription"]], plan, when, then and parse(then))
        case "cancel":
            sub = subs[event["subscription"]]
            operations.cancel(book, at, sub, event.get("when"), event.get("refund_unused", False))
        case "pause":
            operations.pause(book, at, subs[event["subscription"]])
        case "resume":
            operations.resume(book, at, subs[event["subscription"]])
        case "undo_cancel":
            operations.undo_cancel(book, at, subs[event["subscription"]])
        case unknown:
            raise ValueError(unknown)


def outcome(books: dict[str, Book], currency: str, rejected: list[int]) -> dict[str, Any]:
    rows = sorted((row["at"], name, number) for name, book in books.items() for number, row in enumerate(book["rows"]))
    return {
        "customers": {name: {"balance": money(book["balance"], currency)} for name, book in books.items()},
        "subscriptions": {
            sub["name"]: {
                "status": sub["status"],
                "charged": money(sub["charged"], currency),
                "access": [[text(start), text(end)] for start, end in joined(sub["spans"])],
            }
            for book in books.values()
            for sub in book["subs"]
        },
        "rejected": rejected,
        "transactions": [written(books[name], number, currency) for _, name, number in rows],
    }


def written(book: Book, number: int, currency: str) -> dict[str, Any]:
    row = book["rows"][number]
    amounts = {"amount": money(row["amount"], currency), "balance": money(row["balance"], currency)}
    return {**row, **amounts, "at": text(row["at"]), "customer": book["customer"]}


def joined(spans: list[list[Any]]) -> list[list[Any]]:
    """Join adjacent spans and leave out empty ones."""
    whole: list[list[Any]] = []
    for start, end in spans:
        if start == end:
            continue
        if whole and whole[-1][1] == start:
            whole[-1][1] = end
        else:
            whole.append([start, end])
    return whole
