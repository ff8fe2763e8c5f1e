"""The bare engine as a stage: books in memory, no table, no clock."""

from collections.abc import Callable
from typing import assert_never

from subscriptions.engine import metering, operations
from subscriptions.engine.book import Book
from subscriptions.engine.operations import Refusal, change_plan
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import LIVE, Sub
from subscriptions.simulation.play import Outcome, Record, ignore, play_on
from subscriptions.simulation.scenario import Scenario, Step


def play(scenario: Scenario, advance: Callable[[int], None] = ignore) -> Outcome:
    """Play a scenario on the bare engine."""
    return play_on(EngineStage(scenario), scenario, advance)


class EngineStage:
    """Books by customer and subscriptions by name."""

    def __init__(self, scenario: Scenario) -> None:
        self.record = Record(scenario.currency)
        self.books: dict[str, Book] = {}
        self.subs: dict[str, Sub] = {}
        # The next instant at which settling a book does anything; None: never.
        self.wakes_at: dict[str, int | None] = {}

    def act(self, step: Step) -> bool:
        """Do one step; False when the rules refuse it."""
        book = self.books.setdefault(step.customer, Book())
        refusal = self.request(book, step)
        self.take_down(step.customer, book)
        return refusal is None

    def request(self, book: Book, step: Step) -> Refusal | None:
        at = step.at
        match step.do:
            case "top_up":
                operations.top_up(book, at, step.amount)
                return None
            case "withdraw":
                return operations.withdraw(book, at, step.amount)
            case "subscribe":
                sub = self.subs[step.name] = Sub(step.name, step.plan, step.quantity, step.periods, step.auto_renew)
                operations.subscribe(book, at, sub)
                return None
        sub = self.subs[step.name]
        match step.do:
            case "change_plan":
                return change_plan(book, at, sub, step.plan, when=step.when, effective=step.effective_at)
            case "cancel":
                return operations.cancel(book, at, sub, when=step.when, refund_unused=step.refund_unused)
            case "pause":
                return operations.pause(book, at, sub)
            case "resume":
                return operations.resume(book, at, sub)
            case "undo_cancel":
                return operations.undo_cancel(book, at, sub)
            case _:
                assert_never(step.do)

    def settle(self, at: int) -> None:
        """Settle every book that has anything to do by then."""
        for customer, wakes_at in self.wakes_at.items():
            if wakes_at is not None and wakes_at <= at:
                book = self.books[customer]
                settle(book, at)
                self.take_down(customer, book)

    def take_down(self, customer: str, book: Book) -> None:
        """Move what the engine noted into the record, and work out when the book wakes next."""
        journal = book.journal
        for movement in journal.movements:
            name = None if movement.sub is None else str(movement.sub.id)
            self.record.entry(movement.at, customer, name, movement.reason, movement.amount, movement.balance)
        for event in journal.events:
            if (event.before in LIVE) != (event.after in LIVE):
                self.record.turn(event.at, str(event.sub.id), event.after in LIVE)
        for rows in (journal.movements, journal.charges, journal.cuts, journal.events):
            rows.clear()
        if any(sub.rate for sub in metering.metered(book)):
            self.wakes_at[customer] = book.at
        else:
            self.wakes_at[customer] = min((at for sub in book.subs if (at := sub.boundary) is not None), default=None)

    def outcome(self) -> Outcome:
        """Say how everything stands and what happened on the way."""
        balances = {customer: book.balance for customer, book in self.books.items()}
        return self.record.outcome(balances, {name: str(sub.status) for name, sub in self.subs.items()})
