"""The bare engine as a stage: books in memory, no table, no clock."""

from collections.abc import Callable

from subscriptions.engine import funds, operations
from subscriptions.engine.book import Book
from subscriptions.engine.changes import change_plan, change_quantity
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import LIVE, Sub
from subscriptions.simulation.play import Outcome, Record, ignore, play_on
from subscriptions.simulation.scenario import (
    Cancel,
    ChangePlan,
    ChangeQuantity,
    Request,
    Scenario,
    SetAutoRenew,
    Step,
    Subscribe,
)

# Requests without further fields.
PLAIN = {
    "start": operations.start_waiting,
    "pause": operations.pause,
    "resume": operations.resume,
    "undo_cancel": operations.undo_cancel,
}


def play(scenario: Scenario, advance: Callable[[int], None] = ignore) -> Outcome:
    """Play a scenario on the bare engine."""
    return play_on(EngineStage(scenario), scenario, advance)


class EngineStage:
    """Books by customer and subscriptions by name."""

    def __init__(self, scenario: Scenario) -> None:
        self.record = Record(scenario.currency)
        self.order_days = scenario.order_days
        self.books: dict[str, Book] = {}
        self.subs: dict[str, Sub] = {}
        # The next instant at which settling a book does anything; None: never.
        self.wakes_at: dict[str, int | None] = {}

    def act(self, step: Step) -> bool:
        """Do one step; False when the rules refuse it."""
        book = self.books.setdefault(step.customer, Book(order_days=self.order_days))
        refusal = self.request(book, step)
        self.take_down(step.customer, book)
        return refusal is None

    def request(self, book: Book, step: Step) -> Refusal | None:
        at = step.at
        match step.do:
            case "top_up":
                paid_for = self.subs.get(step.paid_for.name) if step.paid_for else None
                return funds.top_up(book, at, step.amount, first=paid_for)
            case "withdraw":
                return funds.withdraw(book, at, step.amount)
            case "dispute_lost":
                return funds.lose_dispute(book, at, step.amount)
            case "subscribe":
                return self.subscribe(book, step)
        if step.name in self.subs:
            return change(book, self.subs[step.name], step)
        # It was refused when it was ordered.
        settle(book, at)
        return Refusal.FINAL

    def subscribe(self, book: Book, step: Subscribe) -> Refusal | None:
        sub = Sub(step.name, step.plan, step.quantity, step.periods, step.auto_renew)
        refusal = operations.subscribe(book, step.at, sub, is_checkout=step.checkout)
        if refusal is None:
            self.subs[step.name] = sub
        return refusal

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
            if movement.on_debt:
                if name is not None:
                    self.record.owe(name, movement.amount)
                continue
            self.record.entry(movement.at, customer, name, movement.reason, movement.amount, movement.balance)
        for event in journal.events:
            if (event.before in LIVE) != (event.after in LIVE):
                self.record.turn(event.at, str(event.sub.id), event.after in LIVE)
        for rows in (journal.movements, journal.charges, journal.cuts, journal.events):
            rows.clear()
        self.wakes_at[customer] = book.wakes_at

    def outcome(self) -> Outcome:
        """Say how everything stands and what happened on the way."""
        money = {customer: (book.balance, book.debt) for customer, book in self.books.items()}
        return self.record.outcome(money, {name: str(sub.status) for name, sub in self.subs.items()})


def change(book: Book, sub: Sub, step: Request) -> Refusal | None:
    """Do what a customer asks of a subscription."""
    at = step.at
    match step:
        case ChangePlan():
            return change_plan(book, at, sub, step.plan, when=step.when)
        case ChangeQuantity():
            return change_quantity(book, at, sub, step.quantity, when=step.when)
        case SetAutoRenew():
            return operations.set_auto_renew(book, at, sub, step.value)
        case Cancel():
            return operations.cancel(book, at, sub, when=step.when, refund_unused=step.refund_unused)
    return PLAIN[step.do](book, at, sub)
