"""The real tables as a stage: customers, plans and prices are made for the play, books does the rest, nothing stays."""

from collections.abc import Callable
from uuid import uuid4

from django.db import connection, transaction

from accounts.models import User
from events.models import Event
from ledger import wallets
from ledger.models import Account, Transaction
from subscriptions import books, refusals
from subscriptions.books import OpenBook
from subscriptions.engine.calendar import to_datetime, to_micros
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import LIVE, Terms
from subscriptions.models import Charge, Plan, Price, Subscription
from subscriptions.simulation.play import Outcome, Record, ignore, play_on
from subscriptions.simulation.scenario import (
    Cancel,
    ChangePlan,
    ChangeQuantity,
    Movement,
    Request,
    Scenario,
    SetAutoRenew,
    Step,
    Subscribe,
    TopUp,
)
from subscriptions.storage import read, write
from subscriptions.storage.read import LoadedBook

# Charges of one book after which it is written.
MOST_HELD = 1000


def play(scenario: Scenario, advance: Callable[[int], None] = ignore, *, most_held: int = MOST_HELD) -> Outcome:
    """Play a scenario through the tables, in one transaction, and roll it back.

    Ticks write a book when they have made `most_held` charges; with 0, each tick does.
    """
    with transaction.atomic():
        outcome = play_on(DatabaseStage(scenario, most_held=most_held), scenario, advance)
        with connection.cursor() as cursor:
            # What is checked at a commit is checked now, since there will be none.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)
    return outcome


class DatabaseStage:
    """Users by the customer's name, subscriptions by theirs. The clock is the scenario's."""

    def __init__(self, scenario: Scenario, *, most_held: int = MOST_HELD) -> None:
        self.most_held = most_held
        self.record = Record(scenario.currency)
        self.currency = scenario.currency
        self.order_days = scenario.order_days
        # Keeps the names and keys of this play apart from everything that is there.
        self.mark = uuid4().hex
        # Where the customers' money comes from and goes to: an account that nobody else waits for.
        self.outside = f"adjustments:{self.mark}"
        self.users: dict[str, User] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.prices = {terms.plan: self.sell(terms, number) for number, terms in enumerate(scenario.plans)}
        self.movements = 0
        # Books that ticks have settled and that are not written yet, by their wallet.
        self.held: dict[int, LoadedBook] = {}
        # The next instant at which settling a book, by its wallet, does anything; None: never.
        self.wakes_at: dict[int, int | None] = {}

    def sell(self, terms: Terms, number: int) -> Price:
        """Make a plan and its price."""
        plan = Plan.objects.create(code=f"{self.mark}-{number}", name=str(terms.plan), is_public=False)
        return Price.objects.create(
            plan=plan, currency=self.currency, amount=terms.amount, interval=terms.interval,
            interval_count=terms.count, metered=terms.metered, trial_days=terms.trial_days,
            grace_days=terms.grace_days, keep_days=terms.keep_days, trial_quantity_max=terms.trial_quantity_max,
            can_pause=terms.can_pause, can_refund_unused=terms.can_refund_unused,
        )  # fmt: skip

    def user(self, customer: str) -> User:
        if customer not in self.users:
            name = f"{self.mark}-{len(self.users)}"
            self.users[customer] = User.objects.create_user(name, f"{name}@example.com")
        return self.users[customer]

    def act(self, step: Step) -> bool:
        """Do one step in an opened book. Refused: the book is settled all the same, and that is written."""
        user = self.user(step.customer)
        self.write(wallets.wallet_id_of(user.pk, self.currency))
        with books.open(user, self.currency, now=to_datetime(step.at)) as book:
            book.item.book.order_days = self.order_days
            try:
                self.request(book, step)
                is_allowed = True
            except refusals.Refused:
                is_allowed = False
        self.wakes_at[book.item.wallet_id] = book.item.book.wakes_at
        return is_allowed

    def request(self, book: OpenBook, step: Step) -> None:
        match step:
            case TopUp():
                paid_for = self.subscriptions.get(step.paid_for.name) if step.paid_for else None
                book.top_up(step.amount, key=self.key(), source=self.outside, first=paid_for)
            case Movement(do="withdraw"):
                book.withdraw(step.amount, key=self.key(), to=self.outside)
            case Movement():
                book.lose_dispute(step.amount, key=self.key(), to=self.outside)
            case Subscribe():
                self.subscriptions[step.name] = book.subscribe(
                    self.prices[step.plan.plan], quantity=step.quantity, periods=step.periods,
                    auto_renew=step.auto_renew, is_checkout=step.checkout,
                )  # fmt: skip
            case _:
                if step.name not in self.subscriptions:
                    # It was refused when it was ordered.
                    raise refusals.Refused(Refusal.FINAL, "")
                self.change(book, self.subscriptions[step.name], step)

    def change(self, book: OpenBook, row: Subscription, step: Request) -> None:
        match step:
            case ChangePlan():
                book.change_plan(row, self.prices[step.plan.plan], when=step.when)
            case ChangeQuantity():
                book.change_quantity(row, step.quantity, when=step.when)
            case SetAutoRenew():
                book.set_auto_renew(row, step.value)
            case Cancel():
                book.cancel(row, when=step.when, refund_unused=step.refund_unused)
            case _:
                acts = {"start": book.start, "pause": book.pause, "resume": book.resume}
                acts.get(step.do, book.undo_cancel)(row)

    def key(self) -> str:
        self.movements += 1
        return f"simulation:{self.mark}:{self.movements}"

    def settle(self, at: int) -> None:
        """Settle every book that has anything to do by then, and hold it until it is written.

        Within one transaction PostgreSQL keeps every version of a row: with one for each tick, a year would take hours.
        """
        due = {wallet for wallet, wakes_at in self.wakes_at.items() if wakes_at is not None and wakes_at <= at}
        if new := due - self.held.keys():
            self.held |= {item.wallet_id: item for item in read.lock(sorted(new))}
        for wallet in due:
            item = self.held[wallet]
            settle(item.book, at)
            self.wakes_at[wallet] = item.book.wakes_at
            if len(item.book.journal.charges) >= self.most_held:
                self.write(wallet)

    def write(self, *wallet_ids: int) -> None:
        """Save those of these books that are held, as a billing run does."""
        held = [item for wallet in wallet_ids if (item := self.held.pop(wallet, None))]
        if held:
            write.write(held)

    def outcome(self) -> Outcome:
        """Say how everything stands and what happened on the way, from what is written in the tables."""
        self.write(*self.held)
        mine = {customer: wallet_of(user, self.currency) for customer, user in self.users.items()}
        rows = {name: Subscription.objects.get(pk=row.pk) for name, row in self.subscriptions.items()}
        self.record_transactions({wallet.pk: customer for customer, wallet in mine.items()})
        self.record_access({row.public_id: name for name, row in rows.items()})
        money = {
            customer: (mine[customer].balance or 0, debt_of(user, self.currency))
            for customer, user in self.users.items()
        }
        return self.record.outcome(money, {name: row.status for name, row in rows.items()})

    def record_transactions(self, customers: dict[int, str]) -> None:
        names = {row.pk: name for name, row in self.subscriptions.items()}
        charges = Charge.objects.filter(subscription__in=names)
        for subscription, owed in charges.filter(debt_transaction__isnull=False).values_list(
            "subscription", "debt_transaction__amount"
        ):
            self.record.owe(names[subscription], owed)
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


def debt_of(user: User, currency: str) -> int:
    debt = Account.objects.filter(owner=user, currency=currency, kind=Account.Kind.DEBT).first()
    return -(debt.balance or 0) if debt else 0
