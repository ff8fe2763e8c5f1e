"""The bare engine as a stage: books in memory, no table, no clock."""

from typing import Any

from subscriptions.engine import metering, operations
from subscriptions.engine.book import Book
from subscriptions.engine.operations import change_plan
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import LIVE, Sub
from subscriptions.simulation.outcome import Record
from subscriptions.simulation.scenario import Scenario, Step


class PureStage:
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
        is_done = self.request(book, step)
        self.take_down(step.customer, book)
        return is_done

    def request(self, book: Book, step: Step) -> bool:
        at = step.at
        if step.do == "top_up":
            operations.top_up(book, at, step.amount)
            return True
        if step.do == "withdraw":
            return operations.withdraw(book, at, step.amount) is None
        if step.do == "subscribe":
            assert step.terms is not None
            sub = Sub(step.subscription, step.terms, step.quantity, step.periods, step.auto_renew)
            self.subs[step.subscription] = sub
            operations.subscribe(book, at, sub)
            return True
        return self.request_of(book, self.subs[step.subscription], step)

    def request_of(self, book: Book, sub: Sub, step: Step) -> bool:
        """Do what is asked of one subscription."""
        match step.do:
            case "change_plan":
                assert step.terms is not None
                when, effective = step.when or "now", step.effective_at
                refusal = change_plan(book, step.at, sub, step.terms, when=when, effective=effective)
            case "cancel":
                refusal = operations.cancel(book, step.at, sub, when=step.when, refund_unused=step.refund_unused)
            case "undo_cancel":
                refusal = operations.undo_cancel(book, step.at, sub)
            case "pause":
                refusal = operations.pause(book, step.at, sub)
            case _:
                refusal = operations.resume(book, step.at, sub)
        return refusal is None

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
        for entry in journal.entries:
            name = None if entry.sub is None else str(entry.sub.id)
            self.record.entry(entry.at, customer, name, entry.reason, entry.amount, entry.balance)
        for event in journal.events:
            if (event.before in LIVE) != (event.after in LIVE):
                self.record.turn(event.at, str(event.sub.id), event.after in LIVE)
        for rows in (journal.entries, journal.charges, journal.cuts, journal.events):
            rows.clear()
        if any(sub.rate for sub in metering.metered(book)):
            self.wakes_at[customer] = book.at
        else:
            self.wakes_at[customer] = min((at for sub in book.subs if (at := sub.boundary) is not None), default=None)

    def outcome(self) -> dict[str, Any]:
        """Say how everything stands and what happened on the way."""
        balances = {customer: book.balance for customer, book in self.books.items()}
        return self.record.outcome(balances, {name: str(sub.status) for name, sub in self.subs.items()})
