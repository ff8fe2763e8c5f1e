"""Playing a scenario on a stage, ticks and steps in order of time, and the outcome by R7 of the billing rules."""

from collections.abc import Callable, Iterable
from typing import Annotated, Literal, Protocol

from pydantic import ConfigDict, Field, StringConstraints, with_config
from typing_extensions import TypeAliasType, TypedDict

from ledger.money import Money
from subscriptions.engine.calendar import to_datetime
from subscriptions.engine.subscription import Status
from subscriptions.simulation.fields import read_as
from subscriptions.simulation.scenario import Scenario, Step

# --- The outcome: what `simulate --json` prints, and the definition of its published schema ---

Instant = TypeAliasType(
    "Instant", Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{6})?Z$")]
)
NotNegative = TypeAliasType("NotNegative", Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?$")])

Reason = Literal["top_up", "charge", "unused_refund", "refund", "debt_payment", "chargeback"]

closed = with_config(ConfigDict(extra="forbid"))


@closed
class CustomerOutcome(TypedDict):
    balance: Annotated[NotNegative, Field(description="In the wallet at `until`.")]
    debt: Annotated[NotNegative, Field(description="Owed at `until`: grace that was not paid, a lost dispute.")]


@closed
class SubscriptionOutcome(TypedDict):
    status: Annotated[str, read_as(Status)]
    charged: Annotated[NotNegative, Field(description="Charges less refunds of unused time.")]
    access: Annotated[
        list[list[str | None]],
        read_as(list[tuple[Instant, Instant | None]]),
        Field(description="Half-open spans in which it was live; null: it still is."),
    ]


@closed
class TransactionOutcome(TypedDict):
    at: Instant
    customer: str
    subscription: Annotated[str | None, Field(description="null for money that comes in or goes out.")]
    reason: Annotated[str, read_as(Reason)]
    amount: Annotated[
        str,
        StringConstraints(pattern=r"^-?\d+(\.\d+)?$"),
        Field(description="Gained by the wallet; with a minus, lost."),
    ]
    balance: Annotated[NotNegative, Field(description="In the wallet afterwards.")]


@closed
class Outcome(TypedDict):
    """What manage.py simulate --json prints."""

    customers: Annotated[dict[str, CustomerOutcome], Field(description="Everyone whom an event names.")]
    subscriptions: Annotated[dict[str, SubscriptionOutcome], Field(description="By the name that `as` gave.")]
    rejected: Annotated[
        list[Annotated[int, Field(ge=0)]],
        Field(description="Indexes of the events that the rules refused.", json_schema_extra={"uniqueItems": True}),
    ]
    transactions: Annotated[
        list[TransactionOutcome], Field(description="By time, then customer, then as they were posted.")
    ]


class Record:
    """Collects what happens while a scenario is played: movements of money, and who is live from when to when."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.rows: list[tuple[int, str, str | None, str, int, int]] = []
        self.spans: dict[str, list[list[int | None]]] = {}
        self.owed: dict[str, int] = {}
        self.rejected: list[int] = []

    def entry(self, at: int, customer: str, subscription: str | None, reason: str, amount: int, balance: int) -> None:
        """Note one movement; those of one customer come in the order in which they were posted."""
        self.rows.append((at, customer, subscription, reason, amount, balance))

    def turn(self, at: int, subscription: str, is_live: bool) -> None:
        """Note that the subscription begins or ceases to be live. Touching spans are joined, empty ones dropped."""
        spans = self.spans.setdefault(subscription, [])
        if is_live and spans and spans[-1][1] == at:
            spans[-1][1] = None
        elif is_live:
            spans.append([at, None])
        elif spans[-1][0] == at:
            spans.pop()
        else:
            spans[-1][1] = at

    def owe(self, subscription: str, amount: int) -> None:
        """Note a part of a charge that the wallet could not pay."""
        self.owed[subscription] = self.owed.get(subscription, 0) + amount

    def outcome(self, funds: dict[str, tuple[int, int]], statuses: dict[str, str]) -> Outcome:
        """Write everything out as JSON wants it. `funds` are the balance and the debt of each customer."""
        charged = {name: self.owed.get(name, 0) for name in statuses}
        for _, _, subscription, _, amount, _ in self.rows:
            if subscription is not None:
                charged[subscription] -= amount
        return {
            "customers": {
                name: {"balance": self.money(balance), "debt": self.money(debt)}
                for name, (balance, debt) in funds.items()
            },
            "subscriptions": {
                name: {"status": status, "charged": self.money(charged[name]), "access": self.access(name)}
                for name, status in statuses.items()
            },
            "rejected": self.rejected,
            "transactions": list(self.transactions()),
        }

    def transactions(self) -> Iterable[TransactionOutcome]:
        """Yield the movements by time, then customer, then as they were posted."""
        for at, customer, subscription, reason, amount, balance in sorted(self.rows, key=lambda row: row[:2]):
            yield {
                "at": written(at), "customer": customer, "subscription": subscription, "reason": reason,
                "amount": self.money(amount), "balance": self.money(balance),
            }  # fmt: skip

    def access(self, subscription: str) -> list[list[str | None]]:
        spans = self.spans.get(subscription, [])
        return [[None if instant is None else written(instant) for instant in span] for span in spans]

    def money(self, amount: int) -> str:
        return Money(amount, self.currency).plain()


def written(at: int) -> str:
    """Write an instant with a final Z, and microseconds only where they are not zero."""
    return to_datetime(at).isoformat().replace("+00:00", "Z")


# --- Playing ---


class Stage(Protocol):
    """Where a scenario is played: on the bare engine or on the real tables."""

    record: Record

    def act(self, step: Step) -> bool:
        """Settle the customer's book to the step's instant and do the step; tell whether the rules allowed it."""

    def settle(self, at: int) -> None:
        """Settle every book there is to `at`, as the scheduler does."""

    def outcome(self) -> Outcome:
        """Say how everything stands and what happened on the way."""


def ignore(_: int) -> None:
    """Show no progress."""


def play_on(stage: Stage, scenario: Scenario, advance: Callable[[int], None] = ignore) -> Outcome:
    """Play on `stage`; `advance` hears how many ticks and steps were done since it was called last.

    A tick comes before the steps of its instant, which makes no difference to what they find (R1).
    """
    ticks = scenario.tick_instants()
    tick = next(ticks, None)
    for index, step in enumerate(scenario.events):
        while tick is not None and tick <= step.at:
            stage.settle(tick)
            advance(1)
            tick = next(ticks, None)
        if not stage.act(step):
            stage.record.rejected.append(index)
        advance(1)
    while tick is not None:
        stage.settle(tick)
        advance(1)
        tick = next(ticks, None)
    stage.settle(scenario.until)
    return stage.outcome()
