"""R7: play a scenario on the model and return the outcome in the format of `manage.py simulate --json`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.subscriptions.engine.model import changes, operations
from tests.subscriptions.engine.model.calendar import parse, text
from tests.subscriptions.engine.model.cash import minor
from tests.subscriptions.engine.model.cash import text as money
from tests.subscriptions.engine.model.settlement import settle
from tests.subscriptions.engine.model.state import Book, Refused, Sub, new_book, new_sub


def play(scenario: dict[str, Any]) -> dict[str, Any]:
    """Play every tick and event up to `until`. Ticks go before events at the same instant (R1 allows both)."""
    books, rejected = play_books(scenario)
    return outcome(books, scenario["currency"], rejected)


def play_books(
    scenario: dict[str, Any], more: Sequence[datetime] = (), watch: Callable[[Book], None] = lambda book: None
) -> tuple[dict[str, Book], list[int]]:
    """Play a scenario and return the books, and the indexes of refused events.

    All books are settled at `more` instants too, and every settled or changed book is shown to `watch`.
    """
    currency, until = scenario["currency"], parse(scenario["until"])
    plans = {plan["code"]: full(plan, currency) for plan in scenario["plans"]}
    events = [{**event, "at": parse(event["at"])} for event in scenario["events"]]
    ticks = [*tick_instants(scenario.get("ticks"), events[0]["at"] if events else until, until), *more]
    ticks = sorted(tick for tick in ticks if tick <= until)
    books: dict[str, Book] = {}
    subs: dict[str, Sub] = {}
    owners: dict[str, str] = {}
    rejected = []
    for index, event in enumerate(events):
        while ticks and ticks[0] <= event["at"]:
            settle_all(books, ticks.pop(0), watch)
        customer = event.get("customer") or owners[event["subscription"]]
        book = books.setdefault(customer, new_book(customer, event["at"], scenario.get("order_days", 14)))
        owners.setdefault(event.get("as", ""), customer)
        settle_all({customer: book}, event["at"], watch)
        try:
            act(book, event, plans, subs, currency)
        except Refused:
            rejected.append(index)
        watch(book)
    for instant in [*ticks, until]:
        settle_all(books, instant, watch)
    return books, rejected


def full(plan: dict[str, Any], currency: str) -> dict[str, Any]:
    defaults = {
        "interval_count": 1, "metered": False, "trial_days": 0, "grace_days": 0, "keep_days": 30,
        "trial_quantity_max": 10, "can_pause": True, "can_refund_unused": True,
    }  # fmt: skip
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


def settle_all(books: dict[str, Book], instant: datetime, watch: Callable[[Book], None]) -> None:
    for book in books.values():
        settle(book, instant)
        watch(book)


def act(book: Book, event: dict[str, Any], plans: dict[str, Any], subs: dict[str, Sub], currency: str) -> None:
    """Do what an event asks in a settled book. Refused: the book and `subs` are as before."""
    before = taken_down(book)
    try:
        if "customer" in event:
            move_or_subscribe(book, event, plans, subs, currency)
        elif event["subscription"] in subs:
            request(book, event, plans, subs[event["subscription"]])
        else:
            # A subscription that was refused does not exist.
            raise Refused
    except Refused:
        put_back(book, before)
        if event.get("as") in subs and subs[event["as"]] not in book["subs"]:
            del subs[event["as"]]
        raise


def taken_down(book: Book) -> tuple[Book, list[Sub]]:
    """Return a copy of all that an operation may change."""
    lists = {"subs": list(book["subs"]), "trials": set(book["trials"]), "rows": list(book["rows"])}
    subs = [
        {**sub, "spans": [list(span) for span in sub["spans"]], "history": list(sub["history"])} for sub in book["subs"]
    ]
    return {**book, **lists}, subs


def put_back(book: Book, before: tuple[Book, list[Sub]]) -> None:
    book.update(before[0])
    for sub, as_it_was in zip(book["subs"], before[1], strict=True):
        sub.update(as_it_was)


def move_or_subscribe(
    book: Book, event: dict[str, Any], plans: dict[str, Any], subs: dict[str, Sub], currency: str
) -> None:
    """Do an event of a customer."""
    at = max(event["at"], book["at"])
    match event["do"]:
        case "top_up":
            operations.top_up(book, at, minor(event["amount"], currency), subs.get(event.get("for", "")))
        case "withdraw":
            operations.withdraw(book, at, minor(event["amount"], currency))
        case "dispute_lost":
            operations.dispute_lost(book, at, minor(event["amount"], currency))
        case "subscribe":
            counts = event.get("quantity", 1), event.get("periods", 1), event.get("auto_renew", True)
            sub = subs[event["as"]] = new_sub(event["as"], plans[event["plan"]], *counts)
            operations.subscribe(book, at, sub, event.get("checkout", False))
        case unknown:
            raise ValueError(unknown)


def request(book: Book, event: dict[str, Any], plans: dict[str, Any], sub: Sub) -> None:
    """Do a request about a subscription."""
    at, when = max(event["at"], book["at"]), event.get("when")
    match event["do"]:
        case "start":
            operations.start_from_balance(book, at, sub)
        case "set_auto_renew":
            operations.set_auto_renew(sub, event["value"])
        case "change_plan":
            changes.change_plan(book, at, sub, plans[event["plan"]], when or "now")
        case "change_quantity":
            changes.change_quantity(book, at, sub, event["quantity"], when or "now")
        case "pause":
            operations.pause(at, sub)
        case "resume":
            operations.resume(book, at, sub)
        case "cancel":
            operations.cancel(book, at, sub, when, event.get("refund_unused", False))
        case "undo_cancel":
            operations.undo_cancel(sub)
        case unknown:
            raise ValueError(unknown)


def outcome(books: dict[str, Book], currency: str, rejected: list[int]) -> dict[str, Any]:
    rows = sorted((row["at"], name, number) for name, book in books.items() for number, row in enumerate(book["rows"]))
    return {
        "customers": {
            name: {"balance": money(book["balance"], currency), "debt": money(book["debt"], currency)}
            for name, book in books.items()
        },
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
