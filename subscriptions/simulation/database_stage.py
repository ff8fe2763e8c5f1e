"""The real tables as a stage: customers, plans and prices are made for the play, books does the rest, nothing stays."""

from collections.abc import Callable
from typing import assert_never
from uuid import uuid4

from django.db import connection, transaction

from accounts.models import User
from events.models import Event
from ledger.models import Account, Transaction
from subscriptions import books
from subscriptions.books import OpenBook
from subscriptions.engine.calendar import to_datetime, to_micros
from subscriptions.engine.subscription import LIVE, Terms
from subscriptions.models import Charge, Plan, Price, Subscription
from subscriptions.simulation.play import Outcome, Record, ignore, play_on
from subscriptions.simulation.scenario import Scenario, Step


def play(scenario: Scenario, advance: Callable[[int], None] = ignore) -> Outcome:
    """Play a scenario through the tables, in one transaction, and roll it back."""
    with transaction.atomic():
        outcome = play_on(DatabaseStage(scenario), scenario, advance)
        with connection.cursor() as cursor:
            # What is checked at a commit is checked now, since there will be none.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)
    return outcome


class DatabaseStage:
    """Users by the customer's name, subscriptions by theirs. The clock is the scenario's."""

    def __init__(self, scenario: Scenario) -> None:
        self.record = Record(scenario.currency)
        self.currency = scenario.currency
        # Keeps the names and keys of this play apart from everything that is there.
        self.mark = uuid4().hex
        # Where the customers' money comes from and goes to: an account that nobody else waits for.
        self.outside = f"adjustments:{self.mark}"
        self.users: dict[str, User] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.prices = {terms.plan: self.sell(terms, number) for number, terms in enumerate(scenario.plans)}
        self.movements = 0

    def sell(self, terms: Terms, number: int) -> Price:
        """Make a plan and its price."""
        plan = Plan.objects.create(code=f"{self.mark}-{number}", name=str(terms.plan), is_public=False)
        return Price.objects.create(
            plan=plan, currency=self.currency, amount=terms.amount, interval=terms.interval,
            interval_count=terms.count, metered=terms.metered, trial_days=terms.trial_days,
            grace_days=terms.grace_days,
        )  # fmt: skip

    def user(self, customer: str) -> User:
        if customer not in self.users:
            name = f"{self.mark}-{len(self.users)}"
            self.users[customer] = User.objects.create_user(name, f"{name}@example.com")
        return self.users[customer]

    def act(self, step: Step) -> bool:
        """Do one step in an opened book. Refused: the book is settled all the same, and that is written."""
        with books.open(self.user(step.customer), self.currency, now=to_datetime(step.at)) as book:
            try:
                self.request(book, step)
            except books.Refused:
                return False
        return True

    def request(self, book: OpenBook, step: Step) -> None:
        match step.do:
            case "top_up":
                book.top_up(step.amount, key=self.key(), source=self.outside)
            case "withdraw":
                book.withdraw(step.amount, key=self.key(), to=self.outside)
            case "subscribe":
                self.subscriptions[step.name] = book.subscribe(
                    self.prices[step.plan.plan],
                    quantity=step.quantity, periods=step.periods, auto_renew=step.auto_renew,
                )  # fmt: skip
            case "change_plan":
                price = self.prices[step.plan.plan]
                effective_at = None if step.effective_at is None else to_datetime(step.effective_at)
                book.change_plan(self.subscriptions[step.name], price, when=step.when, effective_at=effective_at)
            case "cancel":
                book.cancel(self.subscriptions[step.name], when=step.when, refund_unused=step.refund_unused)
            case "undo_cancel":
                book.undo_cancel(self.subscriptions[step.name])
            case "pause":
                book.pause(self.subscriptions[step.name])
            case "resume":
                book.resume(self.subscriptions[step.name])
            case _:
                assert_never(step.do)

    def key(self) -> str:
        self.movements += 1
        return f"simulation:{self.mark}:{self.movements}"

    def settle(self, at: int) -> None:
        """Open and close every book."""
        for user in self.users.values():
            with books.open(user, self.currency, now=to_datetime(at)):
                pass

    def outcome(self) -> Outcome:
        """Say how everything stands and what happened on the way, from what is written in the tables."""
        mine = {customer: wallet_of(user, self.currency) for customer, user in self.users.items()}
        rows = {name: Subscription.objects.get(pk=row.pk) for name, row in self.subscriptions.items()}
        self.record_transactions({wallet.pk: customer for customer, wallet in mine.items()})
        self.record_access({row.public_id: name for name, row in rows.items()})
        balances = {customer: wallet.balance or 0 for customer, wallet in mine.items()}
        return self.record.outcome(balances, {name: row.status for name, row in rows.items()})

    def record_transactions(self, customers: dict[int, str]) -> None:
        names = {row.pk: name for name, row in self.subscriptions.items()}
        charges = Charge.objects.filter(subscription__in=names)
        paid = dict(charges.exclude(transaction=None).values_list("transaction_id", "subscription_id"))
        back = dict(charges.exclude(refund=None).values_list("refund_id", "subscription_id"))
        causes = {pk: names[subscription] for pk, subscription in (paid | back).items()}
        for row in Transaction.objects.filter(wallet_id__in=customers).order_by("id"):
            assert row.wallet_id is not None
            assert row.balance_after is not None
            amount = -row.amount if row.debit_id == row.wallet_id else row.amount
            at, cause = to_micros(row.effective_at), causes.get(row.pk)
            self.record.entry(at, customers[row.wallet_id], cause, row.reason, amount, row.balance_after)

    def record_access(self, names: dict[str, str]) -> None:
        rows = Event.objects.filter(subject__in=names).order_by("id").values_list("effective_at", "subject", "data")
        for at, subject, data in rows:
            if (data["from"] in LIVE) != (data["to"] in LIVE):
                self.record.turn(to_micros(at), names[subject], data["to"] in LIVE)


def wallet_of(user: User, currency: str) -> Account:
    return Account.objects.get(owner=user, currency=currency, kind=Account.Kind.WALLET)
